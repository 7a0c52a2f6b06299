"""QKeras model to IntGraph: the place where floats end."""

from __future__ import annotations

from typing import Any

import numpy as np

from flow.errors import UnsupportedLayer
from flow.frontend.keras_reader import MATRIX_LAYERS, Step, read_steps
from flow.graph.arithmetic import quantise_input
from flow.graph.types import (
    AveragePool,
    InputMap,
    IntArray,
    IntGraph,
    Kind,
    MatVec,
    Node,
    Shape,
    TensorType,
    Window,
)
from models.raw import RAW_INPUTS, RawInput

KINDS = {"QConv2D": Kind.CONV, "QDepthwiseConv2D": Kind.DEPTHWISE, "QDense": Kind.DENSE}
INPUT_NAME = "codes"  # hls4ml reserves "input"


def extract(model_name: str, quant: str) -> IntGraph:
    """Load trained weights of this repository and turn them into integers."""
    from models import weights  # TensorFlow is imported only when a model is really read

    record = weights.record(model_name, quant)
    model = weights.load(model_name, quant)
    provenance = {
        "model": model_name,
        "quant": quant,
        "weights_sha256": str(record["sha256"]),
        "weights_commit": str(record.get("git_commit", "")),
    }
    return from_keras(model, RAW_INPUTS.get(model_name), name=model_name, provenance=provenance)


def from_keras(
    model: Any,
    raw: RawInput | None = None,
    *,
    name: str | None = None,
    provenance: dict[str, str] | None = None,
) -> IntGraph:
    """Turn a (built or loaded) QKeras model into an IntGraph.

    Args:
        raw: format of integer samples; None when the samples are the model's float input.
        name: of the graph, an identifier; default the model's own.

    Raises:
        UnsupportedLayer: something cannot be made exact; everything found is listed.
        NotCalibrated: activation quantizers have no range; all of them are listed.
    """
    steps = read_steps(model)
    input_shape = _shape(model.input_shape[1:])
    types = _tensor_types(steps)
    nodes: list[Node] = []
    source, shape = INPUT_NAME, input_shape
    for step, x, y in zip(steps[1:], types, types[1:], strict=False):
        node = _node(step, source, shape, x, y)
        nodes.append(node)
        source, shape = node.name, node.out_shape
    return IntGraph(
        name=name or model.name,
        input_name=INPUT_NAME,
        input_shape=input_shape,
        input_type=types[0],
        input_map=_input_map(types[0], raw),
        nodes=tuple(nodes),
        provenance=provenance or {},
    )


def _tensor_types(steps: list[Step]) -> list[TensorType]:
    missing = [step.quantizer_layer for step in steps if not step.quantizer.calibrated]
    if missing:
        from models.quantizers import NotCalibrated

        raise NotCalibrated(
            f"the ranges of quantizers {', '.join(map(repr, missing))} were never calibrated.\n"
            "  Call models.ranges.calibrate(model, samples) and freeze(model) first, or train."
        )
    return [_tensor_type(step) for step in steps]


def _tensor_type(step: Step) -> TensorType:
    """The codes that leave a step; a ReLU only raises `lo` (and ReLU6 lowers `hi`)."""
    codes = step.quantizer.export()
    plain = TensorType(
        codes.bits, codes.signed, codes.scale_exp, codes.zero_point, codes.lo, codes.hi
    )
    if step.relu is None:
        return plain
    hi = plain.hi
    if step.relu.get_config().get("max_value") is not None:
        ceiling = np.array(float(step.relu.get_config()["max_value"]))
        hi = int(quantise_input(ceiling, plain))
    return TensorType(
        plain.bits, plain.signed, plain.scale_exp, plain.zero_point,
        max(plain.lo, plain.zero_point), hi,
    )  # fmt: skip


def _node(step: Step, source: str, shape: Shape, x: TensorType, y: TensorType) -> Node:
    layer = step.compute
    kind = type(layer).__name__
    out_shape = _shape(layer.output_shape[1:])
    seen = _shape(layer.input_shape[1:])
    if seen not in (shape, (1, 1, shape[0] * shape[1] * shape[2])):
        raise UnsupportedLayer(
            f"layer {layer.name!r} reads {seen}, but {source!r} gives {shape}; between them only "
            "flattening to a vector is supported."
        )
    if kind not in MATRIX_LAYERS:
        return _pool(layer, source, shape, out_shape, x, y)
    prefix = MATRIX_LAYERS[kind]
    kernel = layer.get_weights()[0]
    quantizer = getattr(layer, f"{prefix}_quantizer_internal")
    codes, exponents = quantizer.export(kernel)
    bias, bias_exp, bias_bits = _bias(layer, out_shape[2])
    if kind == "QDense":
        shape = (1, 1, shape[0] * shape[1] * shape[2])
        codes, exponents = codes[None, None], np.broadcast_to(exponents, kernel.shape)[None, None]
    exponents = np.broadcast_to(exponents, codes.shape)
    if kind == "QDepthwiseConv2D":
        codes, exponents = codes[..., 0], exponents[..., 0]
    return MatVec(
        name=layer.name,
        source=source,
        kind=KINDS[kind],
        in_shape=shape,
        out_shape=out_shape,
        window=_window(layer, shape, out_shape) if kind != "QDense" else Window(1, 1, 1, 1, 0, 0),
        weights=codes.astype(np.int64),
        weight_bits=int(quantizer.bits),
        weight_exp=_per_channel(layer.name, exponents),
        bias=bias,
        bias_bits=bias_bits,
        bias_exp=bias_exp,
        x=x,
        y=y,
    )


def _bias(layer: Any, channels: int) -> tuple[IntArray, IntArray, int]:
    if not layer.use_bias:
        return np.zeros(channels, np.int64), np.zeros(channels, np.int64), 0
    quantizer = layer.bias_quantizer_internal
    codes, exponents = quantizer.export(layer.get_weights()[1])
    exponents = np.broadcast_to(exponents, codes.shape).astype(np.int64)
    return codes.astype(np.int64), exponents.copy(), int(quantizer.bits)


def _per_channel(name: str, exponents: IntArray) -> IntArray:
    """Reduce weight exponents [..., cout] to [cout]; they may differ between channels only."""
    flat = exponents.reshape(-1, exponents.shape[-1])
    if (flat != flat[0]).any():
        raise UnsupportedLayer(
            f"layer {name!r}: its kernel's exponents differ within an output channel; "
            "choose the scale_axis of the output channels."
        )
    first: IntArray = flat[0].astype(np.int64)
    return first


def _window(layer: Any, shape: Shape, out_shape: Shape) -> Window:
    """Geometry; SAME pads as TensorFlow does, the odd pixel at the bottom and right."""
    kernel, strides = layer.kernel_size, layer.strides
    before = [0, 0]
    if layer.padding == "same":
        before = [
            max((out - 1) * s + k - size, 0) // 2
            for size, out, k, s in zip(shape[:2], out_shape[:2], kernel, strides, strict=True)
        ]
    return Window(*(int(v) for v in (*kernel, *strides, *before)))


def _pool(
    layer: Any, source: str, shape: Shape, out_shape: Shape, x: TensorType, y: TensorType
) -> AveragePool:
    if type(layer).__name__ == "GlobalAveragePooling2D":
        kernel, strides, out_shape = shape[:2], (1, 1), (1, 1, shape[2])
    else:
        kernel, strides = layer.pool_size, layer.strides
    window = Window(*(int(v) for v in (*kernel, *strides, 0, 0)))
    return AveragePool(layer.name, source, shape, out_shape, window, x, y)


def _input_map(tensor: TensorType, raw: RawInput | None) -> InputMap:
    if raw is None:
        return InputMap("float32", 0, None)
    values = raw.to_real(np.arange(raw.lo, raw.hi + 1))
    table = quantise_input(values, tensor)
    return InputMap(raw.dtype, raw.lo, tuple(int(code) for code in table))


def _shape(dims: tuple[int, ...]) -> Shape:
    """[h, w, c] of a Keras shape without the batch; a vector becomes [1, 1, c]."""
    if len(dims) == 1:
        return 1, 1, int(dims[0])
    if len(dims) != 3 or None in dims:
        raise UnsupportedLayer(f"tensors of shape {dims} are not supported, only [h, w, c] or [c].")
    height, width, channels = dims
    return int(height), int(width), int(channels)
