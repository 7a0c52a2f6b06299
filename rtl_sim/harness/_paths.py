"""Paths that make, the linker and Verilator's makefiles can take."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from flow.errors import FlowError
from flow.shared_cache import cache_folder

# A makefile splits at spaces and expands $, %, # and more; `-Wl,-rpath,` splits at commas; the
# variables that hold lists of folders split at colons and semicolons.
ODD = re.compile(r"[^A-Za-z0-9._/+@=~-]")
SYSTEM_FOLDERS = ("/tmp", "/var/tmp")


def plain_path(path: Path) -> Path:
    """The same place under a name of plain characters: `path`, absolute, where it is one.

    Else the shortest part of it that holds all odd characters is reached through a symbolic link,
    whose name is the hash of where it points. The link stays, for what is compiled may hold its
    name; a missing one is made again. `path` need not exist.

    Raises:
        FlowError: there is no folder of plain characters that could hold the link.
    """
    path = path.absolute()
    if not ODD.search(str(path)):
        return path
    parts = path.parts
    end = max(i for i, part in enumerate(parts) if ODD.search(part)) + 1
    return _link_to(Path(*parts[:end])).joinpath(*parts[end:])


def _link_to(place: Path) -> Path:
    # The real path, so that a link inside `place` cannot lead elsewhere when it is changed later.
    target = os.path.realpath(place)
    suffix = "" if ODD.search(place.suffix) else place.suffix  # .sv and .vlt mean something
    link = _links(place) / f"{hashlib.sha256(os.fsencode(target)).hexdigest()[:16]}{suffix}"
    if not (link.is_symlink() and os.readlink(link) == target):
        # Made aside and renamed: another process sees the old link or the new one, never none.
        staging = Path(tempfile.mkdtemp(dir=link.parent))
        (staging / link.name).symlink_to(target)
        (staging / link.name).replace(link)
        staging.rmdir()
    return link


def _links(place: Path) -> Path:
    """The private folder that holds the links."""
    private = f"shiftflow-{os.geteuid()}"
    candidates = [cache_folder() / "paths"]
    candidates += [Path(base) / private for base in (*SYSTEM_FOLDERS, tempfile.gettempdir())]
    for folder in candidates:
        if ODD.search(str(folder)):
            continue
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if _is_private(folder):
                return folder
    raise FlowError(
        f"Verilator cannot build below {str(place)!r}, whose name holds more than letters, digits "
        "and ._/+@=~-, without a link to it elsewhere, and none of these can hold one:\n"
        + "".join(f"  {folder}\n" for folder in candidates)
        + "  Set SHIFTFLOW_CACHE to a folder of yours with a plain name."
    )


def _is_private(folder: Path) -> bool:
    """A folder, of this user, writable by nobody else: in /tmp anyone could have made it."""
    found = folder.lstat()
    mine = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    return mine and not found.st_mode & 0o022 and os.access(folder, os.W_OK)
