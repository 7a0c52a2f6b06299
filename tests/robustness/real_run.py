"""The command line with its real stages, in a folder of its own; a program, for tests that kill it.

python -m tests.robustness.real_run FOLDER ARGUMENT...
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from flow import build, runs
from flow.config import ROOT


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """A build of kws in `folder`, leading a group of its own; its output is kept in files."""
    folder.mkdir(exist_ok=True)
    environment = {name: value for name, value in os.environ.items() if name != "SHIFTFLOW_DATA"}
    with (folder / "out.txt").open("w") as out, (folder / "error.txt").open("w") as error:
        return subprocess.Popen(
            [sys.executable, "-m", __spec__.name, str(folder), "--model", "kws", *arguments],
            cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=error, text=True,
            env=environment, start_new_session=True,
        )  # fmt: skip


if __name__ == "__main__":
    runs.BUILD, runs.REPORTS = (Path(sys.argv[1]) / name for name in ("build", "reports"))
    sys.exit(build.main(sys.argv[2:]))
