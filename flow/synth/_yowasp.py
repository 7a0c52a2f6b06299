"""Tools that PyPI carries as WebAssembly (YoWASP): first run, version, one run under a limit."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

import platformdirs

from flow.errors import ToolFailed, ToolMissing
from flow.locks import wait_for
from flow.run_limited import Outcome, run_limited

FIRST_RUN_TIMEOUT_S = 600  # a package compiles its WebAssembly once per machine (30 s on a core)


@dataclass(frozen=True, slots=True)
class Tool:
    """One of these packages, and its function that takes a command line's arguments."""

    name: str
    package: str
    module: str
    function: str
    needed_for: str

    def version(self) -> str:
        """Name and version for reports.

        Raises:
            ToolMissing: the package is not installed.
        """
        if importlib.util.find_spec(self.module) is None:
            remedy = f"Run 'make' once, or: pip install {self.package} in this environment."
            raise ToolMissing(self.package, self.needed_for, remedy)
        return f"{self.name} {importlib.metadata.version(self.package)}"

    def command(self) -> list[str]:
        """How it is started: in this interpreter, because PATH may hold another one."""
        call = f"import sys, {self.module} as tool; sys.exit(tool.{self.function}(sys.argv[1:]))"
        return [sys.executable, "-c", call]


def prepare(tool: Tool, command: Sequence[str], folder: Path, stop: Event | None = None) -> None:
    """Run a tool once, so that later runs find its WebAssembly compiled; all of them need this.

    A package compiles it on its first run and writes the result (70 to 200 MB) in place. A process
    that maps that file meanwhile dies of SIGBUS, so processes take turns here.

    Args:
        command: how the tool is started, without arguments.
        folder: gets the log.
        stop: ends the run early when set.

    Raises:
        ToolFailed: it does not start.
    """
    with wait_for(_cache_folder() / "shiftflow.lock"):
        log = folder / f"{tool.name.lower()}_version.log"
        what = f"starting {tool.name}"
        run([*command, "-V"], folder, log, FIRST_RUN_TIMEOUT_S, stop, what)


def run(
    argv: list[str], folder: Path, log: Path, timeout_s: float, stop: Event | None, what: str
) -> None:
    """Run one command in `folder`; `what` begins the message of its failure.

    Raises:
        ToolFailed: it failed, did not end within the limit, or was stopped.
    """
    outcome, exit_code = run_limited(argv, folder, log, timeout_s, stop)
    if outcome is Outcome.TIMEOUT:
        what += f" was stopped at its limit of {timeout_s:g} s (tools.synth_timeout_s); it"
    elif outcome is Outcome.STOPPED:
        what += " was stopped because the run ended; it"
    elif exit_code == 0:
        return
    raise ToolFailed(what, argv, exit_code, log)


def _cache_folder() -> Path:
    """Where yowasp_runtime keeps the compiled WebAssembly (its `run_wasm`)."""
    default = platformdirs.user_cache_dir("YoWASP", appauthor=False)
    return Path(os.environ.get("YOWASP_CACHE_DIR", default))
