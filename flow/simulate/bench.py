"""A generated bench: built with Verilator, played, and judged against the integer reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flow import __version__
from flow.emit.project import Project
from flow.errors import FlowError, Mismatch
from flow.graph.types import IntGraph
from flow.plan.hwplan import HwPlan
from flow.simulate.stimuli import INPUT, OUTPUT, GoldenStream
from flow.simulate.stimuli import locate as locate_word
from flow.templates import render
from rtl_sim.harness import BENCH_LIB, Model, Profile, ProfileResult, Tap, TapResult, build, play

TEMPLATES = BENCH_LIB.parent / "network"
# Words of a kilobyte are shown whole, memories and their like not at all; times are in ns.
TRACE_ARGS = (
    *("--trace-max-width", "8192", "--trace-max-array", "64"),
    *("--timescale-override", "1ns/1ns"),
)
WARM_UP_FRAMES = 2  # the pipeline of layers fills while these pass


@dataclass(frozen=True, slots=True)
class Bench:
    """What every bench of one network shares; `frames` are in the stimulus files of `folder`."""

    project: Project
    graph: IntGraph
    plan: HwPlan
    streams: Mapping[str, GoldenStream]
    folder: Path
    frames: int
    timeout_s: float
    frame_cycles: int  # of the slowest unit per frame; of foreign RTL, what its tool promises

    @property
    def stimuli(self) -> Path:
        """Folder of stimulus, golden and ROM files; simulations run in it."""
        return self.folder / "stimuli"

    def build(
        self,
        module: str,
        template: str,
        *,
        opt: str = "-O3",
        trace: bool = False,
        extra_args: Sequence[str] = (),
        **values: Any,
    ) -> Model:
        """Render a bench and compile it with the project's sources.

        Args:
            opt, trace, extra_args: as of `rtl_sim.harness.build`.
        """
        source = self.folder / f"{module}.sv"
        header = f"shiftflow {__version__}; generated, do not edit"
        text = render(TEMPLATES / template, header=header, frames=self.frames, **values)
        source.write_text(text)
        sources = [self.project.rtl / name for name in self.project.sources]
        library = sorted(BENCH_LIB.glob("*.sv"))
        build_dir = self.folder / f"{module}.build"
        return build(
            [*sources, *library, source],
            module,
            build_dir,
            opt=opt,
            trace=trace,
            extra_args=(*extra_args, *(TRACE_ARGS if trace else ())),
            timeout_s=self.timeout_s,
        )

    def play(
        self,
        model: Model,
        probes: Sequence[Tap],
        profiles: Sequence[Profile],
        *,
        frames: int,
        timeout_cycles: int,
        plusargs: Sequence[str] = (),
    ) -> list[ProfileResult]:
        """Play `frames` frames under each profile.

        Surplus words are looked for during two more frames: a doubled last frame is seen.

        Raises:
            Mismatch, FlowError: some word differs, is missing or surplus.
        """
        results = play(
            model,
            probes,
            self.stimuli,
            frames=frames,
            timeout_cycles=timeout_cycles,
            profiles=profiles,
            grace_cycles=2 * self.frame_cycles,
            plusargs=plusargs,
            timeout_s=self.timeout_s,
        )
        for result in results:
            if not result.clean:
                raise self._failure(result)
        return results

    def _failure(self, result: ProfileResult) -> FlowError:
        """The first wrong layer in the order of the data flow, or all that is wrong."""
        shapes = {INPUT: self.graph.input_shape} | {
            node.name: node.out_shape for node in self.graph.nodes
        }
        for tap in result.taps:
            if not tap.mismatches:
                continue
            if tap.label == OUTPUT or tap.first_bad_index >= tap.words:
                break
            index, expected, got = locate_word(
                self.streams[tap.label], shapes[tap.label], tap.first_bad_index, tap.first_expected,
                tap.first_got,
            )  # fmt: skip
            return Mismatch(
                tap.label, f"(frame, y, x, channel) = {index}", expected, got, tap.mismatches,
                tap.words, f"RTL against the integer reference, stall profile {result.profile!r}.",
            )  # fmt: skip
        return FlowError(
            "the RTL simulation is wrong:\n" + "\n".join(f"  - {line}" for line in result.faults())
        )


def steady_cycles(tap: TapResult) -> int:
    """Cycles between frame ends after the warm-up, rounded up."""
    ends = tap.frame_end_cycles
    steady = ends[WARM_UP_FRAMES:]
    return -(-(steady[-1] - steady[0]) // (len(steady) - 1))
