"""Whether a run of Vitis HLS or Vivado succeeded, and what its log says where it did not."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path

from flow.errors import ToolFailed

# AMD's tools print one line per message; project scripts and Tcl errors use the same prefix.
ERROR = re.compile(r"^ERROR: .*$", re.MULTILINE)
LICENCE = re.compile(r"licen[sc]e", re.IGNORECASE)
PART = re.compile(r"[Pp]art '?([\w-]+)'? is not installed")


def check_run(what: str, command: Sequence[str], code: int, log: Path) -> None:
    """Raise ToolFailed where the exit code or the log tells of a failure.

    A printed error is one even where the exit code is 0: vitis_hls ends so after some failed
    commands (a Tcl `catch` that swallowed one, a licence that was not found at the start), and
    what it wrote until then is not whole. The scripts of these projects provoke no harmless ones.

    Raises:
        ToolFailed: names the first error and, for the usual causes, what to do.
    """
    found = ERROR.search(log.read_text(errors="replace"))
    if code == 0 and found is None:
        return
    program = Path(command[0]).name
    lines = [what]
    if found is not None:
        lines = [f"{what}: {found[0].strip()}", *_advice(found[0])]
    elif code < 0:
        lines = [f"{what}: killed by {_signal(-code)}; too little memory is the usual cause."]
    if code == 0:
        program += " did not say so in its exit code, but"
    raise ToolFailed("\n  ".join([*lines, program]), command, code, log)


def _advice(error: str) -> list[str]:
    if LICENCE.search(error):
        return ["Set XILINXD_LICENSE_FILE to a licence that covers this device."]
    if part := PART.search(error):
        return [
            f"Add the device of {part[1]!r} to the installation (AMD's installer, 'Add Design "
            "Tools or Devices'), or choose another target."
        ]
    return []


def _signal(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:
        return f"signal {number}"
