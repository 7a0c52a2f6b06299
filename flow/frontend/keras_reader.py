"""Read a Keras/QKeras model as a chain of steps: what each layer is, and what it is fed by.

Nothing is computed here; the reader names everything that is unsupported, all at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flow.errors import UnsupportedLayer

MATRIX_LAYERS = {
    "QConv2D": "kernel",
    "QDepthwiseConv2D": "depthwise",
    "QDense": "kernel",
}
SHAPE_LAYERS = ("Flatten", "Reshape")
IDENTITY_LAYERS = ("Dropout", "SpatialDropout2D", "InputLayer")
SUPPORTED = (*MATRIX_LAYERS, "ReLU", "QActivation", "AveragePooling2D", "GlobalAveragePooling2D",
             "Flatten", "Reshape", "Dropout")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Step:
    """A compute layer (None: the network's input) with the ReLU and quantizer behind it."""

    compute: Any  # keras layer or None
    relu: Any  # keras ReLU layer or None
    quantizer: Any  # activation quantizer object
    quantizer_layer: str


def read_steps(model: Any) -> list[Step]:
    """Split a sequential chain of layers into steps, each ended by its quantizer.

    Raises:
        UnsupportedLayer: branches, unknown layers, or a missing quantizer; all are listed.
    """
    problems: list[str] = []
    chain = _chain(model, problems)
    steps: list[Step] = []
    compute, relu = None, None
    started, fresh = False, False  # a quantizer was seen at all; it was the last thing seen
    for layer in chain:
        kind = type(layer).__name__
        if kind in IDENTITY_LAYERS:
            continue
        if kind == "QActivation":
            problems += _quantizer_problems(layer, repeated=fresh)
            steps.append(Step(compute, relu, layer.quantizer, layer.name))
            compute, relu, started, fresh = None, None, True, True
            continue
        if kind in SHAPE_LAYERS and compute is None:
            continue
        fresh = False
        if kind == "ReLU" and compute is not None and relu is None:
            problems += _relu_problems(layer)
            relu = layer
        elif kind in MATRIX_LAYERS or kind.endswith("AveragePooling2D"):
            if compute is not None or not started:
                problems.append(_unquantised(layer, compute))
            problems += (_matrix_problems if kind in MATRIX_LAYERS else _pool_problems)(layer)
            compute, relu = layer, None
        elif kind in SHAPE_LAYERS and compute is not None:
            problems.append(
                f"layer {layer.name!r} ({kind}) stands between {compute.name!r} and its quantizer; "
                "move it behind the QActivation."
            )
        else:
            problems.append(f"layer {layer.name!r} is a {kind}; supported: {', '.join(SUPPORTED)}.")
    if compute is not None:
        problems.append(
            f"layer {compute.name!r} has no quantizer behind it; add a QActivation after it."
        )
    if not steps and not problems:
        problems.append(f"model {model.name!r} has no quantized layer.")
    if problems:
        raise UnsupportedLayer(
            f"model {model.name!r} cannot become integers:\n"
            + "\n".join(f"  - {problem}" for problem in problems)
        )
    return steps


def _chain(model: Any, problems: list[str]) -> list[Any]:
    """Layers from input to output; a second input or a second consumer is a branch."""
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        problems.append(
            f"model {model.name!r} has {len(model.inputs)} inputs and {len(model.outputs)} "
            "outputs; one of each is supported."
        )
        return []
    producer = _producers(model, problems)
    if problems:
        return []
    chain: list[Any] = []
    layer = producer[id(model.outputs[0])]
    while True:
        source = layer.input
        if isinstance(source, (list, tuple)):
            problems.append(
                f"layer {layer.name!r} is a {type(layer).__name__} with {len(source)} inputs; "
                "networks with branches are not supported yet."
            )
            return chain[::-1]
        chain.append(layer)
        if source is model.inputs[0]:  # a Sequential model does not list its input layer
            return chain[::-1]
        if id(source) not in producer:
            problems.append(
                f"layer {layer.name!r} reads a layer that is used more than once; "
                "make a layer for each."
            )
            return chain[::-1]
        layer = producer[id(source)]


def _producers(model: Any, problems: list[str]) -> dict[int, Any]:
    """Layers by the identity of their (first) output; models in the model are refused."""
    problems += [
        f"layer {layer.name!r} is a model ({type(layer).__name__}); "
        "put its layers into the model itself."
        for layer in model.layers
        if hasattr(layer, "layers")
    ]
    return {id(layer.output): layer for layer in model.layers}


def _quantizer_problems(layer: Any, repeated: bool) -> list[str]:
    problems = []
    if repeated:
        problems.append(f"quantizer {layer.name!r} follows another quantizer; remove one of them.")
    kind = type(layer.quantizer).__name__
    if kind != "quantized_bits_featuremap":
        problems.append(
            f"quantizer {layer.name!r} is a {kind}; supported: quantized_bits_featuremap."
        )
    elif layer.quantizer.alpha != "auto_po2":
        problems.append(
            f"quantizer {layer.name!r} has alpha={layer.quantizer.alpha!r}; "
            "the hardware path supports alpha='auto_po2'."
        )
    return problems


def _pool_problems(layer: Any) -> list[str]:
    problems = []
    padding = getattr(layer, "padding", "valid")
    if padding != "valid":
        problems.append(
            f"layer {layer.name!r}: average pooling with padding={padding!r}; 'valid' is supported."
        )
    return problems + _layout_problems(layer)


def _layout_problems(layer: Any) -> list[str]:
    if getattr(layer, "data_format", "channels_last") == "channels_last":
        return []
    return [f"layer {layer.name!r} is not channels_last."]


def _relu_problems(layer: Any) -> list[str]:
    config = layer.get_config()
    if float(config.get("negative_slope") or 0) or float(config.get("threshold") or 0):
        return [
            f"layer {layer.name!r}: ReLU with negative_slope={config['negative_slope']}, "
            f"threshold={config['threshold']}; both must be 0."
        ]
    return []


def _matrix_problems(layer: Any) -> list[str]:
    problems = []
    activation = getattr(layer.activation, "__name__", str(layer.activation))
    if layer.activation is not None and activation != "linear":
        problems.append(
            f"layer {layer.name!r} has activation={activation!r}; make it a layer of its own."
        )
    for argument, allowed in (("dilation_rate", 1), ("groups", 1), ("depth_multiplier", 1)):
        value = getattr(layer, argument, allowed)
        if any(v != allowed for v in (value if isinstance(value, (tuple, list)) else (value,))):
            problems.append(f"layer {layer.name!r} has {argument}={value}; {allowed} is supported.")
    problems += _layout_problems(layer)
    prefix = MATRIX_LAYERS[type(layer).__name__]
    quantizers = {f"{prefix}_quantizer": getattr(layer, f"{prefix}_quantizer_internal")}
    if layer.use_bias:
        quantizers["bias_quantizer"] = layer.bias_quantizer_internal
    problems += [
        f"layer {layer.name!r}: {name} is {type(quantizer).__name__}; "
        "supported: quantized_bits_po2."
        for name, quantizer in quantizers.items()
        if type(quantizer).__name__ != "quantized_bits_po2"
    ]
    return problems


def _unquantised(layer: Any, previous: Any) -> str:
    if previous is None:
        return f"layer {layer.name!r} reads the unquantized input; add a QActivation before it."
    return (
        f"layer {layer.name!r} reads {previous.name!r} without a quantizer between them; "
        "add a QActivation."
    )
