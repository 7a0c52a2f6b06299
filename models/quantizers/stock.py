"""QKeras' own quantizers (0.9.0) as integers: what their forward pass gives, exactly.

`quantized_bits` and `quantized_relu` return x + (xq - x), which in float32 may miss xq by a
rounding. xq is what is meant and what is read here: a quantizer is called with `use_ste` off.
"""

import copy
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike, NDArray

from models.quantizers.codes import FeatureMapCodes, NotFrozen, QuantizerError, WeightCodes

# Thresholds of wider codes need all 24 bits of float32, in which QKeras computes.
MAX_ACTIVATION_BITS = 22
SIGNS = ("binary", "ternary")
TABLES = ("quantized_tanh", "quantized_sigmoid", "quantized_hswish", *SIGNS)
ACTIVATIONS = ("quantized_bits", "quantized_relu", *TABLES)
WEIGHTS = ("quantized_bits", *SIGNS)
REMEDIES = {  # of quantizers that are no functions of their input
    "stochastic_binary": "draws its values by chance; use binary",
    "stochastic_ternary": "draws its values by chance; use ternary",
    "bernoulli": "draws its values by chance; use binary",
}
_FLOAT32_CODE_BITS = 22  # of weights; wider formats are not expected to fill theirs
_OFF_GRID = 2.0**-16  # of a code: far above float32's rounding, far below a wrong code


def activation_problem(quantizer: Any) -> str | None:
    """Say why an activation quantizer of QKeras has no exact integers; None: it has."""
    kind = type(quantizer).__name__
    if kind in REMEDIES:
        return f"is a {kind}, which {REMEDIES[kind]}"
    if kind not in ACTIVATIONS:
        return f"is a {kind}; supported: quantized_bits_featuremap, {', '.join(ACTIVATIONS)}"
    if kind in SIGNS:
        return _scale_problem(quantizer) or random_problem(quantizer)
    problem = width_problem(quantizer)
    if problem:
        return problem
    signed = int(kind != "quantized_relu" and bool(getattr(quantizer, "keep_negative", True)))
    if not 1 + signed <= quantizer.bits <= MAX_ACTIVATION_BITS:
        return f"has bits={quantizer.bits}; {1 + signed} to {MAX_ACTIVATION_BITS} are supported"
    problem = _scale_problem(quantizer)
    if kind == "quantized_relu":
        problem = problem or _relu_problem(quantizer)
    return problem or random_problem(quantizer)


def weight_problem(quantizer: Any) -> str | None:
    """Say why a weight quantizer of QKeras has no exact integers; None: it has."""
    kind = type(quantizer).__name__
    if kind in REMEDIES:
        return f"is {kind}, which {REMEDIES[kind]}"
    if kind not in WEIGHTS:
        return f"is {kind}; supported: quantized_bits_po2, {', '.join(WEIGHTS)}"
    problem = None if kind in SIGNS else width_problem(quantizer)
    if problem:
        return problem
    if isinstance(quantizer.alpha, str) and quantizer.bits < 2 and kind == "quantized_bits":
        return f"has bits={quantizer.bits} with alpha={quantizer.alpha!r}; use binary"
    return random_problem(quantizer)


def width_problem(quantizer: Any) -> str | None:
    """Say whether `bits` and `integer` are such that QKeras computes with them."""
    for name in ("bits", "integer"):
        value = float(getattr(quantizer, name, 0))
        if value % 1:
            return f"has {name}={value:g}; whole numbers are supported"
        if value < 0:  # QKeras takes an integer to a negative power, which TensorFlow refuses
            return f"has {name}={value:g}; QKeras computes with 0 or more"
    return None


def random_problem(quantizer: Any) -> str | None:
    """Say whether the quantizer is no function of its input."""
    if getattr(quantizer, "use_stochastic_rounding", False):
        return "rounds stochastically; use_stochastic_rounding=False is supported"
    noise = float(getattr(quantizer, "qnoise_factor", 1.0))
    if noise != 1.0:
        return f"has qnoise_factor={noise}: it does not quantize wholly; 1.0 is supported"
    return None


def _scale_problem(quantizer: Any) -> str | None:
    alpha = getattr(quantizer, "alpha", None)
    if isinstance(alpha, str):
        return (
            f"has alpha={alpha!r}: a scale for each input; use alpha=1, or "
            "quantized_bits_featuremap, which learns one"
        )
    if alpha is not None and not np.all(np.asarray(alpha) == 1):
        return f"has alpha={alpha}; 1 is supported"
    return None


def _relu_problem(quantizer: Any) -> str | None:
    if quantizer.use_sigmoid:
        return "has use_sigmoid=1; 0 is supported"
    if quantizer.negative_slope:
        return f"has negative_slope={quantizer.negative_slope}; 0 is supported"
    bound = None if quantizer.is_quantized_clip else quantizer.relu_upper_bound
    if bound is not None and not (bound * 2.0 ** (quantizer.bits - int(quantizer.integer))) >= 1:
        return f"has relu_upper_bound={bound}, less than its step"
    if bound is not None and bound * 2.0 ** (quantizer.bits - int(quantizer.integer)) % 1:
        return f"has relu_upper_bound={bound}, which is no multiple of its step"
    return None


def activation_codes(quantizer: Any) -> FeatureMapCodes:
    """Integers of a supported activation quantizer."""
    kind, bits = type(quantizer).__name__, int(quantizer.bits)
    if kind == "quantized_relu":
        exponent, hi = int(quantizer.integer) - bits, 2**bits - 1
        if not quantizer.is_quantized_clip and quantizer.relu_upper_bound is not None:
            hi = min(hi, int(quantizer.relu_upper_bound * 2.0**-exponent))
        return FeatureMapCodes(bits, False, exponent, 1, 0, 0, hi, "half_even")
    if kind in SIGNS:
        unsigned = bool(getattr(quantizer, "use_01", False))
        return FeatureMapCodes(2 - unsigned, not unsigned, 0, 1, 0, int(unsigned) - 1, 1)
    if kind == "quantized_sigmoid":
        return FeatureMapCodes(bits, False, -bits, 1, 0, 0, 2**bits - 1, "half_even")
    signed = kind == "quantized_tanh" or bool(quantizer.keep_negative)
    integer = 0 if kind == "quantized_tanh" else int(quantizer.integer)
    top = 2 ** (bits - signed)
    lo = (int(quantizer.symmetric) - top) if signed else 0
    return FeatureMapCodes(bits, signed, integer - bits + signed, 1, 0, lo, top - 1, "half_even")


def without_ste(quantizer: Any) -> Any:
    """Return a copy that gives the quantized value itself, not x + (xq - x)."""
    plain = copy.copy(quantizer)
    if hasattr(plain, "use_ste"):
        plain.use_ste = False
    return plain


def activation_values(quantizer: Any, values: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return what a supported activation quantizer means to give for float32 values."""
    result = np.asarray(without_ste(quantizer)(tf.constant(values)), np.float64)
    if type(quantizer).__name__ in SIGNS:  # x + (xq - x), whatever is asked for
        return np.rint(result)
    return result


def weight_values(quantizer: Any, array: ArrayLike) -> NDArray[np.float64]:
    """Return the effective weights: what the quantizer makes of float32 weights, unrounded."""
    plain = without_ste(quantizer)
    values = np.asarray(plain(tf.constant(array, tf.float32)), np.float64)
    if hasattr(plain, "use_ste"):
        return values
    steps = weight_steps(quantizer, array)  # binary, ternary: sheer multiples of them
    return np.asarray(np.rint(values / steps) * steps)


def weight_steps(quantizer: Any, array: ArrayLike) -> NDArray[np.float64]:
    """Return the real values of code 1 for float weights, broadcastable to them; 1 where it is 0.

    Effective ones: the quantizer's scale times 2**(integer - bits + keep_negative).
    """
    plain = without_ste(quantizer)
    plain(tf.constant(array, tf.float32))
    steps = np.asarray(plain.scale, np.float64)
    unsigned_bits = plain.bits - bool(getattr(plain, "keep_negative", True))
    if type(plain).__name__ == "quantized_bits" and unsigned_bits > 0:
        steps = steps * 2.0 ** (int(plain.integer) - unsigned_bits)
    steps = np.where(steps == 0, 1.0, steps)
    return steps.reshape((1,) * (np.ndim(array) - steps.ndim) + steps.shape)


def weight_codes(quantizer: Any, array: ArrayLike, owner: str) -> WeightCodes:
    """Read codes and steps of a supported weight quantizer off its effective weights, once.

    Args:
        array: float weights; quantized ones would not be quantized to themselves.
        owner: for messages.

    Raises:
        NotFrozen: a step is no power of two.
        QuantizerError: weights are no multiples of their step.
    """
    values = weight_values(quantizer, array)
    step = np.broadcast_to(weight_steps(quantizer, array), values.shape)
    codes = np.rint(values / step)
    if (np.abs(values / step - codes) > _OFF_GRID * np.maximum(np.abs(codes), 1)).any():
        raise QuantizerError(
            f"{owner}: {type(quantizer).__name__} gives weights that are no multiples of its "
            "scale.\n  Report this model; QKeras 0.9.0 is what is supported."
        )
    mantissa, exponent = np.frexp(step)
    if (mantissa != 0.5).any():
        raise NotFrozen(
            f"{owner} has alpha={quantizer.alpha!r}: its scales are no powers of two.\n"
            "  Call models.quantizers.freeze_auto(model) first: it rounds every scale to an "
            "integer below 2**15 times a power of two."
        )
    return WeightCodes(
        codes.astype(np.int64),
        np.ones(values.shape, np.int64),
        exponent.astype(np.int64) - 1,
        max(int(quantizer.bits), 2),  # -1 and 1 need two bits
    )


def lost_bits(quantizer: Any, codes: NDArray[np.int64], array: ArrayLike) -> str | None:
    """Say what stock `auto_po2` lost: its logarithm's 1e-7 keeps the step above 2**(integer-23)."""
    if type(quantizer).__name__ != "quantized_bits" or quantizer.alpha != "auto_po2":
        return None
    bits, used = int(quantizer.bits), int(np.abs(codes).max(initial=0)).bit_length() + 1
    if used >= min(bits, _FLOAT32_CODE_BITS) - 1 or not np.any(array):
        return None
    effect = "every code is 0" if used == 1 else f"codes use {used} of {bits} bits"
    integer = int(quantizer.integer)
    remedy = "integer=0 keeps more" if integer > 0 else "fewer bits would do"
    return (
        f"quantized_bits({bits},{integer},alpha='auto_po2'): {effect}, because its step cannot be "
        f"below 2**{integer - 23}; {remedy}"
    )
