"""Choose PE, SIMD and stream widths of one layer for a target initiation interval."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flow.errors import PlanError
from flow.graph.types import AveragePool, Kind, MatVec, MaxPool
from flow.plan._remedies import RAISE_CYCLES, layer_setting
from flow.plan.hwplan import CycleEstimate

Windowed = MatVec | AveragePool | MaxPool

STREAM_MARGIN = 1.25  # elements per beat over the average need, so that a stream is never the limit


@dataclass(frozen=True, slots=True)
class Override:
    """A user's choice for one layer; None leaves it to the planner."""

    pe: int | None = None
    simd: int | None = None
    products: str | None = None


@dataclass(frozen=True, slots=True)
class Fold:
    """One way to fold a layer.

    `word_elems` channels move per cycle through the window generator; `simd` of them are gathered
    into one MAC beat. A window that is gathered whole (simd == K) is read from memory once and
    replayed from a register, any other is read again for every group of `pe` outputs.
    """

    pe: int
    simd: int
    word_elems: int
    lanes: int
    windowed: bool
    cycles: CycleEstimate

    @property
    def multipliers(self) -> int:
        """Products per cycle."""
        return self.pe * self.simd


def fold(node: Windowed, in_elems: int, ii_cycles: int, override: Override = Override()) -> Fold:
    """The cheapest fold of `node` that meets `ii_cycles`; an override of both may be slower.

    Args:
        in_elems: elements per beat that the layer before sends.

    Raises:
        PlanError: a value does not divide, or no fold is fast enough.
    """
    candidates = list(_candidates(node, in_elems, ii_cycles))
    chosen = [c for c in candidates if _matches(c, override)]
    if not chosen:
        raise PlanError(_does_not_divide(node, candidates, override))
    fast = [c for c in chosen if c.cycles.bound <= ii_cycles]
    if not fast:
        best = min(chosen, key=lambda c: (c.cycles.bound, _cost(c)))
        if override.pe is not None and override.simd is not None:
            return best
        raise PlanError(
            f"layer {node.name!r} cannot reach an initiation interval of {ii_cycles} cycles; its "
            f"fastest fold (PE={best.pe}, SIMD={best.simd}) needs {best.cycles.bound}.\n"
            f"  {RAISE_CYCLES}."
        )
    return min(fast, key=_cost)


def reachable_cycles(node: Windowed) -> set[int]:
    """Cycles per frame of every fold of a layer that is fed one element per beat."""
    return {candidate.cycles.bound for candidate in _candidates(node, 1, 1)}


def _candidates(node: Windowed, in_elems: int, ii_cycles: int) -> Iterator[Fold]:
    groups = node.groups if isinstance(node, MatVec) else 1
    for word_elems in divisors(node.in_shape[2] // groups):
        if not converts(in_elems, word_elems):
            continue
        if not isinstance(node, MatVec) or node.kind is Kind.DEPTHWISE:
            yield _channelwise(node, word_elems, in_elems, ii_cycles)
        else:
            yield from _dense(node, word_elems, in_elems, ii_cycles)


def converts(elems: int, other: int) -> bool:
    """Whether a width converter exists: one width must divide the other."""
    return elems % other == 0 or other % elems == 0


def _channelwise(node: Windowed, pe: int, in_elems: int, ii_cycles: int) -> Fold:
    """Depthwise layers and pools: PE channels in parallel, one tap per cycle."""
    pixels = node.out_shape[0] * node.out_shape[1]
    words = pixels * (node.out_shape[2] // pe) * node.window.taps
    lanes = _lanes(node, pe, ii_cycles) if isinstance(node, MatVec) else pe
    in_width = min(in_elems, pe)
    return Fold(pe, 1, pe, lanes, True, _cycles(node, words, words, in_width, lanes))


def _dense(node: MatVec, word_elems: int, in_elems: int, ii_cycles: int) -> Iterator[Fold]:
    """Layers that sum over channels: any SIMD that gathers whole words and divides K.

    PE divides the outputs of a group of channels; a window is read for each group by itself.
    """
    total = node.fan_in
    pixels = node.out_shape[0] * node.out_shape[1]
    point = node.window.taps == 1 and (node.window.stride_h, node.window.stride_w) == (1, 1)
    for gathered in divisors(total // word_elems):
        simd = word_elems * gathered
        whole = simd == total
        windowed = not (whole and point and gathered == 1)
        for pe in divisors(node.out_shape[2] // node.groups):
            folds = node.out_shape[2] // pe
            words = pixels * (total // word_elems) * (node.groups if whole else folds)
            lanes = _lanes(node, pe, ii_cycles)
            compute = pixels * folds * (total // simd)
            in_width = min(in_elems, word_elems)
            cycles = _cycles(node, compute, words if windowed else 0, in_width, lanes)
            yield Fold(pe, simd, word_elems, lanes, windowed, cycles)


def _cycles(node: Windowed, compute: int, window: int, in_width: int, lanes: int) -> CycleEstimate:
    """`in_width`: elements per cycle at the narrowest place between the input and the window."""
    inputs = node.in_shape[0] * node.in_shape[1] * node.in_shape[2]
    outputs = node.out_shape[0] * node.out_shape[1] * node.out_shape[2]
    return CycleEstimate(
        compute=compute,
        window=window,
        input_beats=-(-inputs // in_width),
        output_beats=outputs // lanes,
    )


def _lanes(node: Windowed, pe: int, ii_cycles: int) -> int:
    """Fewest requantisation lanes that divide PE and keep up with the target."""
    outputs = node.out_shape[0] * node.out_shape[1] * node.out_shape[2]
    return next((n for n in divisors(pe) if outputs // n <= ii_cycles), pe)


def _cost(candidate: Fold) -> tuple[int, int, int, int, int]:
    """Fewest multipliers first, then the fewest accumulators, lanes, gather registers."""
    return (
        candidate.multipliers,
        candidate.pe,
        candidate.lanes,
        int(candidate.windowed),
        candidate.word_elems,
    )


def _matches(candidate: Fold, override: Override) -> bool:
    return override.pe in (None, candidate.pe) and override.simd in (None, candidate.simd)


def _does_not_divide(node: Windowed, candidates: list[Fold], override: Override) -> str:
    for label, value, size in (
        ("pe", override.pe, node.out_shape[2]),
        ("simd", override.simd, node.fan_in if isinstance(node, MatVec) else 1),
    ):
        choices = sorted({getattr(c, label) for c in candidates})
        if value is not None and value not in choices:
            what = {"pe": "output channels", "simd": "K"}[label]
            return (
                f"layer {node.name!r}: {label.upper()}={value} does not divide {what}={size} "
                "in a way that the streams support.\n"
                f"  Choose one of {', '.join(map(str, choices))}: "
                f"{layer_setting(node.name, label)}."
            )
    return (
        f"layer {node.name!r}: PE={override.pe} and SIMD={override.simd} do not go together.\n"
        "  Give only one of them, and let the planner choose the other: "
        f"{layer_setting(node.name)}."
    )


def stream_elems(channels: int, elements: int, ii_cycles: int) -> int:
    """Elements per beat of the input stream: the fewest that divide `channels` and keep up."""
    need = STREAM_MARGIN * elements / ii_cycles
    return next((n for n in divisors(channels) if n >= need), channels)


def divisors(number: int) -> list[int]:
    """All divisors, the smallest first."""
    return [n for n in range(1, number + 1) if number % n == 0]
