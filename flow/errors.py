"""Every error a user can cause; `flow/build.py` prints them without a traceback.

A message says what failed, where, the offending value beside the allowed one, and what to do next.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

LOG_TAIL_LINES = 12


class FlowError(Exception):
    """Base of all errors that are reported to the user without a traceback."""


class ConfigError(FlowError):
    """`config.yaml` or a command line option is malformed or out of range."""


class DataError(FlowError):
    """A data, weights or stimulus file is missing, corrupt or of the wrong shape."""


class UnsupportedLayer(FlowError):
    """The network holds a layer or quantizer that the flow cannot make exact."""


class RangeError(FlowError):
    """A value lies outside the range that the arithmetic or the hardware supports."""


class PlanError(FlowError):
    """No hardware plan satisfies the fold, the target or the budget that was asked for."""


class StageBusy(FlowError):
    """Another run is working on the same report folder."""


class ToolMissing(FlowError):
    """An external tool is not installed."""

    def __init__(self, tool: str, needed_for: str, remedy: str) -> None:
        super().__init__(f"tool {tool!r} is missing; it is needed for {needed_for}.\n  {remedy}")


class ToolFailed(FlowError):
    """An external tool ended with an error; carries its command, exit code and log."""

    def __init__(self, what: str, command: Sequence[str], exit_code: int, log: Path) -> None:
        self.command = list(command)
        self.exit_code = exit_code
        self.log = log
        super().__init__(
            f"{what} failed with exit code {exit_code}.\n"
            f"  command: {shlex.join(self.command)}\n"
            f"  log: {log}\n" + _tail(log)
        )


class Mismatch(FlowError):
    """Two implementations that must agree computed different integers."""

    def __init__(
        self,
        layer: str,
        index: object,
        expected: object,
        got: object,
        different: int,
        compared: int,
        where: str = "",
    ) -> None:
        self.layer = layer
        self.index = index
        self.expected = expected
        self.got = got
        self.where = where
        self.different = different
        self.compared = compared
        super().__init__(
            f"layer {layer!r}: {different} of {compared} values differ; "
            f"first at {index}: expected {expected}, got {got}." + (f"\n  {where}" if where else "")
        )

    def in_whole(self, start: int) -> Mismatch:
        """The same difference, where the frames compared are those from `start` on of a whole."""
        index = self.index
        if isinstance(index, tuple):
            index = (index[0] + start, *index[1:])
        return Mismatch(
            self.layer, index, self.expected, self.got, self.different, self.compared, self.where
        )


def _tail(log: Path) -> str:
    try:
        lines = log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
    except OSError:
        return "  (the log cannot be read)"
    return "\n".join(f"  | {line}" for line in lines)
