"""A recording through checked hardware: the word that the integer network and the RTL say."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from flow.cache import locked
from flow.emit import load_project
from flow.errors import ConfigError
from flow.graph import load_graph, map_input
from flow.plan import load_plan
from flow.runs import Run
from flow.simulate import answer, load_sim, played_frames
from flow.speech import Speech, read_speech, word_scores
from flow.stages import Finished

SPEECH_MODELS = ("kws",)
SHOWN = 3  # words with the highest scores


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said in a recording; words come with their softmax shares, the likeliest first."""

    speech: Speech
    integer: tuple[tuple[str, float], ...]
    rtl: tuple[tuple[str, float], ...]
    words_compared: int  # of the RTL with the integer network, in all layers
    latency_cycles: int
    clock_mhz: float  # assumed

    def lines(self) -> list[tuple[str, str]]:
        """Label and text for the terminal."""
        likeliest = ", ".join(f"{word} {100 * share:.1f} %" for word, share in self.integer[:SHOWN])
        latency_ms = self.latency_cycles / self.clock_mhz / 1e3
        return [
            ("recording", self._recording()),
            ("integer network", f"{self.integer[0][0]}  ({likeliest})"),
            (
                "RTL simulation",
                f"{self.rtl[0][0]}  ({self.words_compared:,} words compared at every layer, 0 "
                f"mismatches; answer after {self.latency_cycles:,} cycles, {latency_ms:.3f} ms "
                f"at an assumed {self.clock_mhz:g} MHz)",
            ),
        ]

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
    """Send a recording through the integer network and the RTL of a run.

    Args:
        finished: of the run up to its stage `simulate`.

    Raises:
        Mismatch: the RTL computes other integers.
        StageBusy: another process works on this run.
    """
    places = {outcome.name: outcome.folder for outcome in finished.outcomes}
    graph = load_graph(places["extract"])
    with locked(run.folder):
        work = run.folder / ".hear.tmp"
        shutil.rmtree(work, ignore_errors=True)
        try:
            found = answer(
                load_project(places["emit"] / "project"),
                graph,
                load_plan(places["plan"] / "plan.json"),
                map_input(graph, speech.codes),
                work,
                simulated=places["simulate"],
                frames=played_frames(load_sim(places["simulate"] / "sim.json").frames),
                timeout_s=run.config.tools.simulation.timeout_s,
            )
        finally:
            shutil.rmtree(work, ignore_errors=True)
    return Heard(
        speech,
        integer=word_scores(graph, found.integer[0].ravel()),
        rtl=word_scores(graph, found.rtl[0].ravel()),
        words_compared=found.words_compared,
        latency_cycles=found.latency_cycles,
        clock_mhz=run.target.clock_mhz,
    )
