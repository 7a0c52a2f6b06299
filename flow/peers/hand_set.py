"""The precisions that a knowledgeable user of hls4ml would set by hand, layer by layer, as a rule.

Only `hls_config` is touched: the documented way. Per layer name:

    input             the type of the first quantizer, rounding half to even, saturating
    dense, conv       weights and bias: the narrowest type that holds every effective value;
                      accumulator and result: wide enough for any sum, no bit cut off, and set
                      explicitly, so that hls4ml does not merge the quantizer behind into the layer
    <layer>_alpha     hls4ml's own layer that applies the scales of alpha='auto' and 'auto_po2':
                      scale as it is, result wide enough for every product and sum
    depthwise         hls4ml has no scale layer here, so its weights are the effective ones
    average pool      sum exact, quotient with so many more bits that no rounding behind it changes
    add               wide enough
    quantizer         its own width, RND_CONV (half to even), SAT, or SAT_SYM where it is symmetric

What no precision can set is left as hls4ml has it: the exponents' type of `auto_po2` scales.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.quantizers import stock

Floats = NDArray[np.float64]
Config = dict[str, Any]

QUOTIENT_GUARD_BITS = 8  # beyond the bits that tell any quotient from a tie
_SHAPES = ("Flatten", "Reshape")
_ALPHA_LAYERS = ("QDense", "QConv2D")  # those of which hls4ml factors the scales out


@dataclass(frozen=True, slots=True)
class Fixed:
    """ap_fixed or ap_ufixed with `integer` bits, the sign among them, and `fraction` bits."""

    integer: int
    fraction: int
    signed: bool = True
    modes: str = "TRN,WRAP"

    def __str__(self) -> str:
        width = max(self.integer + self.fraction, 1)
        kind = "fixed" if self.signed else "ufixed"
        return f"{kind}<{width},{self.integer},{self.modes}>"

    @property
    def whole(self) -> int:
        """Integer bits without the sign."""
        return self.integer - self.signed


def hand_set(model: Any) -> Config:
    """The `hls_config` of a QKeras model, every precision set by the rule above.

    Raises:
        KeyError: the model holds a layer that the rule does not know.
    """
    import hls4ml

    config: Config = hls4ml.utils.config_from_keras_model(
        model, granularity="name", backend="Vitis"
    )
    known: dict[str, Fixed] = {}
    for layer in model.layers:
        sources = [known[_tensor(x)] for x in _inputs(layer)]
        result, precisions = _RULES[type(layer).__name__](layer, sources)
        known[_tensor(layer.output)] = result
        for name, values in precisions.items():
            entry = config["LayerName"].setdefault(name, {}).setdefault("Precision", {})
            entry.update({key: str(value) for key, value in values.items()})
    _set_input(config, model)
    return config


def exact_type(values: Floats) -> Fixed:
    """The narrowest signed type that holds all values exactly."""
    fraction = max(_fraction_bits(float(v)) for v in np.unique(values))
    top = float(np.abs(values).max())
    integer = math.frexp(top)[1] + 1 if top else 1  # |values| < 2**(integer - 1)
    return Fixed(integer, fraction)


def quantizer_type(quantizer: Any) -> Fixed:
    """The type of an activation quantizer: its grid, its rounding, its saturation."""
    codes = stock.activation_codes(quantizer)
    symmetric = codes.signed and codes.lo == -codes.hi
    saturation = "SAT_SYM" if symmetric else "SAT"
    return Fixed(
        codes.bits + codes.scale_exp, -codes.scale_exp, codes.signed, f"RND_CONV,{saturation}"
    )


def _fraction_bits(value: float) -> int:
    """How many bits behind the point a float64 has; negative for multiples of 2."""
    if value == 0:
        return -64
    mantissa, exponent = math.frexp(value)
    whole = int(math.ldexp(mantissa, 53))
    return 53 - exponent - ((whole & -whole).bit_length() - 1)


Precisions = dict[str, dict[str, Fixed]]
Rule = Callable[[Any, list[Fixed]], tuple[Fixed, Precisions]]


def _matrix(layer: Any, sources: list[Fixed]) -> tuple[Fixed, Precisions]:
    x, name = sources[0], layer.name
    depthwise = type(layer).__name__ == "QDepthwiseConv2D"
    kernel = layer.depthwise_kernel if depthwise else layer.kernel
    quantizer = layer.depthwise_quantizer_internal if depthwise else layer.kernel_quantizer_internal
    values = stock.weight_values(quantizer, kernel.numpy())
    bias = exact_type(stock.weight_values(layer.bias_quantizer_internal, layer.bias.numpy()))
    terms = int(np.prod(kernel.shape[:2] if depthwise else kernel.shape[:-1]))
    if isinstance(quantizer.alpha, str) and type(layer).__name__ in _ALPHA_LAYERS:
        return _scaled(name, x, quantizer, kernel.numpy(), bias, terms)
    weight = exact_type(values)
    total = _sum(x, weight, terms, bias)
    return total, {
        name: {"weight": weight, "bias": bias, "accum": total, "result": total},
        f"{name}_linear": {"result": total},
    }


def _scaled(
    name: str, x: Fixed, quantizer: Any, kernel: NDArray[np.float32], bias: Fixed, terms: int
) -> tuple[Fixed, Precisions]:
    """Weights as hls4ml holds them, codes on the grid of alpha=1; the scales in their own layer."""
    weight = Fixed(int(quantizer.integer) + 1, int(quantizer.bits) - int(quantizer.integer) - 1)
    quantizer(kernel)
    scale = exact_type(np.asarray(quantizer.scale, np.float64))
    total = _sum(x, weight, terms, Fixed(1, 0))
    scaled = _sum(total, scale, 1, bias)
    return scaled, {
        name: {"weight": weight, "bias": bias, "accum": total, "result": total},
        f"{name}_alpha": {"scale": scale, "bias": bias, "result": scaled},
        f"{name}_linear": {"result": scaled},
    }


def _sum(x: Fixed, weight: Fixed, terms: int, bias: Fixed) -> Fixed:
    """Holds any sum of `terms` products and a bias."""
    integer = max(x.whole + weight.whole + math.ceil(math.log2(terms)), bias.whole) + 2
    return Fixed(integer, max(x.fraction + weight.fraction, bias.fraction))


def _average(layer: Any, sources: list[Fixed]) -> tuple[Fixed, Precisions]:
    x, (height, width) = sources[0], layer.input_shape[1:3]
    if hasattr(layer, "pool_size"):
        height, width = layer.pool_size
    bits = math.ceil(math.log2(height * width))
    fraction = max(x.fraction, 16) + bits + QUOTIENT_GUARD_BITS
    total = Fixed(x.whole + bits + 1, fraction)
    return total, {layer.name: {"accum": total, "result": total}}


def _add(layer: Any, sources: list[Fixed]) -> tuple[Fixed, Precisions]:
    total = Fixed(
        max(x.whole for x in sources) + math.ceil(math.log2(len(sources))) + 1,
        max(x.fraction for x in sources),
    )
    return total, {layer.name: {"result": total}}


def _quantizer(layer: Any, sources: list[Fixed]) -> tuple[Fixed, Precisions]:
    own = quantizer_type(layer.quantizer)
    return own, {layer.name: {"result": own}}


def _unchanged(layer: Any, sources: list[Fixed]) -> tuple[Fixed, Precisions]:
    return (sources[0] if sources else Fixed(1, 0)), {}


_RULES: dict[str, Rule] = {
    "QDense": _matrix,
    "QConv2D": _matrix,
    "QDepthwiseConv2D": _matrix,
    "QActivation": _quantizer,
    "AveragePooling2D": _average,
    "GlobalAveragePooling2D": _average,
    "Add": _add,
    "InputLayer": _unchanged,
    **{name: _unchanged for name in _SHAPES},
}


def _set_input(config: Config, model: Any) -> None:
    first = next(layer for layer in model.layers if type(layer).__name__ == "QActivation")
    own = quantizer_type(first.quantizer)
    config["LayerName"][model.layers[0].name]["Precision"]["result"] = str(own)


def _inputs(layer: Any) -> list[Any]:
    if type(layer).__name__ == "InputLayer":
        return []
    return list(layer.input) if isinstance(layer.input, list) else [layer.input]


def _tensor(tensor: Any) -> str:
    return str(tensor.name)
