"""Whether a run of Vitis HLS or Vivado succeeded, and what its log says where it did not."""

from __future__ import annotations

import re
import signal
from collections.abc import Sequence
from pathlib import Path

from flow.errors import ToolFailed

# AMD's tools print one line per message; project scripts and Tcl errors use the same prefix.
ERROR = re.compile(r"^ERROR: .*$", re.MULTILINE)
# What the shell around the tools prints when the tool itself dies (hls4ml issue 438).
DEATH = re.compile(
    r"rdiArgs\.sh: line \d+:\s+\d+ (\w[\w ]*?)\s+(?:\(core dumped\)\s+)?\"\$RDI_PROG"
)
LICENCE = re.compile(r"licen[sc]e", re.IGNORECASE)
PART = re.compile(r"[Pp]art '?([\w-]+)'? is not installed")
MEMORY = "Too little memory is the usual cause: give it more, or ask for fewer multipliers."
SIGNALLED = 128  # a shell adds this to the signal of what it ran


def check_run(what: str, command: Sequence[str], code: int, log: Path) -> None:
    """Raise ToolFailed where the exit code or the log tells of a failure.

    A printed error is one even where the exit code is 0: the programs end so after some failures
    (a licence that was not found, a Tcl `catch`, a shell around a tool that died), and what they
    wrote until then is not whole. The scripts of these projects provoke no harmless errors.

    Raises:
        ToolFailed: names the first error and, for the usual causes, what to do.
    """
    reason = _reason(log.read_text(errors="replace"), code)
    if code == 0 and not reason:
        return
    program = Path(command[0]).name
    if code == 0:
        program += " did not say so in its exit code, but"
    first, *others = reason or [""]
    lines = [f"{what}: {first}" if first else what, *others, program]
    raise ToolFailed("\n  ".join(lines), command, code, log)


def _reason(text: str, code: int) -> list[str]:
    """The first error and what to do about it, as lines; none where nothing is known."""
    if found := ERROR.search(text):
        return [found[0].strip(), *_advice(found[0])]
    if found := DEATH.search(text):
        return [f"its process died: {found[1]}.", *([MEMORY] if found[1] == "Killed" else [])]
    number = -code if code < 0 else code - SIGNALLED
    if number > 0:
        return [f"ended by {_signal(number)}.", *([MEMORY] if number == signal.SIGKILL else [])]
    return []


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
