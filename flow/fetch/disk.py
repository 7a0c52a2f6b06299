"""What a user can do about a disk that does not take a file."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flow.config import DATA_VARIABLE
from flow.errors import DataError, FlowError


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Explain an OSError of writing to `folder`; the project's own errors pass.

    Raises:
        DataError: the disk is full, or the folder cannot be written to.
    """
    try:
        yield
    except FlowError:  # some of them are OSErrors too
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DataError(
                f"no space is left on the disk of {folder}.\n"
                "  Free some space and run the same command again: what was downloaded is kept."
            ) from error
        raise DataError(
            f"cannot write to {folder}: {error.strerror or error}.\n"
            f"  Make it writable, or name another folder: {DATA_VARIABLE}=FOLDER."
        ) from error
