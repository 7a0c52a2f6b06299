"""Make constants of weight scales that are no powers of two (`alpha='auto'`, a number as alpha)."""

from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.quantizers import stock
from models.quantizers.norms import settle_folded
from models.quantizers.scaled import quantized_bits_scaled, rounded_scale

ROLES = {"depthwise": "depthwise_kernel", "kernel": "kernel", "bias": "bias"}


def freeze_auto(model: tf.keras.Model) -> list[str]:
    """Round every weight scale that is no power of two to mult * 2**exponent, mult < 2**15.

    The scales of stock `alpha='auto'` (and of numbers as alpha) become constants of the model: its
    quantizers are replaced, and its float weights become the effective ones, so that it computes
    from now on what integers can. A scale moves by 2**-15 of itself at most, no code changes.
    A layer that folds batch normalization first gets its folded weights as its own. One whose
    weights hold NaN or infinity is left alone: reading the model refuses it by name.
    Compile the model again if it is to be trained or evaluated.

    Returns:
        '<layer>/kernel' or '<layer>/bias' of everything that was replaced.

    Raises:
        QuantizerError: a folding layer cannot hold its folded weights.
    """
    replaced = []
    for layer in model.layers:
        weights = _stock_weights(layer)
        if not all(np.isfinite(array).all() for _, _, array in weights):
            continue
        chosen = [(role, q) for role, q, array in weights if _needs_freezing(q, array)]
        if chosen and hasattr(layer, "get_folded_weights"):
            # all of them: Keras' 1/sqrt(1) is 0.9999999, which may carry a weight to another code
            chosen = [(role, q) for role, q, _ in weights if not stock.weight_problem(q)]
            settle_folded(layer)
        for role, quantizer in chosen:
            _replace(layer, role, quantizer)
            replaced.append(f"{layer.name}/{'bias' if role == 'bias' else 'kernel'}")
    return replaced


def _stock_weights(layer: tf.keras.layers.Layer) -> list[tuple[str, Any, NDArray[np.float32]]]:
    folded = hasattr(layer, "get_folded_weights")
    weights = layer.get_folded_weights() if folded else None
    found = []
    for role, attribute in ROLES.items():
        quantizer = getattr(layer, f"{role}_quantizer_internal", None)
        variable = getattr(layer, attribute, None)
        if weights is not None:
            variable = weights[int(role == "bias")]
        if type(quantizer).__name__ in stock.WEIGHTS and variable is not None:
            found.append((role, quantizer, np.asarray(variable)))
    return found


def _needs_freezing(quantizer: Any, array: NDArray[np.float32]) -> bool:
    if stock.weight_problem(quantizer):
        return False
    mantissa, _ = np.frexp(stock.weight_steps(quantizer, array))
    return bool((mantissa != 0.5).any())


def _replace(layer: tf.keras.layers.Layer, role: str, quantizer: Any) -> None:
    folded_bias = role == "bias" and hasattr(layer, "get_folded_weights")
    variable = layer.batchnorm.beta if folded_bias else getattr(layer, ROLES[role])
    array = variable.numpy()
    steps = stock.weight_steps(quantizer, array)
    codes = np.rint(stock.weight_values(quantizer, array) / steps)
    mults, exponents = rounded_scale(steps)
    bits = max(int(quantizer.bits), int(np.abs(codes).max(initial=0)).bit_length() + 1, 2)
    frozen = quantized_bits_scaled(
        bits, mults.ravel().tolist(), exponents.ravel().tolist(), list(steps.shape)
    )
    variable.assign(codes * np.broadcast_to(frozen.scale, array.shape))
    setattr(layer, f"{role}_quantizer", frozen)
    setattr(layer, f"{role}_quantizer_internal", frozen)
    layer.quantizers = [frozen if q is quantizer else q for q in getattr(layer, "quantizers", [])]
