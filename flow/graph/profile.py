"""What the codes of a network really use: ranges seen on samples beside the widths provided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import TypeAdapter, ValidationError

from flow.errors import DataError
from flow.graph.arithmetic import accumulator_bits, signed_bits
from flow.graph.engine import Engine, check_observed
from flow.graph.observe import Seen, ends, observe
from flow.graph.types import IntArray, IntGraph, MatVec, Node, TensorType

CHECKED = 2  # samples that the reference observes as well


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
    graph: IntGraph,
    codes: IntArray,
    progress: Callable[[int, int], None] | None = None,
    engine: Engine | None = None,
) -> Profile:
    """Run the network on input codes [n, h, w, c] and note the range of every tensor.

    The fast engine runs them all, the reference a few of them.

    Args:
        progress: called with (samples done, samples in all) after each batch.
        engine: of the same graph, where there is one already.

    Raises:
        DataError: shape or values do not fit the graph's input.
        Mismatch: engine and reference differ on the few.
        ToolMissing, FlowError: see `Engine`.
    """
    engine = engine or Engine(graph)
    spread = np.linspace(0, len(codes) - 1, min(len(codes), CHECKED)).astype(int)
    check_observed(engine, codes[spread])
    return _profile(graph, codes, engine.observe(codes, progress))


def reference_profile(graph: IntGraph, codes: IntArray) -> Profile:
    """The same, all of it by the reference.

    Raises:
        DataError: as `profile`.
    """
    return _profile(graph, codes, observe(graph, codes))


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


def _profile(graph: IntGraph, codes: IntArray, seen: Mapping[str, Seen]) -> Profile:
    tensor = graph.input_type
    span = value_range(*ends(codes), tensor.bits, tensor.signed)
    return Profile(
        len(codes),
        _activations(tensor, span, codes.size, None, None),
        tuple(_layer(node, seen[node.name]) for node in graph.nodes),
    )


def _layer(node: Node, seen: Seen) -> LayerProfile:
    span = value_range(*seen.codes, node.y.bits, node.y.signed)
    relu = node.y.lo == node.y.zero_point
    low, high = seen.clipped
    y = _activations(node.y, span, seen.values, None if relu else low, high)
    if not isinstance(node, MatVec):
        return LayerProfile(node.name, None, None, None, y)
    assert seen.acc is not None
    weights = node.weights
    return LayerProfile(
        node.name,
        value_range(*ends(weights), node.weight_bits, signed=True),
        float((weights == 0).mean()),
        value_range(*seen.acc, accumulator_bits(node), signed=True),
        y,
    )


def _activations(
    tensor: TensorType, seen: Range, values: int, low: int | None, high: int | None
) -> Activations:
    return Activations(
        seen, tensor.scale_exp, tensor.zero_point, tensor.lo, tensor.hi, values, low, high
    )
