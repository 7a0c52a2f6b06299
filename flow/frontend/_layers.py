"""What the classes of Keras and QKeras layers are to the reader, and what is wrong with a layer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from flow.frontend._permutations import transposed

KERNELS = {  # layers with weights: the name of their kernel's quantizer
    "QConv1D": "kernel",
    "QConv2D": "kernel",
    "QConv2DBatchnorm": "kernel",
    "QDepthwiseConv2D": "depthwise",
    "QDepthwiseConv2DBatchnorm": "depthwise",
    "QDense": "kernel",
}
AVERAGE_POOLS = (
    "AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "QAveragePooling2D", "QGlobalAveragePooling2D",
)  # fmt: skip
MAX_POOLS = ("MaxPooling1D", "MaxPooling2D", "GlobalMaxPooling1D", "GlobalMaxPooling2D")
MERGES = ("Add", "Multiply")
PADDINGS = ("ZeroPadding1D", "ZeroPadding2D")
UPSAMPLINGS = ("UpSampling1D", "UpSampling2D")
NORMS = ("BatchNormalization", "QBatchNormalization")
SHAPES = ("Flatten", "Reshape")
PERMUTES = ("Permute",)
IDENTITIES = (
    "InputLayer", "Dropout", "SpatialDropout1D", "SpatialDropout2D", "GaussianNoise",
    "GaussianDropout", "ActivityRegularization",
)  # fmt: skip
FUNCTIONS = ("sigmoid", "tanh", "swish", "silu", "hard_sigmoid", "elu", "selu", "gelu", "softplus",
             "softsign", "exponential", "hard_tanh", "smooth_sigmoid", "smooth_tanh",
             "binary_sigmoid", "binary_tanh")  # fmt: skip
FUNCTION_LAYERS = ("LeakyReLU", "ELU")
RELUS = {"relu": None, "relu6": 6.0}  # activation functions, their ceilings
HOST = ("softmax", "sigmoid")  # as the last layer
SUPPORTED = (
    *KERNELS, "ReLU", "QActivation", "Activation", *AVERAGE_POOLS, *MAX_POOLS, *MERGES,
    "Concatenate", *UPSAMPLINGS, *PADDINGS, *SHAPES, *PERMUTES, *NORMS, "LeakyReLU", "ELU",
    "Softmax", "Dropout",
)  # fmt: skip
RECURRENT = (
    "QSimpleRNN", "QLSTM", "QGRU", "QBidirectional", "SimpleRNN", "LSTM", "GRU", "RNN",
    "Bidirectional",
)  # fmt: skip
REMEDIES = {
    "SyncBatchNormalization": "use BatchNormalization",
    "LayerNormalization": "its scale changes with each input; use BatchNormalization",
    "QConv2DTranspose": "use UpSampling2D and QConv2D",
    "Conv2DTranspose": "use UpSampling2D and QConv2D",
    "Conv1D": "use QConv1D",
    "Conv2D": "use QConv2D",
    "DepthwiseConv2D": "use QDepthwiseConv2D",
    "SeparableConv1D": "use two QConv1D, the first with groups",
    "SeparableConv2D": "use QDepthwiseConv2D and QConv2D",
    "QSeparableConv1D": "use two QConv1D, the first with groups",
    "QSeparableConv2D": "use QDepthwiseConv2D and QConv2D",
    "Dense": "use QDense",
    "TFOpLambda": "an operator of Python or TensorFlow; use a layer (Add, Multiply, Concatenate)",
    "QAdaptiveActivation": "use QActivation with quantized_bits_featuremap",
    "Subtract": "negate the weights of one side and use Add",
    "Average": "use Add and a quantizer with an integer bit less",
    "Maximum": "no such unit exists; use Add",
    "PReLU": "use ReLU or LeakyReLU",
    "TimeDistributed": "a QDense by itself works at every position; use it, or QConv2D",
    "Rescaling": "scale the samples before, or the weights of the first layer",
    "Normalization": "scale the samples before, or use BatchNormalization behind the first layer",
    **dict.fromkeys(RECURRENT, "it keeps a state from step to step; use QConv1D along the steps"),
}


def role(layer: Any) -> str:
    """The reader's word for a layer; '' for one that it does not know."""
    kind = type(layer).__name__
    if kind in ("QActivation", "Activation", "Softmax"):
        return _activation_role(getattr(layer, "quantizer", getattr(layer, "activation", None)))
    for name, kinds in _ROLES.items():
        if kind in kinds:
            return name
    return ""


def _activation_role(function: Any) -> str:
    if is_quantizer(function):
        return "quantizer"
    name = function_name(function)
    if name in RELUS:
        return "relu"
    if name == "linear":
        return "identity"
    if name in FUNCTIONS:
        return "function"
    return "host" if name in (*HOST, "None") else ""


def function_name(function: Any) -> str:
    """Name of an activation function; 'None' where there is none (a Softmax layer)."""
    if function is None:
        return "None"
    return str(getattr(function, "__name__", type(function).__name__))


def is_quantizer(function: Any) -> bool:
    """Whether an activation is a quantizer of QKeras or of this project."""
    from qkeras.quantizers import BaseQuantizer

    return isinstance(function, BaseQuantizer)


_ROLES: dict[str, tuple[str, ...]] = {
    "matrix": tuple(KERNELS),
    "average": AVERAGE_POOLS,
    "largest": MAX_POOLS,
    "merge": MERGES,
    "concat": ("Concatenate",),
    "padding": PADDINGS,
    "upsample": UPSAMPLINGS,
    "shape": SHAPES,
    "permute": PERMUTES,
    "identity": IDENTITIES,
    "relu": ("ReLU",),
    "norm": NORMS,
    "function": FUNCTION_LAYERS,
}


def unknown(layer: Any) -> str:
    """What to say about a layer without a role."""
    kind = type(layer).__name__
    if kind == "Activation":
        return (
            f"layer {layer.name!r} applies {function_name(layer.activation)!r}; supported: relu, "
            f"linear, softmax at the end, {', '.join(FUNCTIONS)}."
        )
    article = "an" if kind[0] in "AEIOU" else "a"
    advice = REMEDIES.get(kind, f"supported: {', '.join(SUPPORTED)}")
    return f"layer {layer.name!r} is {article} {kind}; {advice}."


def layer_problems(layer: Any, name: str) -> Iterator[str]:
    """What is wrong with a layer by itself, whatever surrounds it."""
    if getattr(layer, "data_format", "channels_last") not in ("channels_last", None):
        yield f"layer {layer.name!r} is not channels_last."
    check = _CHECKS.get(name)
    if check is not None:
        yield from check(layer)
    for weight in () if name == "norm" else layer.weights:
        if not np.isfinite(weight.numpy()).all():
            what = weight.name.rpartition("/")[2].partition(":")[0]
            yield f"layer {layer.name!r}: its {what} holds NaN or infinity; train the model again."


def _matrix_problems(layer: Any) -> Iterator[str]:
    dilation = getattr(layer, "dilation_rate", 1)
    if any(v != 1 for v in (dilation if isinstance(dilation, (tuple, list)) else (dilation,))):
        yield f"layer {layer.name!r} has dilation_rate={dilation}; 1 is supported."
    prefix = KERNELS[type(layer).__name__]
    quantizers = {f"{prefix}_quantizer": getattr(layer, f"{prefix}_quantizer_internal")}
    if layer.use_bias and layer.bias_quantizer_internal is not None:
        quantizers["bias_quantizer"] = layer.bias_quantizer_internal
    from flow.frontend._weights import weight_problem

    for name, quantizer in quantizers.items():
        problem = weight_problem(quantizer)
        if problem:
            yield f"layer {layer.name!r}: {name} {problem}."


def _average_problems(layer: Any) -> Iterator[str]:
    quantizer = getattr(layer, "average_quantizer_internal", None)
    if quantizer is None:
        return
    if getattr(layer, "padding", "valid") != "valid":
        yield f"layer {layer.name!r} has an average_quantizer and padding; use 'valid'."
    from models.quantizers import stock

    problem = stock.weight_problem(quantizer)
    kind = type(quantizer).__name__
    if kind != "quantized_bits":
        problem = f"is {kind}; quantized_bits with alpha=1 is supported"
    elif quantizer.alpha not in (None, 1):
        problem = f"has alpha={quantizer.alpha!r}; 1 is supported"
    if problem:
        yield f"layer {layer.name!r}: average_quantizer {problem}."


def relu_ceiling(layer: Any) -> float | None:
    """Where a ReLU saturates; None: nowhere."""
    if type(layer).__name__ == "ReLU":
        ceiling: float | None = layer.get_config().get("max_value")
        return ceiling
    function = getattr(layer, "quantizer", getattr(layer, "activation", None))
    return RELUS.get(function_name(function))


def _norm_problems(layer: Any) -> Iterator[str]:
    from models.quantizers.norms import is_frozen, norm_problem

    problem = norm_problem(layer)
    if problem is None and not is_frozen(layer):
        problem = (
            "has gains that are no integers times powers of two; "
            "call models.quantizers.freeze_norms(model) first"
        )
    if problem:
        yield f"layer {layer.name!r} ({type(layer).__name__}) {problem}."


def _relu_problems(layer: Any) -> Iterator[str]:
    config = layer.get_config()
    slope, threshold = config.get("negative_slope"), config.get("threshold")
    if float(slope or 0) or float(threshold or 0):
        yield (
            f"layer {layer.name!r}: ReLU with negative_slope={slope}, "
            f"threshold={threshold}; both must be 0."
        )


def _upsample_problems(layer: Any) -> Iterator[str]:
    interpolation = getattr(layer, "interpolation", "nearest")
    if interpolation != "nearest":
        yield f"layer {layer.name!r} has interpolation={interpolation!r}; 'nearest' is supported."


def _concat_problems(layer: Any) -> Iterator[str]:
    rank = len(layer.output_shape)
    if layer.axis not in (-1, rank - 1):
        yield f"layer {layer.name!r} joins along axis {layer.axis}; the channels' is supported."


def _permute_problems(layer: Any) -> Iterator[str]:
    if transposed(layer.dims, layer.get_output_shape_at(0)[1:]) is None:
        yield more_than_channels(layer)


def more_than_channels(layer: Any) -> str:
    """What to say about a Permute that is no channel shuffle."""
    return (
        f"layer {layer.name!r} (Permute) moves more than channels; supported is a channel shuffle: "
        "Reshape((h, w, g, c // g)), Permute((1, 2, 4, 3)), Reshape((h, w, c))."
    )


_CHECKS = {
    "matrix": _matrix_problems,
    "average": _average_problems,
    "relu": _relu_problems,
    "norm": _norm_problems,
    "upsample": _upsample_problems,
    "concat": _concat_problems,
    "permute": _permute_problems,
}
