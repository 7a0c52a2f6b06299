"""What the codes of weights really use: bits and zeros beside the widths provided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flow.graph.profile import value_range
from flow.graph.types import IntArray, IntGraph, MatVec


@dataclass(frozen=True, slots=True)
class TensorUse:
    """Codes of one tensor: `used_bits` is the least signed width that holds all of them.

    `bits` is the width of its quantizer (25 for a float32 bias), `zeros` a share (0 to 1).
    """

    layer: str
    tensor: str  # kernel or bias
    values: int
    bits: int
    used_bits: int
    zeros: float


def weight_use(graph: IntGraph) -> tuple[TensorUse, ...]:
    """Every kernel and bias, in the graph's order; a layer without a bias has no line for it."""
    return tuple(_uses(graph))


def _uses(graph: IntGraph) -> Iterator[TensorUse]:
    for node in graph.nodes:
        if not isinstance(node, MatVec):
            continue
        yield _use(node.name, "kernel", node.weights, node.weight_bits)
        if node.bias_bits:
            yield _use(node.name, "bias", node.bias, node.bias_bits)


def _use(layer: str, tensor: str, codes: IntArray, bits: int) -> TensorUse:
    used = value_range(int(codes.min()), int(codes.max()), bits, signed=True)
    zeros = float((codes == 0).mean())
    return TensorUse(layer, tensor, int(codes.size), bits, bits - used.unused_bits, zeros)
