"""Stock hls4ml's C simulation of a benchmark network, compiled and ready to be timed.

The network is rebuilt from stock QKeras quantizers of the same widths and ranges, alpha=1, with the
same weights (`flow.peers.twin`), and converted as in `make compare-hls4ml`: back end Vitis,
io_stream, every precision set by hand: of the flows of that comparison the one that computes kws
rightly, and as fast as the others. A network that the rule for that does not cover is converted
with the configuration that hls4ml proposes.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALPHA = 1
LOG = "log"
PROJECT = "project"


@dataclass(frozen=True, slots=True)
class StockSimulation:
    """`predict` of a compiled model; None where there is none, and `missing` says why."""

    predict: Callable[[Any], object] | None
    missing: str | None = None


def stock_simulation(network: str, trained: Any, folder: Path) -> StockSimulation:
    """Convert and compile a network; what stock hls4ml cannot do is an answer, no error.

    Args:
        trained: its calibrated Keras model.
        folder: for the project, the compiled library (loaded from there) and the log.
    """
    from flow.peers.row import first_error, first_line
    from flow.peers.twin import twin

    log = folder / LOG
    with log.open("w") as stream, contextlib.redirect_stdout(stream):
        try:
            model = _converted(twin(network, trained, ALPHA), folder / PROJECT)
        except Exception as error:  # whatever a converter raises is the answer
            return StockSimulation(None, f"conversion: {first_line(error)}")
        try:
            model.compile()
        except Exception as error:
            stream.flush()
            return StockSimulation(None, f"compilation: {first_error(log) or first_line(error)}")
    return StockSimulation(model.predict)


def _converted(model: Any, folder: Path) -> Any:
    from flow.peers.flows import stock_default, stock_hand_set

    try:
        return stock_hand_set(model, folder)
    except KeyError:  # a layer that the rule does not know
        return stock_default(model, folder)
