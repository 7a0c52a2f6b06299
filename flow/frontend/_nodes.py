"""One step of a model as one node of the IntGraph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flow.errors import UnsupportedLayer
from flow.frontend._activations import after_relu, rounding, tensor_type
from flow.frontend._constant_channels import constant_channels
from flow.frontend._geometry import convolution_window, pool_window
from flow.frontend._layers import function_name
from flow.frontend._permutations import transposed
from flow.frontend._steps import NO_PADS, Source, Step
from flow.frontend._weights import Bias, Kernel, normalized, read_bias, read_kernel
from flow.graph.arithmetic import dequantise, exact_type
from flow.graph.types import (
    POINT,
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Node,
    Rescale,
    Rounding,
    Shape,
    Table,
    TensorType,
    Upsample,
)

TABLE_BITS = 16
WIDEST = TensorType(32, True, 0, 0, -(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Tensor:
    """What a node reads."""

    name: str
    source: Source
    type: TensorType


def build_node(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    """The node of a step; remarks for the user are appended to `notes`.

    Raises:
        UnsupportedLayer: types or weights that have no exact integers.
        NotFrozen: weight scales that are no powers of two.
    """
    return _BUILDERS[step.role](step, inputs, notes)


def output_type(step: Step, inputs: Sequence[Tensor]) -> TensorType:
    """The type that a step's quantizer (without one: its first input) gives its codes."""
    if step.quantizer is not None:
        return tensor_type(step.quantizer, step.relu, step.ceiling)
    plain = inputs[0].type
    return after_relu(plain, Rounding.HALF_UP, step.ceiling) if step.relu else plain


def _how(step: Step) -> Rounding:
    return Rounding.HALF_UP if step.quantizer is None else rounding(step.quantizer)


def _matrix(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    layer, channels = step.layer, step.out_shape[2]
    kernel = read_kernel(layer, notes)
    bias = read_bias(layer, channels, notes)
    kind, weights, groups = _arranged(layer, kernel.codes)
    if step.norm is not None:
        flat = replace(kernel, codes=weights)  # its channels last, also of a depthwise one
        kernel, bias = normalized(flat, bias, step.norm, f"layer {layer.name!r}")
        weights = kernel.codes
    in_shape, window = x.source.shape, POINT
    if type(layer).__name__ == "QDense":
        in_shape = in_shape if kind is Kind.CONV else (1, 1, weights.shape[2])
    else:
        window = convolution_window(
            layer.kernel_size, layer.strides, layer.padding, x.source, step.out_shape
        )
    node = MatVec(
        name=step.name,
        source=x.name,
        kind=kind,
        in_shape=in_shape,
        out_shape=step.out_shape,
        window=window,
        weights=weights,
        weight_bits=kernel.bits,
        weight_exp=kernel.exponent,
        bias=bias.codes,
        bias_bits=bias.bits,
        bias_exp=bias.exponent,
        x=x.type,
        y=WIDEST if step.quantizer is None else output_type(step, inputs),
        rounding=_how(step),
        groups=groups,
        weight_mult=kernel.mult,
    )
    if step.quantizer is not None:
        return constant_channels(node, notes)
    return _exact_sums(step, node)


def _norm(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    """Batch normalization of codes: a depthwise layer of one weight, 1, per channel."""
    (x,) = inputs
    channels = step.out_shape[2]
    zeros = np.zeros(channels, np.int64)
    ones = Kernel(np.ones((1, 1, channels), np.int64), zeros + 1, zeros, 2)
    kernel, bias = normalized(ones, Bias(zeros, zeros, 0), step.layer, f"layer {step.name!r}")
    return MatVec(
        step.name, x.name, Kind.DEPTHWISE, step.out_shape, step.out_shape, POINT, kernel.codes,
        kernel.bits, kernel.exponent, bias.codes, bias.bits, bias.exponent, x.type,
        output_type(step, inputs), _how(step), weight_mult=kernel.mult,
    )  # fmt: skip


def _arranged(layer: Any, codes: Any) -> tuple[Kind, Any, int]:
    """Kind, weights in the graph's layout, groups."""
    kind = type(layer).__name__
    if kind == "QDense":
        _, *leading, _ = layer.input_shape
        point = any(size != 1 for size in leading)  # on a map: for every pixel
        return (Kind.CONV if point else Kind.DENSE), codes[None, None], 1
    if kind == "QConv1D":
        return Kind.CONV, codes[None], int(layer.groups)
    if not kind.startswith("QDepthwise"):
        return Kind.CONV, codes, int(layer.groups)
    height, width, channels, multiplier = codes.shape
    if multiplier == 1:
        return Kind.DEPTHWISE, codes[..., 0], 1
    return Kind.CONV, codes.reshape(height, width, 1, channels * multiplier), channels


def _exact_sums(step: Step, node: MatVec | Add | Multiply) -> Node:
    """Without a quantizer, a layer at the end of the network gives its sums as they are."""
    if step.quantizer is not None:
        return node
    y = exact_type(node)
    return replace(node, y=after_relu(y, Rounding.HALF_UP, step.ceiling) if step.relu else y)


def _average(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    window = pool_window(step.layer, x.source, step.out_shape)
    y = output_type(step, inputs)
    quantizer = getattr(step.layer, "average_quantizer_internal", None)
    if quantizer is None:
        return AveragePool(
            step.name, x.name, x.source.shape, step.out_shape, window, x.type, y,
            rounding=_how(step),
        )  # fmt: skip
    from models.quantizers import stock

    channels = step.out_shape[2]
    factor = np.array(1.0 / window.taps, np.float32)
    code = stock.weight_codes(quantizer, factor, f"layer {step.name!r}: its average_quantizer")
    zeros = np.zeros(channels, np.int64)
    return MatVec(
        step.name, x.name, Kind.DEPTHWISE, x.source.shape, step.out_shape, window,
        np.full((window.kernel_h, window.kernel_w, channels), int(code.codes)), code.bits,
        zeros + int(code.exponents), zeros, 0, zeros, x.type, y, _how(step),
    )  # fmt: skip


def _largest(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    if x.source.pads != NO_PADS and x.type.lo != x.type.zero_point:
        raise UnsupportedLayer(
            f"layer {step.name!r}: its max pool reads padded zeros, which may win over negative "
            "values; pad behind a ReLU, or use padding='same'."
        )
    window = pool_window(step.layer, x.source, step.out_shape)
    return MaxPool(step.name, x.name, x.source.shape, step.out_shape, window, x.type)


def _merge(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    product = type(step.layer).__name__ == "Multiply"
    if product and inputs[0].source.shape != step.out_shape:
        inputs = inputs[::-1]
    names, shapes, types = _columns(inputs)
    y = WIDEST if step.quantizer is None else output_type(step, inputs)
    if not product:
        if len(set(shapes)) != 1:
            raise UnsupportedLayer(
                f"layer {step.name!r} adds tensors of shapes {', '.join(map(str, shapes))}; equal "
                "ones are supported."
            )
        return _exact_sums(step, Add(step.name, names, shapes, types, y, _how(step)))
    vector = (1, 1, shapes[0][2])
    if len(shapes) != 2 or shapes[1] not in (shapes[0], vector):
        raise UnsupportedLayer(
            f"layer {step.name!r} multiplies tensors of shapes {', '.join(map(str, shapes))}; two "
            "equal ones, or a map and a vector of its channels, are supported."
        )
    return _exact_sums(step, Multiply(step.name, names, shapes, types, y, _how(step)))


def _concat(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    names, shapes, types = _columns(inputs)
    if step.quantizer is None and len(set(types)) != 1:
        raise UnsupportedLayer(
            f"layer {step.name!r} joins tensors of different scales or ranges; add a QActivation "
            "behind it."
        )
    return Concat(step.name, names, shapes, types, output_type(step, inputs), _how(step))


def _columns(
    inputs: Sequence[Tensor],
) -> tuple[tuple[str, ...], tuple[Shape, ...], tuple[TensorType, ...]]:
    return (
        tuple(x.name for x in inputs),
        tuple(x.source.shape for x in inputs),
        tuple(x.type for x in inputs),
    )


def _rescale(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    y = output_type(step, inputs)
    return Rescale(step.name, x.name, x.source.shape, x.type, y, _how(step))


def _table(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    if x.type.bits > TABLE_BITS:
        raise UnsupportedLayer(
            f"layer {step.name!r} is a table of {x.type.bits}-bit codes; {TABLE_BITS} bits are the "
            "most. Quantize its input to fewer."
        )
    from flow.frontend._keras_values import table_codes

    codes = np.arange(x.type.lo, x.type.hi + 1)
    table = tuple(table_codes(step, dequantise(codes, x.type)).tolist())
    function = type(step.quantizer).__name__ if step.layer is None else _function(step.layer)
    y = output_type(step, inputs)
    return Table(step.name, x.name, x.source.shape, x.type, y, table, function)


def _function(layer: Any) -> str:
    activation = getattr(layer, "activation", None)
    return type(layer).__name__ if activation is None else function_name(activation)


def _upsample(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    size = step.layer.size
    rows, cols = (1, size) if isinstance(size, int) else size
    return Upsample(step.name, x.name, x.source.shape, int(rows), int(cols), x.type)


def _shuffle(step: Step, inputs: Sequence[Tensor], notes: list[str]) -> Node:
    (x,) = inputs
    found = transposed(step.layer.dims, step.layer.output_shape[1:])
    assert found is not None  # else the reader refused it
    groups, _ = found
    return ChannelShuffle(step.name, x.name, x.source.shape, groups, x.type)


_BUILDERS: dict[str, Callable[[Step, Sequence[Tensor], list[str]], Node]] = {
    "matrix": _matrix,
    "norm": _norm,
    "average": _average,
    "largest": _largest,
    "merge": _merge,
    "concat": _concat,
    "rescale": _rescale,
    "table": _table,
    "function": _table,
    "upsample": _upsample,
    "shuffle": _shuffle,
}
