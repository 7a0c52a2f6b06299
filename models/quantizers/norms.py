"""Batch normalization as integers: gains that are an integer times a power of two."""

from collections import Counter
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.quantizers import stock
from models.quantizers.codes import MAX_SCALE_MULT, QuantizerError
from models.quantizers.scaled import quantized_bits_scaled, rounded_scale

KINDS = ("BatchNormalization", "QBatchNormalization")
MATRICES = ("QConv1D", "QConv2D", "QDense", "QDepthwiseConv2D")
# Their sum is 1, exactly; TensorFlow's fused kernel takes no epsilon below 1.001e-5.
EPSILON = 2.0**-10
VARIANCE = 1.0 - EPSILON

Floats = NDArray[np.float64]


def is_norm(layer: Any) -> bool:
    """Whether it is a batch normalization by itself (not one folded into a convolution)."""
    return type(layer).__name__ in KINDS


def gain_and_shift(layer: Any) -> tuple[Floats, Floats]:
    """What the layer computes at inference: x * gain + shift, [channels] each, in float64."""
    gamma = _value(layer, "gamma", layer.gamma) if layer.scale else np.float64(1)
    beta = _value(layer, "beta", layer.beta) if layer.center else np.float64(0)
    mean = _value(layer, "mean", layer.moving_mean)
    variance = _value(layer, "variance", layer.moving_variance)
    gain = np.asarray(gamma / np.sqrt(variance + layer.epsilon))
    return gain, np.asarray(beta - mean * gain)


def norm_problem(layer: Any) -> str | None:
    """Say why a batch normalization has no exact integers; None: it has, once frozen."""
    axes = [int(axis) for axis in np.atleast_1d(layer.axis)]
    if axes not in ([-1], [len(layer.input_shape) - 1]):
        return f"normalizes axes {axes}; the channels' is supported"
    for role in ("gamma", "beta", "mean", "variance"):
        quantizer = getattr(layer, f"{role}_quantizer_internal", None)
        problem = None if quantizer is None else _quantizer_problem(quantizer)
        if problem:
            return f"has a {role}_quantizer that {problem}"
    gain, shift = gain_and_shift(layer)
    if not (np.isfinite(gain).all() and np.isfinite(shift).all()):
        return "holds NaN or infinity; train the model again"
    return None


def _quantizer_problem(quantizer: Any) -> str | None:
    kind = type(quantizer).__name__
    if kind in stock.REMEDIES:
        return f"is a {kind}, which {stock.REMEDIES[kind]}"
    return stock.width_problem(quantizer) or stock.random_problem(quantizer)


def is_frozen(layer: Any) -> bool:
    """Whether its gains are integers below 2**15 times powers of two."""
    if norm_problem(layer) or not (layer.scale and layer.center):
        return False
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    gain, _ = gain_and_shift(layer)
    mults, _ = rounded_gain(gain)
    sums = variance.astype(np.float64) + layer.epsilon
    return bool((mean == 0).all() and (sums == 1).all() and (_exact(gain) == gain).all()) and bool(
        (np.abs(mults) < MAX_SCALE_MULT).all()
    )


def rounded_gain(gain: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return mult and exponent of the nearest mult * 2**exponent, mult odd (or 0), of any sign."""
    mults, exponents = rounded_scale(np.where(gain == 0, 1.0, np.abs(gain)))
    signs = np.sign(gain).astype(np.int64)
    return mults * signs, np.where(signs == 0, 0, exponents)


def freeze_norms(model: tf.keras.Model) -> list[str]:
    """Round every batch normalization's gains to mult * 2**exponent, |mult| < 2**15.

    gain = gamma / sqrt(variance + epsilon) moves by 2**-15 of itself at most; Keras is given it
    as gamma, with a variance that counts as 1 and no mean. Where the layer reads a convolution or
    dense layer directly, that layer's bias moves into beta, and weight scales that are no powers of
    two into gamma; no weight's code changes. What `norm_problem` names is left as it is.

    Returns:
        Names of the layers that were changed.
    """
    changed = []
    for layer in model.layers:
        if not is_norm(layer) or norm_problem(layer):
            continue
        before = _matrix_before(model, layer)
        has_bias = before is not None and before.use_bias and np.any(before.bias.numpy())
        if is_frozen(layer) and not has_bias:
            continue
        gain, shift = gain_and_shift(layer)
        if before is not None:
            shift = shift + _take_bias(before) * gain
            gain = _take_scales(before) * gain
        _settle(layer, _exact(gain), shift)
        changed.append(layer.name)
    return changed


def settle_folded(layer: Any) -> None:
    """Make plain weights of those that a QConv2DBatchnorm folds: its normalization becomes 1.

    Raises:
        QuantizerError: the layer cannot hold them.
    """
    kernel, bias = (np.asarray(tensor) for tensor in layer.get_folded_weights())
    norm = layer.batchnorm
    if not norm.center:
        raise QuantizerError(
            f"layer {layer.name!r} has center=False, with which QKeras folds nothing.\n"
            "  Build it with center=True."
        )
    _settle(norm, np.ones(len(bias)), bias)
    has_depthwise = hasattr(layer, "depthwise_kernel")
    (layer.depthwise_kernel if has_depthwise else layer.kernel).assign(kernel)
    if layer.use_bias:
        layer.bias.assign(np.zeros(len(bias)))


def _value(layer: Any, role: str, variable: tf.Variable) -> Floats:
    quantizer = getattr(layer, f"{role}_quantizer_internal", None)
    effective = variable if quantizer is None else quantizer(variable)
    return np.asarray(effective).astype(np.float64)


def _exact(gain: Floats) -> Floats:
    mults, exponents = rounded_gain(gain)
    return np.ldexp(mults.astype(np.float64), exponents)


def _matrix_before(model: tf.keras.Model, layer: Any) -> Any:
    """The layer with weights whose plain sums a normalization alone reads; None: there is none."""
    calls = [node for one in model.layers for node in one.inbound_nodes]
    readers = Counter(id(tensor) for node in calls for tensor in node.keras_inputs)
    (tensor,) = layer.inbound_nodes[0].keras_inputs
    before = tensor.node.layer
    activation = getattr(getattr(before, "activation", None), "__name__", "linear")
    fits = type(before).__name__ in MATRICES and activation == "linear"
    return before if fits and readers[id(tensor)] == 1 else None


def _take_bias(layer: Any) -> Floats:
    """The effective bias of a layer, which then has none (its variable is 0)."""
    if not layer.use_bias:
        return np.zeros(1)
    quantizer = layer.bias_quantizer_internal
    bias = np.asarray(layer.bias if quantizer is None else quantizer(layer.bias)).astype(np.float64)
    layer.bias.assign(np.zeros(bias.shape))
    if quantizer is not None:  # a binary one would give no 0
        layer.quantizers = [None if q is quantizer else q for q in layer.quantizers]
        layer.bias_quantizer = layer.bias_quantizer_internal = None
    return bias


def _take_scales(layer: Any) -> Floats:
    """Scales of each output channel that are no powers of two, which are then 1 in the layer."""
    role = "depthwise" if "Depthwise" in type(layer).__name__ else "kernel"
    quantizer = getattr(layer, f"{role}_quantizer_internal")
    if type(quantizer).__name__ not in stock.WEIGHTS or stock.weight_problem(quantizer):
        return np.ones(1)
    variable = getattr(layer, "depthwise_kernel" if role == "depthwise" else "kernel")
    array = variable.numpy()
    steps = np.broadcast_to(stock.weight_steps(quantizer, array), array.shape)
    last = steps.reshape(*steps.shape[:-2], -1) if role == "depthwise" else steps
    by_channel = last.reshape(-1, last.shape[-1])
    mantissa, _ = np.frexp(steps)
    if (mantissa == 0.5).all() or (by_channel != by_channel[0]).any():
        return np.ones(1)
    codes = np.rint(stock.weight_values(quantizer, array) / steps)
    bits = max(int(quantizer.bits), int(np.abs(codes).max(initial=0)).bit_length() + 1, 2)
    plain = quantized_bits_scaled(bits, [1], [0], [1] * array.ndim)
    variable.assign(codes)
    setattr(layer, f"{role}_quantizer", plain)
    setattr(layer, f"{role}_quantizer_internal", plain)
    layer.quantizers = [plain if q is quantizer else q for q in layer.quantizers]
    return np.array(by_channel[0])


def _settle(layer: Any, gain: Floats, shift: Floats) -> None:
    """Make x * gain + shift of a batch normalization, in variables that are saved with it."""
    shape = layer.moving_mean.shape
    if not (layer.scale and layer.center):  # build it again, with the variables in Keras' order
        layer.scale = layer.center = True
        layer._trainable_weights, layer._non_trainable_weights = [], []
        layer.build(layer.input_shape)
    layer.epsilon = EPSILON
    for role in ("gamma", "beta", "mean", "variance"):
        if hasattr(layer, f"{role}_quantizer"):
            setattr(layer, f"{role}_quantizer", None)
            setattr(layer, f"{role}_quantizer_internal", None)
    if hasattr(layer, "quantizers"):
        layer.quantizers = [None] * 4
    layer.gamma.assign(np.broadcast_to(gain, shape))
    layer.beta.assign(np.broadcast_to(shift, shape))
    layer.moving_mean.assign(np.zeros(shape))
    layer.moving_variance.assign(np.full(shape, VARIANCE))
