"""First rung of the checking ladder on samples: integers against QKeras, at every layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flow.data import Samples, pick_frames
from flow.errors import Mismatch
from flow.graph import IntGraph, map_input, run_taps
from flow.progress import counter

# Codes are compared with QKeras layer by layer on so many frames: what the reference can do in a
# minute or two (4e9 MACs: 512 of kws, 320 of ic, 56 of vww_effnet), and no more than tells more.
COMPARED_FRAMES = 512
COMPARED_MACS = 4_000_000_000
COMPARED_AT_ONCE = 16  # bounds the memory that codes of all layers take
FRAME_SEED = 1


@dataclass(frozen=True, slots=True)
class Equality:
    """Codes of one layer that were compared with QKeras; none differed."""

    name: str
    compared: int


def drawn_frames(graph: IntGraph, frames: Samples) -> Samples:
    """The frames that are compared layer by layer: all, or some of each label by a seed."""
    count = min(COMPARED_FRAMES, max(COMPARED_MACS // max(graph.macs, 1), 1), len(frames.y))
    chosen = pick_frames(frames, count, FRAME_SEED)
    return replace(frames, x=frames.x[chosen], y=frames.y[chosen])


def layer_equality(
    graph: IntGraph,
    frames: Samples,
    network: Any,
    to_real: Callable[[NDArray[Any]], NDArray[np.float32]],
) -> tuple[Equality, ...]:
    """Compare the integer reference with QKeras at every layer, on all these frames.

    Args:
        to_real: raw frames [n, h, w, c] to the network's float input of the same shape.

    Raises:
        Mismatch: a layer's integers differ from QKeras; the first index is the frame's number, the
            counts are of the frames that are compared at once.
    """
    from flow.frontend.equality import check_equality

    compared: dict[str, int] = {}
    progress = counter("equal to QKeras, samples")
    for start in range(0, len(frames.y), COMPARED_AT_ONCE):
        raw = frames.x[start : start + COMPARED_AT_ONCE]
        taps = run_taps(graph, map_input(graph, raw))
        try:
            layers = check_equality(network, graph, taps, to_real(raw))
        except Mismatch as error:
            raise error.in_whole(start) from None
        for layer in layers:
            compared[layer.name] = compared.get(layer.name, 0) + layer.compared
        progress(start + len(raw), len(frames.y))
    return tuple(Equality(name, count) for name, count in compared.items())
