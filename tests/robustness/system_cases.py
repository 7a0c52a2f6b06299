"""What the machine cannot give: space, permission, tools."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import NoReturn

from flow import cache, runs
from tests.robustness.case import Case, Place, environment, folder, text, together


def full_disk(place: Place) -> None:
    """No byte can be written after the first stage."""

    def write(path: Path, text: str) -> NoReturn:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    place.monkeypatch.setattr(cache, "_write_durably", write)


def quota(place: Place) -> None:
    """The user's share of the disk is used up."""

    def write(path: Path, text: str) -> NoReturn:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT), str(path))

    place.monkeypatch.setattr(cache, "_write_durably", write)


def read_only(*names: str) -> object:
    """Folders that take no files; not by their mode, which does not bind the superuser."""

    def prepare(place: Place) -> None:
        access = os.access
        closed = {place.folder / name for name in names}
        place.monkeypatch.setattr(
            os, "access", lambda path, mode, **more: Path(path) not in closed and
            access(path, mode, **more))  # fmt: skip

    return prepare


def shadowed_reports(place: Place) -> None:
    """Reports go below a file."""
    place.monkeypatch.setattr(runs, "REPORTS", place.folder / "notes" / "reports")


CASES = (
    Case("disk full", "--model kws --to extract",
         "no space is left on the disk of {tmp}/build/kws/.extract.tmp/stage.json.\n"
         "  Free some space and run the same command again: finished stages are kept.",
         full_disk, code=1, stage="extract"),
    Case("quota used up", "--model kws --to extract",
         "no space is left on the disk of {tmp}/build/kws/.extract.tmp/stage.json.\n"
         "  Free some space and run the same command again: finished stages are kept.",
         quota, code=1, stage="extract"),
    Case("build is a file", "--model kws",
         "{tmp}/build/kws, where results are kept, cannot be written to: {tmp}/build is "
         "no folder.\n"
         "  Correct that, or use a copy of the project elsewhere.", text("build", "")),
    Case("reports is a file", "--model kws",
         "{tmp}/reports/kws, where results are kept, cannot be written to: "
         "{tmp}/reports is no folder.\n"
         "  Correct that, or use a copy of the project elsewhere.", text("reports", "")),
    Case("reports below a file", "--model kws",
         "{tmp}/notes/reports/kws, where results are kept, cannot be written to: "
         "{tmp}/notes is no folder.\n"
         "  Correct that, or use a copy of the project elsewhere.",
         together(text("notes", ""), shadowed_reports)),
    Case("run's folder is a file", "--model kws",
         "{tmp}/build/kws, where results are kept, cannot be written to: "
         "{tmp}/build/kws is no folder.\n"
         "  Correct that, or use a copy of the project elsewhere.",
         together(folder("build"), text("build/kws", ""))),
    Case("build is read-only", "--model kws",
         "{tmp}/build/kws, where results are kept, cannot be written to: {tmp}/build is "
         "read-only for this user.\n"
         "  Correct that, or use a copy of the project elsewhere.",
         together(folder("build"), read_only("build"))),
    Case("reports is read-only", "--model kws",
         "{tmp}/reports/kws, where results are kept, cannot be written to: "
         "{tmp}/reports is read-only for this user.\n"
         "  Correct that, or use a copy of the project elsewhere.",
         together(folder("reports"), read_only("reports"))),
    Case("report's folder is read-only", "--model kws",
         "{tmp}/reports/kws, where results are kept, cannot be written to: "
         "{tmp}/reports/kws is read-only for this user.\n"
         "  Correct that, or use a copy of the project elsewhere.",
         together(folder("reports/kws"), read_only("reports/kws"))),
    Case("lock is a folder", "--model kws --to extract",
         "{tmp}/build/kws/.lock: Is a directory.\n"
         "  Correct that and run the same command again; --debug shows what needed it.",
         folder("build/kws/.lock"), code=1,
         stage="extract"),
    Case("log is a folder", "--model kws --to extract",
         "{tmp}/build/kws/build.log: Is a directory.\n"
         "  Correct that and run the same command again; --debug shows what needed it.",
         folder("build/kws/build.log"), code=1,
         stage="extract"),
    Case("no compiler", "--model kws --frames 2 --to simulate",
         "tool 'make' is missing; it is needed for RTL simulation.\n"
         "  Install make and a C++17 compiler.",
         environment("PATH", "{tmp}"), code=1, stage="simulate", slow=True),
)  # fmt: skip
