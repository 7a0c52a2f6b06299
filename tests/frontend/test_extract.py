"""QKeras models become integers that compute the same, whatever their geometry and types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from flow.frontend import from_keras
from flow.graph import (
    AveragePool,
    Kind,
    MatVec,
    Window,
    accumulator_bits,
    map_input,
)
from models import ranges
from models.quantizers import CUSTOM_OBJECTS
from models.raw import RawInput
from tests.frontend.small_models import (
    activation,
    checked,
    conv,
    dense,
    depthwise,
    frozen,
    samples,
)

L = tf.keras.layers

GEOMETRIES: dict[str, tuple[tuple[int, ...], Callable[[], Any], Window]] = {
    "same_stride_1": ((5, 4, 2), lambda: conv(3, 3, padding="same"), Window(3, 3, 1, 1, 1, 1)),
    "same_with_odd_total_padding": (
        (6, 5, 2), lambda: conv(3, 3, strides=2, padding="same"), Window(3, 3, 2, 2, 0, 1),
    ),
    "same_with_even_kernel": (
        (5, 6, 2), lambda: conv(3, (4, 2), padding="same"), Window(4, 2, 1, 1, 1, 0),
    ),
    "same_with_even_kernel_and_stride": (
        (9, 7, 1), lambda: conv(3, (4, 2), strides=(2, 1), padding="same"),
        Window(4, 2, 2, 1, 1, 0),
    ),
    "same_with_a_stride_above_the_kernel": (
        (7, 7, 2), lambda: conv(3, 1, strides=2, padding="same"), Window(1, 1, 2, 2, 0, 0),
    ),
    "valid": ((5, 6, 2), lambda: conv(3, (3, 2)), Window(3, 2, 1, 1, 0, 0)),
    "valid_that_leaves_a_row": ((6, 6, 2), lambda: conv(3, 3, strides=2), Window(3, 3, 2, 2, 0, 0)),
    "kernel_larger_than_the_map": (
        (2, 2, 2), lambda: conv(3, 5, padding="same"), Window(5, 5, 1, 1, 2, 2),
    ),
    "depthwise": ((5, 4, 3), lambda: depthwise(3, padding="same"), Window(3, 3, 1, 1, 1, 1)),
    "depthwise_even_stride": (
        (7, 6, 3), lambda: depthwise((2, 4), strides=2, padding="same"), Window(2, 4, 2, 2, 0, 1),
    ),
    "depthwise_valid": ((5, 4, 3), lambda: depthwise((3, 2)), Window(3, 2, 1, 1, 0, 0)),
    "pointwise": ((4, 3, 5), lambda: conv(6, 1, padding="same"), Window(1, 1, 1, 1, 0, 0)),
    "no_bias": (
        (5, 4, 2), lambda: conv(3, 3, padding="same", use_bias=False), Window(3, 3, 1, 1, 1, 1),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", GEOMETRIES)
@pytest.mark.parametrize("symmetric", [1, 0])
def test_every_geometry_is_exact(case: str, symmetric: int) -> None:
    shape, layer, window = GEOMETRIES[case]
    model = frozen(shape, [activation(6, symmetric=symmetric), layer(), activation(7)])
    graph = checked(model)
    assert graph.nodes[0].window == window
    assert graph.nodes[0].out_shape == model.output_shape[1:]
    assert (graph.input_type.zero_point != 0) == (symmetric == 0)


def test_a_whole_chain_of_all_layers_is_exact() -> None:
    layers = [
        activation(8, symmetric=0),
        conv(6, (4, 3), strides=2, padding="same"), L.ReLU(), activation(5, signed=False),
        depthwise(3, padding="same", bits=3), L.ReLU(max_value=6.0), activation(4, symmetric=0),
        conv(4, 1, bits=2), activation(9),
        L.AveragePooling2D((2, 3), (1, 2)), activation(11),
        L.Dropout(0.5), L.Flatten(),
        dense(7, bits=16), L.ReLU(), activation(16, signed=False),
        L.Reshape((7,)),
        dense(5, bits=8), activation(12, symmetric=0),
    ]  # fmt: skip
    graph = checked(frozen((9, 8, 2), layers))
    assert [node.kind for node in graph.nodes] == [
        Kind.CONV, Kind.DEPTHWISE, Kind.CONV, Kind.AVERAGE_POOL, Kind.DENSE, Kind.DENSE,
    ]  # fmt: skip
    assert [node.source for node in graph.nodes] == ["codes", *(n.name for n in graph.nodes[:-1])]


@pytest.mark.parametrize("keepdims", [False, True])
def test_a_global_pool_is_a_window_of_the_whole_map(keepdims: bool) -> None:
    layers = [activation(6, symmetric=0), L.GlobalAveragePooling2D(keepdims=keepdims)]
    graph = checked(frozen((5, 3, 4), [*layers, activation(9), dense(3), activation(8)]))
    pool = graph.nodes[0]
    assert isinstance(pool, AveragePool)
    assert (pool.window, pool.out_shape) == (Window(5, 3, 1, 1, 0, 0), (1, 1, 4))


def test_an_average_pool_with_its_default_stride_is_exact() -> None:
    graph = checked(frozen((7, 6, 3), [activation(6), L.AveragePooling2D((3, 2)), activation(8)]))
    assert graph.nodes[0].window == Window(3, 2, 3, 2, 0, 0)
    assert graph.nodes[0].out_shape == (2, 3, 3)


def test_a_flattened_map_is_read_in_channels_last_order() -> None:
    graph = checked(frozen((3, 2, 2), [activation(6), L.Flatten(), dense(4), activation(8)]))
    assert graph.nodes[0].in_shape == (1, 1, 12)
    assert graph.nodes[0].weights.shape == (1, 1, 12, 4)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("symmetric", [1, 0])
def test_a_relu_raises_lo_to_the_zero_point(signed: bool, symmetric: int) -> None:
    last = activation(6, signed=signed, symmetric=symmetric)
    model = frozen((4, 4, 2), [activation(6), conv(3, 1), L.ReLU(), last])
    y = checked(model).output.y
    assert y.lo == y.zero_point
    assert y.hi == last.quantizer.hi


def test_a_relu6_lowers_hi_to_the_code_of_six() -> None:
    model = frozen((4, 4, 8), [activation(8), conv(3, 1, bits=8), L.ReLU(6.0), activation(8)])
    model.layers[-1].quantizer.codes.assign([2, 0, 1, -3])  # a range of +-16, twice what is needed
    y = checked(model).output.y
    assert (y.scale_exp, y.lo, y.hi) == (-3, 0, 48)


def test_a_relu6_between_two_codes_rounds_half_up() -> None:
    model = frozen((4, 4, 8), [activation(8), conv(3, 1, bits=8), L.ReLU(6.0), activation(8)])
    model.layers[-1].quantizer.codes.assign([2, 0, 1, 2])  # 6 / 4 = 1.5
    assert checked(model).output.y.hi == 2


def test_widths_and_exponents_are_those_that_the_quantizers_export() -> None:
    layers = [
        activation(7, symmetric=0), conv(5, 3, bits=3), L.ReLU(), activation(5, signed=False),
        dense(4, bits=9, bias_bits=12), activation(10),
    ]  # fmt: skip
    layers.insert(4, L.Flatten())
    model = frozen((5, 5, 2), layers)
    graph = checked(model)
    quantizers = [layer.quantizer for layer in model.layers if "activation" in layer.name]
    for tensor, quantizer in zip(
        [graph.input_type, *(node.y for node in graph.nodes)], quantizers, strict=True
    ):
        codes = quantizer.export()
        assert (tensor.bits, tensor.signed) == (codes.bits, codes.signed)
        assert (tensor.scale_exp, tensor.zero_point) == (codes.scale_exp, codes.zero_point)
    assert [(n.weight_bits, n.bias_bits) for n in graph.nodes] == [(3, 31), (9, 12)]
    for node, name in ((graph.nodes[0], "q_conv2d"), (graph.nodes[1], "q_dense")):
        layer = next(la for la in model.layers if la.name.startswith(name))
        kernel, bias = layer.get_weights()
        effective = layer.kernel_quantizer_internal(tf.constant(kernel, tf.float64)).numpy()
        real = node.weights * 2.0**node.weight_exp
        np.testing.assert_array_equal(real.reshape(effective.shape), effective)
        effective = layer.bias_quantizer_internal(tf.constant(bias, tf.float64)).numpy()
        np.testing.assert_array_equal(node.bias * 2.0**node.bias_exp, effective)


def test_31_bit_biases_are_kept_to_the_last_bit_that_float32_holds() -> None:
    model = frozen((3, 3, 2), [activation(6), conv(4, 1), activation(8)])
    graph = checked(model)
    bias = model.layers[2].get_weights()[1].astype(np.float64)
    assert (np.abs(graph.nodes[0].bias) >= 1 << 29).all()
    np.testing.assert_array_equal(graph.nodes[0].bias * 2.0 ** graph.nodes[0].bias_exp, bias)


def test_the_accumulator_is_as_wide_as_the_actual_weights_need() -> None:
    graph = checked(frozen((5, 5, 3), [activation(6), conv(4, 3, bits=4), activation(8)]))
    node = graph.nodes[0]
    assert isinstance(node, MatVec)
    worst = int(np.abs(node.weights).reshape(-1, 4).sum(axis=0).max()) * 31
    bits = next(b for b in range(1, 40) if worst <= (1 << (b - 1)) - 1)
    assert accumulator_bits(node) == bits
    assert bits < 6 + 4 + 5  # 27 products of 6 and 4 bits of unknown weights


def test_a_model_loaded_from_h5_gives_the_same_integers(tmp_path: Path) -> None:
    layers = [activation(7, symmetric=0), depthwise(3), L.ReLU(), activation(5, signed=False)]
    model = frozen((5, 5, 2), layers)
    model.save(tmp_path / "small.h5", save_format="h5")
    loaded = tf.keras.models.load_model(
        tmp_path / "small.h5", custom_objects=CUSTOM_OBJECTS, compile=False
    )
    before, after = checked(model), checked(loaded)
    assert before.input_type == after.input_type
    for one, other in zip(before.nodes, after.nodes, strict=True):
        assert one.y == other.y
        np.testing.assert_array_equal(one.weights, other.weights)
        np.testing.assert_array_equal(one.bias, other.bias)


def test_a_sequential_model_is_read_to_its_input() -> None:
    layers = [tf.keras.Input((4, 4, 2)), activation(6), conv(3, 2), activation(7)]
    model = tf.keras.Sequential(layers, name="listed")
    ranges.calibrate(model, samples(model, 20))
    ranges.freeze(model)
    assert [node.kind for node in checked(model).nodes] == [Kind.CONV]


def test_raw_integers_are_mapped_as_the_model_quantizes_their_real_values() -> None:
    raw = RawInput("int8", -128, 127, 0.37, -5)
    model = frozen((3, 3, 1), [activation(5), conv(2, 1), activation(6)])
    graph = from_keras(model, raw)
    values = np.arange(-128, 128, dtype=np.int8)
    codes = map_input(graph, np.broadcast_to(values[:, None, None, None], (256, 3, 3, 1)))
    quantized = model.layers[1].quantizer(tf.constant(raw.to_real(values), tf.float64)).numpy()
    np.testing.assert_array_equal(codes[:, 0, 0, 0] * 2.0**graph.input_type.scale_exp, quantized)


@settings(max_examples=14, deadline=None, derandomize=True)
@given(
    x_bits=st.integers(2, 16),
    w_bits=st.integers(2, 16),
    y_bits=st.integers(2, 16),
    bias_bits=st.integers(2, 31),
    kernel=st.tuples(st.integers(1, 4), st.integers(1, 4)),
    stride=st.integers(1, 3),
    padding=st.sampled_from(["same", "valid"]),
    is_depthwise=st.booleans(),
    signed=st.tuples(st.booleans(), st.booleans()),
    symmetric=st.tuples(st.integers(0, 1), st.integers(0, 1)),
    relu=st.sampled_from([None, "relu", "relu6"]),
    seed=st.integers(0, 1000),
)
def test_any_widths_kernels_and_strides_are_exact(
    x_bits: int, w_bits: int, y_bits: int, bias_bits: int, kernel: tuple[int, int], stride: int,
    padding: str, is_depthwise: bool, signed: tuple[bool, bool], symmetric: tuple[int, int],
    relu: str | None, seed: int,
) -> None:  # fmt: skip
    more = {"bits": w_bits, "bias_bits": bias_bits, "strides": stride, "padding": padding}
    layers = [
        activation(x_bits, signed=signed[0], symmetric=symmetric[0]),
        depthwise(kernel, **more) if is_depthwise else conv(3, kernel, **more),
        *([L.ReLU(6.0 if relu == "relu6" else None)] if relu else []),
        activation(y_bits, signed=signed[1], symmetric=symmetric[1]),
    ]
    checked(frozen((6, 5, 2), layers, seed), frames=10)
