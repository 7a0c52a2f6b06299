"""What the codes of a network really use: ranges seen on samples beside the widths provided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from flow.errors import DataError
from flow.graph.accumulate import accumulate
from flow.graph.arithmetic import accumulator_bits, clip, signed_bits
from flow.graph.reference import BATCH, check_codes, unclipped
from flow.graph.types import IntArray, IntGraph, MatVec, Node, TensorType


@dataclass(frozen=True, slots=True)
class Range:
    """Integers between `low` and `high` in a word of `bits`, of which the top `unused_bits` repeat.

    Without them every value seen would still fit.
    """

    bits: int
    signed: bool
    low: int
    high: int
    unused_bits: int


@dataclass(frozen=True, slots=True)
class Activations:
    """Codes of one tensor on all samples; real value = (code - zero_point) * 2**scale_exp.

    `clipped_low` and `clipped_high` count the values that requantisation cut to `lo` and `hi`;
    None: not a saturation but the ReLU (low end), or not known (the network's input, which the host
    clips).
    """

    seen: Range
    scale_exp: int
    zero_point: int
    lo: int
    hi: int
    values: int
    clipped_low: int | None
    clipped_high: int | None


@dataclass(frozen=True, slots=True)
class LayerProfile:
    """One layer; `weights`, `zero_weights` (a share) and `acc` are None for a pool."""

    name: str
    weights: Range | None
    zero_weights: float | None
    acc: Range | None
    y: Activations


@dataclass(frozen=True, slots=True)
class Profile:
    """All tensors of a network on `samples` samples."""

    samples: int
    input: Activations
    layers: tuple[LayerProfile, ...]


def profile(
    graph: IntGraph, codes: IntArray, progress: Callable[[int, int], None] | None = None
) -> Profile:
    """Run the network on input codes [n, h, w, c] and note the range of every tensor.

    Args:
        progress: called with (samples done, samples in all) after each batch.

    Raises:
        DataError: shape or values do not fit the graph's input.
    """
    check_codes(graph, codes)
    watched = {node.name: _Watched() for node in graph.nodes}
    for start in range(0, len(codes), BATCH):
        taps = {graph.input_name: codes[start : start + BATCH].astype(np.int64)}
        for node in graph.nodes:
            sums = accumulate(node, *(taps[source] for source in node.sources))
            values = unclipped(node, sums)
            taps[node.name] = clip(values, node.y)
            watched[node.name].add(sums, values, taps[node.name], node.y)
        if progress is not None:
            progress(min(start + BATCH, len(codes)), len(codes))
    tensor = graph.input_type
    seen = value_range(int(codes.min()), int(codes.max()), tensor.bits, tensor.signed)
    return Profile(
        len(codes),
        _activations(tensor, seen, codes.size, None, None),
        tuple(_layer(node, watched[node.name]) for node in graph.nodes),
    )


def save_profile(found: Profile, path: Path) -> None:
    """Write the profile as JSON."""
    path.write_bytes(TypeAdapter(Profile).dump_json(found, indent=1) + b"\n")


def load_profile(path: Path) -> Profile:
    """Read what `save_profile` wrote; raises DataError when it is missing or damaged."""
    try:
        return TypeAdapter(Profile).validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"the profile {path} cannot be read: {error}.\n"
            "  Rerun the evaluate stage (--from evaluate)."
        ) from error


def value_range(low: int, high: int, bits: int, signed: bool) -> Range:
    """The range low..high in words of this width and sign."""
    needed = signed_bits(low, high) if signed else max(high.bit_length(), 1)
    return Range(bits, signed, low, high, bits - needed)


class _Watched:
    """Extremes and clipped values of one layer, batch by batch."""

    def __init__(self) -> None:
        self.sums: list[int] = []
        self.codes: list[int] = []
        self.count = self.clipped_low = self.clipped_high = 0

    def add(self, sums: IntArray, values: IntArray, codes: IntArray, tensor: TensorType) -> None:
        self.sums += [int(sums.min()), int(sums.max())]
        self.codes += [int(codes.min()), int(codes.max())]
        self.count += codes.size
        self.clipped_low += int((values < tensor.lo).sum())
        self.clipped_high += int((values > tensor.hi).sum())


def _layer(node: Node, watched: _Watched) -> LayerProfile:
    seen = value_range(min(watched.codes), max(watched.codes), node.y.bits, node.y.signed)
    relu = node.y.lo == node.y.zero_point
    y = _activations(
        node.y, seen, watched.count, None if relu else watched.clipped_low, watched.clipped_high
    )
    if not isinstance(node, MatVec):
        return LayerProfile(node.name, None, None, None, y)
    weights = node.weights
    return LayerProfile(
        node.name,
        value_range(int(weights.min()), int(weights.max()), node.weight_bits, signed=True),
        float((weights == 0).mean()),
        value_range(min(watched.sums), max(watched.sums), accumulator_bits(node), signed=True),
        y,
    )


def _activations(
    tensor: TensorType, seen: Range, values: int, low: int | None, high: int | None
) -> Activations:
    return Activations(
        seen, tensor.scale_exp, tensor.zero_point, tensor.lo, tensor.hi, values, low, high
    )
