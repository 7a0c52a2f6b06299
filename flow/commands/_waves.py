"""The waveform that `--waves LAYER` asks for."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from flow.cache import Notify, Outcome
from flow.config import choose
from flow.errors import FlowError

if TYPE_CHECKING:
    from flow.runs import Run

Lines = list[tuple[str, str]]


def layer_checked(notify: Notify, layer: str) -> Notify:
    """Refuse an unknown layer as soon as the network's layers are known, not minutes later.

    Raises:
        ConfigError: from the callback that hears the end of the stage `extract`.
    """

    def end(outcome: Outcome) -> None:
        notify.end(outcome)
        if outcome.name == "extract":
            graph = json.loads((outcome.folder / "graph.json").read_text())
            choose("layer", layer, [node["name"] for node in graph["nodes"]])

    return replace(notify, end=end)


def waves(run: Run, layer: str, frame: int | None) -> Lines:
    """Write the waveform; see `flow.waves.write`."""
    from flow.waves import write  # loads NumPy and the simulator's harness

    return write(run, layer, frame)


def waves_of_failure(run: Run, layer: str, frame: int | None) -> Lines:
    """The waveform of a run whose simulation failed: its own trouble must not hide that failure."""
    try:
        return waves(run, layer, frame)
    except FlowError as error:
        print(f"note: no waveform of {layer}: {error}", file=sys.stderr)
        return []
