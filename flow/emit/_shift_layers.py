"""An IntGraph as an hls4ml ModelGraph and back: layers whose attributes are integers and arrays.

hls4ml's `convert` flow changes the meaning of quantizers, so the graph is handed over whole
(`ModelGraph.from_layer_list`) and only our own passes touch it.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

import numpy as np
from hls4ml.model.attributes import Attribute
from hls4ml.model.layers import Layer
from hls4ml.model.types import FixedPrecisionType

from flow.graph.arithmetic import signed_bits
from flow.graph.store import ARRAYS, input_map_from_fields, node_fields, node_from_fields
from flow.graph.types import IntGraph, Shape, TensorType


class ShiftInput(Layer):  # type: ignore[misc]
    """Input codes of the first quantizer, and how raw samples become them."""

    _expected_attributes: ClassVar = [Attribute("spec", value_type=dict)]

    def initialize(self) -> None:
        """Declare the output variable with the quantizer's fixed-point type."""
        spec = self.get_attr("spec")
        self.add_output_variable(
            spec["input_shape"], precision=_precision(TensorType(**spec["input_type"]))
        )


class ShiftNode(Layer):  # type: ignore[misc]
    """Any node without integer arrays; `spec` holds its integers, `result` what it gives."""

    _expected_attributes: ClassVar = [
        Attribute("spec", value_type=dict),
        Attribute("result", value_type=dict),
    ]

    def initialize(self) -> None:
        """Declare the output, a vector where a map has one pixel, with its quantizer's type."""
        result = self.get_attr("result")
        height, width, channels = result["shape"]
        shape = [channels] if (height, width) == (1, 1) else [height, width, channels]
        self.add_output_variable(shape, precision=_precision(TensorType(**result["type"])))


class ShiftMatrix(ShiftNode):
    """A MatVec node; its integer arrays stand beside `spec`."""

    _expected_attributes: ClassVar = [
        *ShiftNode._expected_attributes,
        *(Attribute(key, value_type=np.ndarray) for key in ARRAYS),
    ]

    def initialize(self) -> None:
        """Declare the output, and the real weights and biases that hls4ml's profiling plots."""
        super().initialize()
        weights = self.get_attr("weights") * self.get_attr("weight_mult")
        for name, integers, exponents in (
            ("real_weight", weights, "weight_exp"),
            ("real_bias", self.get_attr("bias"), "bias_exp"),
        ):
            exps = self.get_attr(exponents)
            low, high = int(exps.min()), int(exps.max())
            bits = signed_bits(int(integers.min()), int(integers.max())) + high - low
            precision = FixedPrecisionType(bits, bits + low, True)
            self.add_weights_variable(
                name, f"{name}{{index}}", precision=precision, data=np.ldexp(integers, exps)
            )


class ShiftNetwork(Layer):  # type: ignore[misc]
    """A whole Keras model as the converter first sees it; the pass `from_keras` expands it."""

    def initialize(self) -> None:
        """Pass the input's shape on; nothing is known yet."""
        self.add_output_variable(self.get_input_variable().shape)


LAYERS = {cls.__name__: cls for cls in (ShiftInput, ShiftMatrix, ShiftNode, ShiftNetwork)}


def layer_list(graph: IntGraph) -> list[dict[str, Any]]:
    """The graph as hls4ml's list of layer dictionaries."""
    head = {
        "name": graph.name,
        "input_shape": list(graph.input_shape),
        "input_type": asdict(graph.input_type),
        "input_map": asdict(graph.input_map),
        "provenance": dict(graph.provenance),
        "notes": list(graph.notes),
    }
    layers: list[dict[str, Any]] = [
        {"class_name": "ShiftInput", "name": graph.input_name, "inputs": ["input"], "spec": head}
    ]
    for node in graph.nodes:
        fields, arrays = node_fields(node)
        layers.append(
            {
                "class_name": "ShiftMatrix" if arrays else "ShiftNode",
                "name": node.name,
                "inputs": list(node.sources),
                "spec": fields,
                "result": {"shape": list(node.out_shape), "type": asdict(node.y)},
                **{key: np.array(array) for key, array in arrays.items()},
            }
        )
    return layers


def graph_of(model: Any) -> IntGraph:
    """The IntGraph that a ModelGraph holds."""
    head, *layers = list(model.get_layers())
    spec = head.get_attr("spec")
    height, width, channels = spec["input_shape"]
    shape: Shape = (height, width, channels)
    return IntGraph(
        name=spec["name"],
        input_name=head.name,
        input_shape=shape,
        input_type=TensorType(**spec["input_type"]),
        input_map=input_map_from_fields(spec["input_map"]),
        nodes=tuple(
            node_from_fields(
                layer.get_attr("spec"),
                {k: np.array(layer.get_attr(k)) for k in ARRAYS if k in layer.attributes},
            )
            for layer in layers
        ),
        provenance=spec["provenance"],
        notes=tuple(spec["notes"]),
    )


def _precision(tensor: TensorType) -> FixedPrecisionType:
    """ap_fixed type of real = code * 2**scale_exp (a zero point is the host's business)."""
    return FixedPrecisionType(tensor.bits, tensor.bits + tensor.scale_exp, tensor.signed)
