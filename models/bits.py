"""Bit-widths of a network: read from `mpq/*.yaml`, or the same width everywhere."""

from dataclasses import dataclass, replace
from math import prod
from pathlib import Path

import yaml

from flow.errors import ConfigError
from flow.graph.types import IntGraph, MatVec

MPQ_FOLDER = Path(__file__).parent / "mpq"
FLAT_BIAS_BITS = 31
FLAT_WIDTHS = {"flat4": 4, "flat8": 8, "flat16": 16}


@dataclass(frozen=True, slots=True)
class ActivationBits:
    """One activation quantizer."""

    layer: str
    bits: int
    signed: bool  # False behind a ReLU: codes 0..2**bits - 1
    elements: int  # values per sample


@dataclass(frozen=True, slots=True)
class WeightBits:
    """One convolution or dense layer."""

    layer: str
    kind: str  # conv2d, depthwise_conv2d or dense
    weight_bits: int
    bias_bits: int
    weights: int  # number of kernel elements
    biases: int


@dataclass(frozen=True, slots=True)
class NetworkBits:
    """All widths of one network, in the order of its layers."""

    network: str
    input_elements: int
    input_bits: int  # of the raw input, counted in `a_bits`
    reference: tuple[int, int, int]  # weight, bias and activation bits of the reference
    output_bits: int  # of each value that the host computes at the end, counted in `a_bits`
    output_elements: int
    verification: dict[str, int]  # totals of the source: a_bits, a_reference, p_bits, p_reference
    layers: tuple[ActivationBits | WeightBits, ...]

    @property
    def activations(self) -> dict[str, ActivationBits]:
        """Activation quantizers by layer name."""
        return {item.layer: item for item in self.layers if isinstance(item, ActivationBits)}

    @property
    def matrices(self) -> dict[str, WeightBits]:
        """Layers with weights by layer name."""
        return {item.layer: item for item in self.layers if isinstance(item, WeightBits)}

    @property
    def p_bits(self) -> int:
        """Bits of all kernels and biases (the thesis' cost, as AutoQKeras counts it)."""
        return sum(
            item.weights * item.weight_bits + item.biases * item.bias_bits
            for item in self.matrices.values()
        )

    @property
    def a_bits(self) -> int:
        """Bits of the input and of every quantized activation tensor of one sample."""
        quantized = sum(item.elements * item.bits for item in self.activations.values())
        return self.host_bits + quantized

    @property
    def host_bits(self) -> int:
        """The part of `a_bits` that no layer of the network holds: input and softmax layer."""
        return self.input_elements * self.input_bits + self.output_elements * self.output_bits

    def flat(self, bits: int, bias_bits: int = FLAT_BIAS_BITS) -> "NetworkBits":
        """Return the same network with one width for all weights and activations."""
        return self._with_widths(bits, bias_bits, bits)

    def as_reference(self) -> "NetworkBits":
        """Return the same network with the widths that the source compares against."""
        return self._with_widths(*self.reference)

    def _with_widths(self, weight_bits: int, bias_bits: int, act_bits: int) -> "NetworkBits":
        return replace(
            self,
            layers=tuple(
                replace(item, bits=act_bits)
                if isinstance(item, ActivationBits)
                else replace(item, weight_bits=weight_bits, bias_bits=bias_bits)
                for item in self.layers
            ),
        )


def network_bits(network: str, quant: str = "mpq", folder: Path = MPQ_FOLDER) -> NetworkBits:
    """Return the widths of a network: 'mpq' from its yaml, or 'flat4', 'flat8', 'flat16'.

    Raises:
        ConfigError: unknown network or quantization, or a malformed file.
    """
    path = folder / f"{network}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(item.stem for item in folder.glob("*.yaml")))
        raise ConfigError(
            f"no bit-widths for network {network!r} in {folder.name}/.\n  Choose one of: {known}."
        )
    if quant != "mpq" and quant not in FLAT_WIDTHS:
        raise ConfigError(
            f"quantization {quant!r} of {network!r} is unknown.\n"
            f"  Choose one of: mpq, {', '.join(FLAT_WIDTHS)}."
        )
    mixed = _parse(path)
    return mixed if quant == "mpq" else mixed.flat(FLAT_WIDTHS[quant])


def graph_bits(graph: IntGraph) -> tuple[int, int]:
    """Bits of all weights and biases, and of all activation tensors, of an integer graph.

    What the host holds (`NetworkBits.host_bits`) is not among the latter.
    """
    matrices = [node for node in graph.nodes if isinstance(node, MatVec)]
    p_bits = sum(
        node.weights.size * node.weight_bits + node.bias.size * node.bias_bits for node in matrices
    )
    tensors = [(graph.input_shape, graph.input_type)]
    tensors += [(node.out_shape, node.y) for node in graph.nodes]
    return p_bits, sum(prod(shape) * tensor.bits for shape, tensor in tensors)


def _parse(path: Path) -> NetworkBits:
    try:
        table = yaml.safe_load(path.read_text(encoding="utf-8"))
        shape = table["input_shape"]
        reference, totals = table["reference"], table["verification"]
        return NetworkBits(
            network=table["network"],
            input_elements=prod(map(int, shape)),
            input_bits=int(table["input_bits"]),
            output_bits=int(table.get("output_bits", 0)),
            output_elements=int(table.get("output_elements", 0)),
            reference=(reference["weight_bits"], reference["bias_bits"], reference["act_bits"]),
            verification={
                "a_bits": totals["a_bits"]["trial"],
                "a_reference": totals["a_bits"]["reference"],
                "p_bits": totals["p_bits"]["trial"],
                "p_reference": totals["p_bits"]["reference"],
            },
            layers=tuple(_layer(item) for item in table["layers"]),
        )
    except (KeyError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(
            f"bit-widths in {path.name} are malformed: {error!r}.\n"
            "  Compare the file with mpq/kws.yaml, which has every key."
        ) from error


def _layer(item: dict[str, object]) -> ActivationBits | WeightBits:
    if item["kind"] == "activation":
        return ActivationBits(
            str(item["layer"]), _int(item, "act_bits"), bool(item["signed"]), _int(item, "elements")
        )
    return WeightBits(
        str(item["layer"]),
        str(item["kind"]),
        _int(item, "weight_bits"),
        _int(item, "bias_bits"),
        _int(item, "weights"),
        _int(item, "biases"),
    )


def _int(item: dict[str, object], key: str) -> int:
    value = item[key]
    if not isinstance(value, int):
        raise TypeError(f"{key} of layer {item['layer']!r} is {value!r}, not an integer")
    return value
