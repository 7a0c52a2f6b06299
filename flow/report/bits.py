"""Bit-widths beside the values that were seen: one row per layer, one cell per tensor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flow.report.formats import interval, number, ratio, share, shortened
from flow.report.tensors import INPUT

BIT_WIDTH = 8.0  # pixels, the gap to the next bit included
NAME_LENGTH = 40


@dataclass(frozen=True, slots=True)
class BitCell:
    """One tensor: bars in pixels, texts for people."""

    bits: int
    unused: int
    width: float
    used_width: float
    seen_start: float
    seen_width: float
    sign: str
    seen: str
    allowed: str
    scale: tuple[str, str] | None  # exponents of two, lowest and highest; None: not kept
    notes: tuple[str, ...]
    saturated: str  # empty: nothing was cut


@dataclass(frozen=True, slots=True)
class BitRow:
    """A layer's tensors; None where it has no such tensor."""

    anchor: str
    name: str
    href: str
    weights: BitCell | None
    acc: BitCell | None
    y: BitCell


def bit_rows(report: Mapping[str, Any]) -> tuple[BitRow, ...]:
    """The network's input and every layer."""
    first = BitRow("bits-input", INPUT, "", None, None, _codes(report["input"]["profile"], True))
    return (first, *map(_row, report["layers"]))


def _row(layer: Mapping[str, Any]) -> BitRow:
    found, name = layer["profile"], layer["name"]
    return BitRow(
        anchor=f"bits-{name}",
        name=shortened(name, NAME_LENGTH),
        href=f"#layer-{name}",
        weights=None if found["weights"] is None else _weights(found),
        acc=None if found["acc"] is None else _cell(found["acc"], *_representable(found["acc"])),
        y=_codes(found["y"], False),
    )


def _weights(found: Mapping[str, Any]) -> BitCell:
    weights = found["weights"]
    exponents = weights["scale_exp_low"], weights["scale_exp_high"]
    notes = (f"{share(found['zero_weights'])} zeros",)
    return _cell(weights, *_representable(weights), exponents=exponents, notes=notes)


def _codes(tensor: Mapping[str, Any], is_input: bool) -> BitCell:
    notes = [f"zero point {number(tensor['zero_point'])}"] if tensor["zero_point"] else []
    ends = ((tensor["clipped_low"], tensor["lo"]), (tensor["clipped_high"], tensor["hi"]))
    if tensor["clipped_low"] is None and not is_input:
        notes.append("ReLU")
    saturated = "; ".join(
        f"{number(count)} of {number(tensor['values'])} at {number(limit)} "
        f"({ratio(count, tensor['values'])})"
        for count, limit in ends
        if count
    )
    exponents = tensor["scale_exp"], tensor["scale_exp"]
    return _cell(
        tensor, tensor["lo"], tensor["hi"], exponents=exponents, notes=tuple(notes),
        saturated=saturated,
    )  # fmt: skip


def _cell(
    seen: Mapping[str, Any],
    lowest: int,
    highest: int,
    *,
    exponents: tuple[int, int] | None = None,
    notes: tuple[str, ...] = (),
    saturated: str = "",
) -> BitCell:
    width = seen["bits"] * BIT_WIDTH
    per_code = width / (highest - lowest + 1)
    return BitCell(
        bits=seen["bits"],
        unused=seen["unused_bits"],
        width=width,
        used_width=(seen["bits"] - seen["unused_bits"]) * BIT_WIDTH,
        seen_start=round((seen["low"] - lowest) * per_code, 2),
        seen_width=max(round((seen["high"] - seen["low"] + 1) * per_code, 2), 1.0),
        sign="signed" if seen["signed"] else "unsigned",
        seen=interval(seen["low"], seen["high"]),
        allowed=interval(lowest, highest),
        scale=None if exponents is None else (number(exponents[0]), number(exponents[1])),
        notes=notes,
        saturated=saturated,
    )


def _representable(seen: Mapping[str, Any]) -> tuple[int, int]:
    if seen["signed"]:
        return -(1 << (seen["bits"] - 1)), (1 << (seen["bits"] - 1)) - 1
    return 0, (1 << seen["bits"]) - 1
