"""What a play brings back: one `TapResult` per probe and stall profile."""

from __future__ import annotations

from dataclasses import dataclass

MASK_BYTE = 255


@dataclass(frozen=True, slots=True)
class Profile:
    """How the streams are disturbed in one run.

    `reset_after_cycles` lists aborted runs before the full one: each is cut off by a reset.
    """

    name: str
    source_stall: int = 0  # probability/256 of idling before a word
    check_stall: int = 0  # probability/256 of a low tready
    seed: int = 1
    reset_after_cycles: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        for stall in (self.source_stall, self.check_stall):
            if not 0 <= stall <= MASK_BYTE:
                raise ValueError(f"profile {self.name!r}: stall {stall} is not in 0..{MASK_BYTE}")


PROFILES = (
    Profile("none"),
    Profile("idle_input", source_stall=128, seed=11),
    Profile("backpressure", check_stall=128, seed=12),
    Profile("both", source_stall=77, check_stall=90, seed=13),
    Profile("reset", source_stall=40, check_stall=40, seed=14, reset_after_cycles=(23, 211)),
)


@dataclass(frozen=True, slots=True)
class Tap:
    """A probe in the bench: where it is and what it should see."""

    path: str  # of the `stream_tap` instance below the top, dots between levels
    words: int
    label: str  # for messages: the layer, or the unit's parameters
    frames: int = 0  # how many `frame_end_cycle` entries to read


@dataclass(frozen=True, slots=True)
class TapResult:
    """What one `stream_tap` counted. Cycles count from the end of reset."""

    path: str
    label: str
    words: int
    received: int
    mismatches: int
    first_bad_index: int
    first_bad_cycle: int
    first_expected: int
    first_got: int
    protocol_errors: int
    first_cycle: int
    last_cycle: int
    starved_cycles: int  # the consumer was ready and no word came
    blocked_cycles: int  # a word waited for the consumer
    frame_end_cycles: tuple[int, ...]

    @property
    def clean(self) -> bool:
        """Every expected word came, no other word did, and no rule was broken."""
        return (self.received, self.mismatches, self.protocol_errors) == (self.words, 0, 0)

    @property
    def bubbles(self) -> int:
        """Cycles without a word between the first and the last one."""
        return self.last_cycle - self.first_cycle + 1 - self.received

    def describe(self) -> str:
        """One line that names everything wrong, or says that all is well."""
        faults = []
        if self.received != self.words:
            faults.append(f"received {self.received} of {self.words} words")
        if self.mismatches:
            faults.append(
                f"{self.mismatches} of {self.words} words differ, first at {self.first_bad_index}: "
                f"expected 0x{self.first_expected:x}, got 0x{self.first_got:x}"
            )
        if self.protocol_errors:
            faults.append(f"{self.protocol_errors} valid words withdrawn or changed before taken")
        return f"{self.label} ({self.path}): " + ("; ".join(faults) or "clean")


@dataclass(frozen=True, slots=True)
class ProfileResult:
    """All probes of one run. `cycles` is the run's length, the grace period excluded."""

    profile: str
    timed_out: bool
    cycles: int
    wall_s: float
    taps: tuple[TapResult, ...]

    @property
    def clean(self) -> bool:
        """No timeout and every probe clean."""
        return not self.timed_out and all(tap.clean for tap in self.taps)

    def faults(self) -> list[str]:
        """One line per probe that is not clean, and one for a timeout."""
        lines = [f"[{self.profile}] {tap.describe()}" for tap in self.taps if not tap.clean]
        if self.timed_out:
            lines.append(f"[{self.profile}] timeout after {self.cycles} cycles")
        return lines
