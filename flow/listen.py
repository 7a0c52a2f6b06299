"""A recording through checked hardware: the word that integer network and simulation say."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flow.cache import locked
from flow.emit import load_project
from flow.emit.vitis import load_vitis_project
from flow.engines.vitis import PROJECT
from flow.errors import ConfigError
from flow.graph import IntGraph, load_graph, map_input
from flow.graph.types import IntArray
from flow.plan import load_plan
from flow.runs import Run
from flow.simulate import Answer, answer, c_answer, load_sim, played_frames
from flow.speech import Speech, read_speech, word_scores
from flow.stages import Finished

SPEECH_MODELS = ("kws",)
SHOWN = 3  # words with the highest scores


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in a recording; words come with their softmax shares, the likeliest first."""

    speech: Speech
    integer: tuple[tuple[str, float], ...]
    simulation: str  # 'RTL simulation' or 'C simulation'
    simulated: tuple[tuple[str, float], ...]
    words_compared: int  # of the simulation with the integer network, in all layers
    latency_cycles: int | None  # None: it knows no cycles
    clock_mhz: float  # assumed

    def lines(self) -> list[tuple[str, str]]:
        """Label and text for the terminal."""
        likeliest = ", ".join(f"{word} {100 * share:.1f} %" for word, share in self.integer[:SHOWN])
        compared = f"{self.words_compared:,} words compared at every layer, 0 mismatches"
        return [
            ("recording", self._recording()),
            ("integer network", f"{self.integer[0][0]}  ({likeliest})"),
            (self.simulation, f"{self.simulated[0][0]}  ({compared}{self._latency()})"),
        ]

    def _latency(self) -> str:
        if self.latency_cycles is None:
            return ""
        latency_ms = self.latency_cycles / self.clock_mhz / 1e3
        return (
            f"; answer after {self.latency_cycles:,} cycles, {latency_ms:.3f} ms at an assumed "
            f"{self.clock_mhz:g} MHz"
        )

    def _recording(self) -> str:
        speech = self.speech
        text = f"{speech.path.name}, {speech.duration_s:.2f} s at {speech.rate_hz:,} Hz"
        if speech.duration_s > 1.0:
            text += f"; its loudest second is used, from {speech.offset_s:.2f} s"
        return text


def recording(run: Run, wav: Path) -> Speech:
    """Read and check a recording, before any work is done for it.

    Raises:
        ConfigError: the model does not listen.
        DataError: the file is not a readable recording.
    """
    if run.model not in SPEECH_MODELS:
        raise ConfigError(
            f"--wav: model {run.model!r} takes no speech; choose one of: "
            f"{', '.join(SPEECH_MODELS)}."
        )
    return read_speech(wav)


def hear(run: Run, finished: Finished, speech: Speech) -> Heard:
    """Send a recording through the integer network and the simulated hardware of a run.

    Args:
        finished: of the run up to its stage `simulate`.

    Raises:
        Mismatch: the hardware computes other integers.
        StageBusy: another process works on this run.
    """
    places = {outcome.name: outcome.folder for outcome in finished.outcomes}
    graph = load_graph(places["extract"])
    simulation, ask = (
        ("C simulation", _ask_c) if run.engine == "vitis" else ("RTL simulation", _ask_rtl)
    )
    with locked(run.folder):
        work = run.folder / ".hear.tmp"
        shutil.rmtree(work, ignore_errors=True)
        try:
            found = ask(run, places, graph, map_input(graph, speech.codes), work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Heard(
        speech,
        integer=word_scores(graph, found.integer[0].ravel()),
        simulation=simulation,
        simulated=word_scores(graph, found.simulated[0].ravel()),
        words_compared=found.words_compared,
        latency_cycles=found.latency_cycles,
        clock_mhz=run.target.clock_mhz,
    )


def _ask_rtl(
    run: Run, places: Mapping[str, Path], graph: IntGraph, codes: IntArray, work: Path
) -> Answer:
    return answer(
        load_project(places["emit"] / "project"),
        graph,
        load_plan(places["plan"] / "plan.json"),
        codes,
        work,
        simulated=places["simulate"],
        frames=played_frames(load_sim(places["simulate"] / "sim.json").frames),
        timeout_s=run.config.tools.simulation.timeout_s,
    )


def _ask_c(
    run: Run, places: Mapping[str, Path], graph: IntGraph, codes: IntArray, work: Path
) -> Answer:
    """In a copy of the stage's project, which holds the compiled library."""
    shutil.copytree(places["simulate"] / PROJECT, work)
    return c_answer(load_vitis_project(work), graph, codes, run.config.tools.simulation.timeout_s)
