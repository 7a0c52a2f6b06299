"""Activation quantizers as types of codes."""

from __future__ import annotations

from typing import Any

import numpy as np

from flow.graph.arithmetic import quantise_input
from flow.graph.types import Rounding, TensorType

OWN = "quantized_bits_featuremap"


def quantizer_problem(quantizer: Any) -> str | None:
    """Why an activation quantizer cannot become integers; None: it can."""
    from models.quantizers import stock

    if type(quantizer).__name__ != OWN:
        return stock.activation_problem(quantizer)
    if quantizer.alpha != "auto_po2":
        return f"has alpha={quantizer.alpha!r}; the hardware path supports alpha='auto_po2'"
    return None


def is_table(quantizer: Any) -> bool:
    """Whether the quantizer computes a function besides rounding."""
    from models.quantizers import stock

    return type(quantizer).__name__ in stock.TABLES


def is_calibrated(quantizer: Any) -> bool:
    """Whether its range is known."""
    return bool(getattr(quantizer, "calibrated", True))


def exported(quantizer: Any) -> Any:
    """The integers (`FeatureMapCodes`) of a supported, calibrated quantizer."""
    from models.quantizers import stock

    own = type(quantizer).__name__ == OWN
    return quantizer.export() if own else stock.activation_codes(quantizer)


def rounding(quantizer: Any) -> Rounding:
    """How the quantizer rounds."""
    return Rounding(exported(quantizer).rounding)


def tensor_type(quantizer: Any, relu: bool = False, ceiling: float | None = None) -> TensorType:
    """The codes behind a quantizer; a ReLU before it raises `lo`, its ceiling lowers `hi`."""
    codes = exported(quantizer)
    plain = TensorType(
        codes.bits, codes.signed, codes.scale_exp, codes.zero_point, codes.lo, codes.hi
    )
    return after_relu(plain, rounding(quantizer), ceiling) if relu else plain


def after_relu(plain: TensorType, how: Rounding, ceiling: float | None) -> TensorType:
    """The type with the codes that a ReLU (ReLU6: ceiling 6) leaves."""
    hi = plain.hi if ceiling is None else int(quantise_input(np.array(ceiling), plain, how))
    return TensorType(
        plain.bits, plain.signed, plain.scale_exp, plain.zero_point,
        max(plain.lo, plain.zero_point), hi,
    )  # fmt: skip
