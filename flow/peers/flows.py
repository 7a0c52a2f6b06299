"""The four ways from a QKeras model to a compiled C simulation; all io_stream.

Each gives an hls4ml ModelGraph, whose `compile()` and `predict()` are the same calls in all.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from flow.peers.problem import Problem

OURS = "shiftflow"
IO_TYPE = "io_stream"
Flow = Callable[[Problem, Path], Any]


def stock_hand_set(model: Any, folder: Path) -> Any:
    """A model of stock quantizers through stock hls4ml, every precision set by hand.

    Raises:
        KeyError: a layer that the rule does not know.
    """
    from flow.peers.hand_set import hand_set

    return _stock(model, folder, hand_set(model))


def stock_default(model: Any, folder: Path) -> Any:
    """A model of stock quantizers through stock hls4ml, with the configuration that it proposes."""
    return _stock(model, folder, _default_config(model))


def _stock(model: Any, folder: Path, hls_config: Any, bit_exact: bool | None = None) -> Any:
    from hls4ml.converters import convert_from_keras_model

    return convert_from_keras_model(
        model,
        hls_config=hls_config,
        backend="Vitis",
        io_type=IO_TYPE,
        output_dir=str(folder),
        bit_exact=bit_exact,
    )


def _default_config(model: Any) -> Any:
    from hls4ml.utils import config_from_keras_model

    return config_from_keras_model(model, granularity="name", backend="Vitis")


def _default(problem: Problem, folder: Path) -> Any:
    return stock_default(problem.model, folder)


def _bit_exact(problem: Problem, folder: Path) -> Any:
    return _stock(problem.model, folder, _default_config(problem.model), bit_exact=True)


def _hand_set(problem: Problem, folder: Path) -> Any:
    return stock_hand_set(problem.model, folder)


def _shift(problem: Problem, folder: Path) -> Any:
    from hls4ml.converters import convert_from_keras_model

    from flow.emit.hls4ml_backend import keras_network

    return convert_from_keras_model(
        keras_network(problem.frozen),
        backend="Shift",
        engine="vitis",
        io_type=IO_TYPE,
        output_dir=str(folder),
    )


FLOWS: dict[str, Flow] = {
    "default": _default,
    "bit_exact": _bit_exact,
    "hand-set": _hand_set,
    OURS: _shift,
}
