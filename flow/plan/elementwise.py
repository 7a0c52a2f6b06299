"""The hardware unit of a node that treats elements one by one, joins tensors, repeats pixels or
shuffles channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd

from flow.errors import PlanError
from flow.graph.arithmetic import accumulator_bits
from flow.graph.types import (
    Add,
    ChannelShuffle,
    Concat,
    Multiply,
    Rescale,
    Shape,
    Table,
    TensorType,
    Upsample,
)
from flow.plan._remedies import RAISE_CYCLES, layer_setting
from flow.plan.cost import ElementwiseParts, estimate_elementwise
from flow.plan.fold import Override, converts, divisors
from flow.plan.hwplan import CycleEstimate, UnitPlan
from flow.plan.requant import requant_spec
from flow.plan.unit import FIFO_DEPTH, LUT_ONLY_PRODUCT_BITS

Elementwise = Add | Multiply | Concat | Rescale | Table | Upsample | ChannelShuffle
MOST_PICKED = 8  # elements of a shuffle's beat; each is picked from a copy of the pixel


@dataclass(frozen=True, slots=True)
class Lanes:
    """One width of a unit: `lanes` output elements per beat, and what that takes."""

    lanes: int
    cycles: CycleEstimate


def plan_elementwise(
    node: Elementwise, in_elems: tuple[int, ...], ii_cycles: int, override: Override
) -> UnitPlan:
    """Plan one node with the fewest lanes that meet `ii_cycles`; `override.pe` may be slower.

    Args:
        in_elems: elements per beat of each input, as the layers before send them.

    Raises:
        PlanError: the override does not divide, or no width is fast enough.
    """
    chosen = _choose(node, in_elems, ii_cycles, override)
    lanes = chosen.lanes
    requant = requant_spec(node, lanes) if isinstance(node, Add | Multiply | Rescale) else None
    return UnitPlan(
        name=node.name,
        kind=node.kind,
        macs=node.macs,
        w_bits=0,
        x_bits=max(x.bits for x in node.x_types),
        y_bits=node.y.bits,
        acc_bits=accumulator_bits(node),
        in_elems=in_elems[0],
        window=None,
        x_elems=input_words(node, lanes)[0],
        repeat=1,
        pe=lanes,
        simd=1,
        lanes=lanes,
        mac=None,
        requant=requant,
        pool=None,
        products="lut" if _narrow(node.x_types) else "dsp",
        weight_rom="block",
        in_beats=_size(node.in_shapes[0]) // in_elems[0],
        out_beats=_size(node.out_shape) // lanes,
        fifo_depth=FIFO_DEPTH,
        cycles=chosen.cycles,
        resources=estimate_elementwise(_parts(node, lanes)),
    )


def input_words(node: Elementwise, lanes: int) -> tuple[int, ...]:
    """Elements per beat of each input in front of the operation.

    A concatenation takes its inputs in turn, `lanes` at a time, or a whole pixel of each at once.
    """
    if isinstance(node, Concat) and lanes == node.out_shape[2]:
        return tuple(shape[2] for shape in node.in_shapes)
    return (lanes,) * len(node.in_shapes)


def widths(node: Elementwise, in_elems: tuple[int, ...]) -> list[Lanes]:
    """Every width whose streams can be converted, the narrowest first; there is at least one."""
    if isinstance(node, Concat):
        channels = [shape[2] for shape in node.in_shapes]
        choices = [*divisors(gcd(*channels)), node.out_shape[2]]
    elif isinstance(node, ChannelShuffle):
        whole = node.out_shape[2]  # needs wires only
        choices = [n for n in divisors(whole) if n <= MOST_PICKED or n == whole]
    else:
        choices = divisors(node.out_shape[2])
    return [
        Lanes(lanes, _cycles(node, lanes, in_elems))
        for lanes in choices
        if all(map(converts, in_elems, input_words(node, lanes)))
    ]


def _choose(
    node: Elementwise, in_elems: tuple[int, ...], ii_cycles: int, override: Override
) -> Lanes:
    found = widths(node, in_elems)
    if override.simd not in (None, 1) or override.pe not in (None, *(w.lanes for w in found)):
        raise PlanError(
            f"layer {node.name!r}: PE={override.pe} and SIMD={override.simd} cannot be kept; a "
            f"layer of kind {node.kind.value!r} has no SIMD, and its streams support these PE: "
            f"{', '.join(str(w.lanes) for w in found)}.\n"
            f"  Correct {layer_setting(node.name)}."
        )
    if override.pe is not None:
        return next(w for w in found if w.lanes == override.pe)
    fast = [w for w in found if w.cycles.bound <= ii_cycles]
    if fast:
        return fast[0]
    best = min(found, key=lambda w: w.cycles.bound)
    raise PlanError(
        f"layer {node.name!r} cannot reach an initiation interval of {ii_cycles} cycles; its "
        f"fastest width (PE={best.lanes}) needs {best.cycles.bound}.\n"
        f"  {RAISE_CYCLES}."
    )


def _cycles(node: Elementwise, lanes: int, in_elems: tuple[int, ...]) -> CycleEstimate:
    words = input_words(node, lanes)
    inputs = [
        -(-_size(shape) // min(elems, word))
        for shape, elems, word in zip(node.in_shapes, in_elems, words, strict=True)
    ]
    outputs = _size(node.out_shape) // lanes
    return CycleEstimate(outputs + _head_beats(node, lanes), 0, max(inputs), outputs)


def _head_beats(node: Elementwise, lanes: int) -> int:
    """Beats that are read before the first one is written."""
    if vector_second(node):
        return _size(node.in_shapes[1]) // lanes
    return pixel_beats(node, lanes) if isinstance(node, ChannelShuffle) else 0


def pixel_beats(node: ChannelShuffle, lanes: int) -> int:
    """Beats of a pixel that must be there before one of them can go out; none of a whole pixel."""
    beats = node.in_shape[2] // lanes
    return beats if beats > 1 else 0


def vector_second(node: Elementwise) -> bool:
    """Whether the node multiplies a map by a vector of its channels."""
    return isinstance(node, Multiply) and node.in_shapes[0] != node.in_shapes[1]


def _parts(node: Elementwise, lanes: int) -> ElementwiseParts:
    requants = [requant_spec(node, lanes)] if isinstance(node, Add | Multiply | Rescale) else []
    if isinstance(node, Concat):
        requants = [
            requant_spec(part, words)
            for part, words in zip(parts_of(node), input_words(node, lanes), strict=True)
            if part.x != part.y
        ]
    adders = len(node.in_shapes) - 1 if isinstance(node, Add) else 0
    pixel = node.out_shape[2] // lanes
    picked = pixel_beats(node, lanes) if isinstance(node, ChannelShuffle) else 0
    return ElementwiseParts(
        requants=tuple(requants),
        adder_bits=adders * lanes * accumulator_bits(node),
        products=lanes if isinstance(node, Multiply) and not _narrow(node.x_types) else 0,
        lut_products=lanes if isinstance(node, Multiply) and _narrow(node.x_types) else 0,
        operand_bits=(node.x_types[0].bits + 1, node.x_types[-1].bits + 1),
        table_words=len(node.table) if isinstance(node, Table) else 0,
        table_bits=lanes * node.y.bits,
        row_words=pixel * node.in_shape[1] if isinstance(node, Upsample) else 0,
        row_bits=lanes * node.y.bits,
        picked_words=picked,
        picked_lanes=lanes,
        picked_bits=node.y.bits,
        fifo_bits=FIFO_DEPTH * lanes * node.y.bits,
    )


def parts_of(node: Concat) -> tuple[Rescale, ...]:
    """Each input of a concatenation as a node of its own, which brings it to the output's type.

    A part may share no left shift with the others, which changes no result (`fold_requant`).
    """
    inputs = zip(node.sources, node.in_shapes, node.x_types, strict=True)
    return tuple(
        Rescale(node.name, source, shape, x, node.y, node.rounding) for source, shape, x in inputs
    )


def _narrow(types: tuple[TensorType, ...]) -> bool:
    return types[0].bits * types[-1].bits <= LUT_ONLY_PRODUCT_BITS


def _size(shape: Shape) -> int:
    return shape[0] * shape[1] * shape[2]
