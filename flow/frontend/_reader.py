"""Reads the layers of a model one after the other, and remembers what every tensor is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from math import prod
from typing import Any

from flow.frontend._activations import is_table, quantizer_problem
from flow.frontend._layers import (
    HOST,
    RELUS,
    function_name,
    is_quantizer,
    layer_problems,
    more_than_channels,
    relu_ceiling,
    role,
    unknown,
)
from flow.frontend._permutations import transposed
from flow.frontend._steps import NO_PADS, SUMS, Source, Step, Value
from flow.graph.types import Shape

QUANTIZE_INPUT = (
    "put QActivation('quantized_bits(8,2)') before it, with as many integer bits as your data need"
)
CODES = ("largest", "upsample", "concat")  # whose values are codes when their inputs are


class Reader:
    """Collects `steps` and `problems`; `values` holds what is known of every tensor so far."""

    def __init__(self, problems: Iterable[str] = ()) -> None:
        self.problems = list(problems)  # those of the model as a whole come first
        self.steps: list[Step] = []
        self.values: dict[int, Value] = {}
        self.quantized: set[str] = set()  # inputs
        self.calls: Counter[int] = Counter()

    def read(self, model: Any, nodes: Sequence[Any]) -> None:
        """Read Keras' nodes (calls of layers), each after all that it reads."""
        for raw in model.inputs:
            self.values[id(raw)] = Value(self._shape(model.name, raw), raw=raw.name)
        ends = {id(tensor) for tensor in model.outputs}
        readers = Counter(id(tensor) for node in nodes for tensor in node.keras_inputs)
        for node in nodes:
            layer, outputs = node.layer, node.outputs
            outputs = outputs if isinstance(outputs, list) else [outputs]
            inputs = [self.values[id(tensor)] for tensor in node.keras_inputs]
            self.calls[id(layer)] += 1
            value = self._read_layer(layer, inputs, outputs[0], id(outputs[0]) in ends)
            if value.optional and readers[id(outputs[0])] > 1:
                value = self._close(value)  # a quantizer behind it is one reader of several
            self.values |= {id(output): value for output in outputs}
        for tensor in model.outputs:
            self._end(self.values[id(tensor)], model.name)

    def _read_layer(self, layer: Any, inputs: list[Value], output: Any, is_last: bool) -> Value:
        kind = role(layer)
        if is_last and _is_host(getattr(layer, "activation", None)) and kind == "function":
            kind = "host"
        self._check_host(layer, inputs)
        if kind == "identity":
            return inputs[0]
        if kind == "host":
            return replace(inputs[0], last=layer.name)
        if hasattr(layer, "layers"):  # a model, a problem already; what it gives is not known
            return Value(None)
        self.problems += layer_problems(layer, kind)
        if kind == "":
            self.problems.append(unknown(layer))
            return inputs[0]
        if kind == "quantizer":
            quantizer = getattr(layer, "quantizer", getattr(layer, "activation", None))
            return self._quantize(inputs[0], quantizer, layer)
        if kind == "relu":
            return self._relu(inputs[0], layer)
        if kind == "norm":
            return self._norm(inputs[0], layer, output)
        if kind in ("shape", "padding", "permute"):
            return self._move(inputs[0], layer, kind, output)
        value = self._compute(layer, kind, inputs, output)
        activation = getattr(layer, "activation", None)
        if kind not in ("matrix", "average") or activation is None or value.open is None:
            return value
        return self._activate(value, activation, layer, is_last)

    def _compute(self, layer: Any, kind: str, inputs: list[Value], output: Any) -> Value:
        shape = self._shape(layer.name, output)
        sources = tuple(self._source(layer, kind, value) for value in inputs)
        if shape is None:
            return Value(None)
        self._check_once(layer)
        step = Step(layer.name, kind, layer, sources, shape)
        value = Value(shape, open=step, optional=kind in CODES)
        return value if kind not in ("largest", "upsample") else self._close(value)

    def _activate(self, value: Value, activation: Any, layer: Any, is_last: bool) -> Value:
        """The `activation=` of a layer."""
        assert value.open is not None
        if is_quantizer(activation):
            return self._quantize(value, activation, layer)
        if is_last and _is_host(activation):
            return replace(value, last=layer.name)
        name = function_name(activation)
        if name in RELUS:
            return replace(value, open=replace(value.open, relu=True, ceiling=RELUS[name]))
        if name != "linear":
            self.problems.append(
                f"layer {layer.name!r} has activation={name!r}; make it a layer of its own."
            )
        return value

    def _source(self, layer: Any, kind: str, value: Value) -> Source:
        """The codes that a layer reads; whatever is no codes is a problem."""
        if value.open is not None and value.optional:
            value = self._close(value)
        if value.open is not None:
            self.problems.append(
                f"layer {layer.name!r} reads {value.open.name!r} without a quantizer between them; "
                f"{_where_to_quantize(value)}."
            )
        elif value.source is None and value.shape is not None:
            self.problems.append(_reads_input(layer))
        source = value.source or Source(0, value.shape or (1, 1, 1))
        if source.pads != NO_PADS and (kind not in ("matrix", "largest") or _is_dense(layer)):
            self.problems.append(
                f"layer {layer.name!r} ({type(layer).__name__}) reads padded values; zeros can be "
                "padded before a convolution or a max pool."
            )
        return source

    def _quantize(self, value: Value, quantizer: Any, layer: Any) -> Value:
        problem = quantizer_problem(quantizer)
        if problem:
            self.problems.append(f"quantizer {layer.name!r} {problem}.")
        table = problem is None and is_table(quantizer)
        if value.open is not None and value.moved is not None:
            self.problems.append(
                f"layer {value.moved.name!r} ({type(value.moved).__name__}) stands between "
                f"{value.open.name!r} and its quantizer; move it behind the QActivation."
            )
        shape = value.shape
        if shape is None:
            return value
        if value.source is not None:  # codes again: another scale, or a function of them
            if value.source.pads != NO_PADS:
                self.problems.append(
                    f"quantizer {layer.name!r} reads padded values; put it before the padding."
                )
            self._check_once(layer)
            kind = "table" if table else "rescale"
            opened = Step(layer.name, kind, None, (value.source,), shape)
            value = Value(shape, open=opened)
        elif table:
            self.problems.append(
                f"quantizer {layer.name!r} ({type(quantizer).__name__}) must read codes; put a "
                "quantized_bits or quantized_bits_featuremap before it."
            )
        if value.open is None:  # the network's input
            if value.raw and value.raw in self.quantized:
                self.problems.append(
                    f"quantizer {layer.name!r} is a second one of the input; quantize it once."
                )
            self.quantized.add(value.raw)
            value = Value(shape, open=Step("", "input", None, (), shape))
        return self._close(value, quantizer, layer.name)

    def _close(self, value: Value, quantizer: Any = None, quantizer_layer: str = "") -> Value:
        """Make a step of an open value; its codes are what is left of the value."""
        assert value.open is not None
        assert value.shape is not None
        opened = value.open
        again = [s for s in self.steps if s.layer is opened.layer and s.sources == opened.sources]
        if again and opened.layer is not None:
            self.problems.append(
                f"layer {opened.name!r} is read by {again[0].quantizer_layer or 'a layer'!r} and "
                f"by {quantizer_layer or 'a layer'!r}; let the second read the first's codes."
            )
        self.steps.append(replace(opened, quantizer=quantizer, quantizer_layer=quantizer_layer))
        return Value(value.shape, Source(len(self.steps) - 1, value.shape))

    def _relu(self, value: Value, layer: Any) -> Value:
        ceiling = relu_ceiling(layer)
        if ceiling is not None and ceiling <= 0:
            self.problems.append(f"layer {layer.name!r} has max_value={ceiling}, not above 0.")
            ceiling = None
        if value.open is None and value.source is None:
            if value.shape is not None:
                self.problems.append(_reads_input(layer))
            return value
        if value.open is None:
            self._check_once(layer)
            source = self._source(layer, "relu", value)
            assert value.shape is not None
            step = Step(layer.name, "rescale", layer, (source,), value.shape)
            value = Value(value.shape, open=step, optional=True)
        assert value.open is not None
        if value.open.ceiling is not None:
            ceiling = min(ceiling or value.open.ceiling, value.open.ceiling)
        return replace(value, open=replace(value.open, relu=True, ceiling=ceiling))

    def _norm(self, value: Value, layer: Any, output: Any) -> Value:
        """Batch normalization: of a layer's sums, or of codes."""
        opened = value.open
        if opened is not None and opened.role == "matrix" and not (opened.relu or opened.norm):
            return replace(value, open=replace(opened, norm=layer))
        return self._compute(layer, "norm", [value], output)

    def _move(self, value: Value, layer: Any, kind: str, output: Any) -> Value:
        """Flatten, Reshape, Permute, ZeroPadding: no arithmetic, so they must read codes."""
        if value.open is not None and value.optional:
            value = self._close(value)
        shape = self._shape(layer.name, output, silent=kind != "padding")
        if value.open is not None:  # a problem, told where a quantizer follows, or none does
            return replace(value, shape=shape or value.shape, moved=value.moved or layer)
        if value.source is None:
            if kind == "permute" and value.shape is not None:
                self.problems.append(_reads_input(layer))
            return replace(value, shape=shape or value.shape)
        source = value.source
        if kind == "padding":
            total = tuple(a + b for a, b in zip(source.pads, _paddings(layer), strict=True))
            top, bottom, left, right = total
            return Value(shape, replace(source, pads=(top, bottom, left, right)))
        if source.pads != NO_PADS:
            self.problems.append(f"layer {layer.name!r} reads padded values.")
        step = self._permute(source.step, layer, output) if kind == "permute" else source.step
        shape = shape or source.shape  # more than three axes, which have another name for a while
        return Value(shape, Source(step, shape))

    def _permute(self, step: int, layer: Any, output: Any) -> int:
        """The step whose codes a Permute of the codes of `step` gives, in raster order."""
        found = transposed(layer.dims, tuple(output.shape)[1:])
        if found is None or found == (1, 1):  # told by layer_problems; nothing changes places
            return step
        height, width, channels = shape = self._unreshaped(step)
        matrix = prod(found)
        if channels % matrix:
            self.problems.append(more_than_channels(layer))
            return step
        if matrix != channels:
            shape = (1, height * width * channels // matrix, matrix)
        self._check_once(layer)
        opened = Step(layer.name, "shuffle", layer, (Source(step, shape),), shape)
        self._close(Value(shape, open=opened))
        return len(self.steps) - 1

    def _unreshaped(self, step: int) -> Shape:
        """The shape of a step's codes before any Reshape in front of a function of each of them."""
        while self.steps[step].role in ("rescale", "table", "function"):
            (source,) = self.steps[step].sources
            step = source.step
        return self.steps[step].out_shape

    def _end(self, value: Value, model: str) -> None:
        if value.open is not None:
            opened = value.open
            if value.moved is not None or not (value.optional or opened.role in SUMS):
                self.problems.append(
                    f"layer {opened.name!r} has no quantizer behind it; "
                    f"{_where_to_quantize(value, ' after it')}."
                )
            if not self.problems:
                self._close(value)
        elif value.source is not None and value.source.pads != NO_PADS:
            self.problems.append(f"model {model!r} ends with padding.")
        if len(self.steps) < 2 and not self.problems:
            self.problems.append(f"model {model!r} has no quantized layer.")

    def _check_host(self, layer: Any, inputs: list[Value]) -> None:
        for value in inputs:
            if value.last:
                self.problems.append(
                    f"layer {layer.name!r} reads {value.last!r}, which only the host computes; it "
                    "must be the last layer."
                )

    def _check_once(self, layer: Any) -> None:
        if self.calls[id(layer)] == 2:
            self.problems.append(
                f"layer {layer.name!r} is used more than once; make a layer for each."
            )

    def _shape(self, name: str, tensor: Any, silent: bool = False) -> Shape | None:
        dims = tuple(tensor.shape)[1:]
        if not 1 <= len(dims) <= 3 or None in dims:
            if not silent:
                self.problems.append(
                    f"{name!r} has a tensor of shape {dims}; [h, w, c], [w, c] and [c] of known "
                    "sizes are supported."
                )
            return None
        height, width, channels = (1, 1, *map(int, dims))[-3:]
        return height, width, channels


def _where_to_quantize(value: Value, otherwise: str = "") -> str:
    """Advice for a value that waits for its quantizer."""
    assert value.open is not None
    if value.moved is None:
        return f"add a QActivation{otherwise}"
    return f"add a QActivation between {value.open.name!r} and {value.moved.name!r}"


def _reads_input(layer: Any) -> str:
    return f"layer {layer.name!r} reads the unquantized input; {QUANTIZE_INPUT}."


def _is_host(activation: Any) -> bool:
    return activation is not None and function_name(activation) in HOST


def _is_dense(layer: Any) -> bool:
    return type(layer).__name__ == "QDense"


def _paddings(layer: Any) -> tuple[int, int, int, int]:
    padding = layer.padding
    if isinstance(padding[0], int):
        return 0, 0, int(padding[0]), int(padding[1])
    (top, bottom), (left, right) = padding
    return int(top), int(bottom), int(left), int(right)
