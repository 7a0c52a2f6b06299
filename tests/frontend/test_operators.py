"""Every operator of a QKeras model becomes the same integers, each layer compared with Keras."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from qkeras import QConv1D, QGlobalAveragePooling2D

from flow.errors import Mismatch
from flow.frontend import from_keras
from flow.frontend.equality import check_equality
from flow.graph import (
    Add,
    AveragePool,
    ChannelShuffle,
    Concat,
    IntGraph,
    Kind,
    MatVec,
    MaxPool,
    Multiply,
    Rescale,
    Table,
    Upsample,
    Window,
    map_input,
    run_taps,
)
from models.quantizers import quantized_bits_po2
from tests.frontend.small_models import (
    activation,
    branched,
    checked,
    conv,
    dense,
    depthwise,
    frozen,
    samples,
    with_weights,
)

L = tf.keras.layers
SHAPE = (5, 6, 3)


def exact(shape: tuple[int, ...], build: Callable[[Any], Any], seed: int = 0) -> IntGraph:
    return checked(with_weights(branched(shape, build), seed))


def operator(layer: Any, shape: tuple[int, ...] = SHAPE, **first: Any) -> IntGraph:
    """Quantizer, layer, quantizer."""
    return checked(frozen(shape, [activation(6, **first), layer, activation(7)]))


@pytest.mark.parametrize("symmetric", [1, 0])
@pytest.mark.parametrize("relu", [False, True])
def test_a_residual_block_of_two_scales(symmetric: int, relu: bool) -> None:
    def build(raw: Any) -> Any:
        x = activation(6, symmetric=symmetric)(raw)
        y = activation(5, symmetric=symmetric)(conv(3, 3, padding="same")(x))
        total = L.Add(name="add")([y, x])
        if relu:
            total = L.ReLU(6.0)(total)
        return activation(6, signed=not relu, symmetric=symmetric)(total)

    graph = exact(SHAPE, build)
    add = graph.output
    assert isinstance(add, Add)
    assert add.sources[1] == graph.input_name
    assert add.x_types[0].scale_exp != add.x_types[1].scale_exp
    assert (add.y.lo == add.y.zero_point) == relu


def test_a_shortcut_with_a_quantizer_of_its_own_is_rescaled() -> None:
    def build(raw: Any) -> Any:
        x = activation(8)(raw)
        short = activation(4, name="short")(x)
        total = L.Add()([short, activation(5)(conv(3, 1)(x)), x])
        return activation(6)(total)

    graph = exact(SHAPE, build)
    assert [type(node) for node in graph.nodes] == [Rescale, MatVec, Add]
    assert graph.nodes[0].name == "short"


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "strides"), [(2, None), (3, 2), ((3, 2), (1, 3)), (4, 3)])
def test_pools_with_and_without_padding(padding: str, size: Any, strides: Any) -> None:
    pool = L.AveragePooling2D(size, strides, padding=padding)
    average = operator(pool, symmetric=0).nodes[0]
    assert isinstance(average, AveragePool)
    largest = operator(L.MaxPooling2D(size, strides, padding=padding), symmetric=0)
    assert isinstance(largest.nodes[0], MaxPool)
    assert isinstance(largest.nodes[1], Rescale)
    assert average.out_shape == largest.nodes[0].out_shape


@pytest.mark.parametrize("keepdims", [False, True])
def test_global_pools(keepdims: bool) -> None:
    assert operator(L.GlobalAveragePooling2D(keepdims=keepdims)).output.out_shape == (1, 1, 3)
    assert operator(L.GlobalMaxPooling2D(keepdims=keepdims)).output.out_shape == (1, 1, 3)


def test_qkeras_global_pools() -> None:
    assert isinstance(operator(QGlobalAveragePooling2D()).output, AveragePool)
    quantized = QGlobalAveragePooling2D(average_quantizer="quantized_bits(8,0,1)")
    node = operator(quantized).output
    assert isinstance(node, MatVec)
    assert node.kind is Kind.DEPTHWISE
    assert set(node.weights.ravel().tolist()) == {4}  # 1 / 30 on the grid 2**-7


def test_concatenation_of_equal_and_of_different_types() -> None:
    def equal(raw: Any) -> Any:
        x = activation(6)(raw)
        return L.Concatenate(name="join")([x, L.MaxPooling2D(3, 1, padding="same")(x)])

    def different(raw: Any) -> Any:
        x = activation(6)(raw)
        y = activation(5, symmetric=0)(conv(2, 1)(x))
        return activation(4)(L.ReLU()(L.Concatenate(name="join")([y, x, y])))

    for build, channels in ((equal, 6), (different, 7)):
        join = exact(SHAPE, build).output
        assert isinstance(join, Concat)
        assert join.out_shape == (5, 6, channels)


def test_a_joined_tensor_that_several_layers_read() -> None:
    def build(raw: Any) -> Any:
        x = activation(6)(raw)
        both = L.Dropout(0.5)(L.Concatenate(name="join")([x, x]))
        coarse = activation(3, name="coarse")(both)
        return activation(6)(L.Add()([coarse, both]))

    assert [node.name for node in exact(SHAPE, build).nodes[:2]] == ["join", "coarse"]


def test_nearest_upsampling() -> None:
    node = operator(L.UpSampling2D((2, 3))).nodes[0]
    assert isinstance(node, Upsample)
    assert (node.rows, node.cols, node.out_shape) == (2, 3, (10, 18, 3))


@pytest.mark.parametrize("symmetric", [1, 0])
def test_a_squeeze_excite_product(symmetric: int) -> None:
    def build(raw: Any) -> Any:
        x = activation(6, symmetric=symmetric)(raw)
        pooled = activation(8)(L.GlobalAveragePooling2D()(x))
        gate = activation(8)(dense(3, bits=6)(pooled))
        gate = activation(7, signed=False)(L.Activation("sigmoid", name="gate")(gate))
        return activation(6)(L.Multiply(name="scale")([L.Reshape((1, 1, 3))(gate), x]))

    graph = exact(SHAPE, build)
    assert isinstance(graph.output, Multiply)
    assert graph.output.in_shapes == (SHAPE, (1, 1, 3))
    assert isinstance(graph.nodes[2], Table)


def test_functions_are_tables() -> None:
    for name in ("swish", "tanh", "sigmoid", "hard_sigmoid", "elu"):
        node = operator(L.Activation(name), symmetric=0).output
        assert isinstance(node, Table)
        assert node.function == name
    assert isinstance(operator(L.LeakyReLU(0.1)).output, Table)


def test_a_relu_on_codes() -> None:
    node = operator(L.ReLU(), symmetric=0).output
    assert isinstance(node, Rescale)
    assert node.y.lo == node.y.zero_point
    alone = checked(frozen(SHAPE, [activation(6, symmetric=0), L.ReLU(1.0)])).output
    assert isinstance(alone, Rescale)
    assert alone.y.hi < alone.x.hi
    assert alone.y.scale_exp == alone.x.scale_exp


PADDED = {
    "before_valid": ((2, 1), lambda: conv(2, 3, padding="valid"), Window(3, 3, 1, 1, 2, 1)),
    "asymmetric": (((1, 2), (0, 3)), lambda: conv(2, 3, strides=2), Window(3, 3, 2, 2, 1, 0)),
    "before_same": (((0, 1), (2, 0)), lambda: conv(2, 4, padding="same"), Window(4, 4, 1, 1, 1, 3)),
    "mobilenet": (
        ((0, 1), (0, 1)), lambda: depthwise(3, strides=2, padding="valid"), Window(3, 3, 2, 2, 0, 0)
    ),
    "even": ((1, 1), lambda: conv(3, (2, 4), strides=(2, 1)), Window(2, 4, 2, 1, 1, 1)),
}  # fmt: skip


@pytest.mark.parametrize("case", PADDED)
def test_padding_is_folded_into_the_next_layer(case: str) -> None:
    padding, layer, window = PADDED[case]
    layers = [activation(6, symmetric=0), L.ZeroPadding2D(padding), layer(), activation(7)]
    graph = checked(frozen(SHAPE, layers))
    (node,) = graph.nodes
    assert isinstance(node, MatVec)
    assert (node.in_shape, node.window) == (SHAPE, window)


def test_padding_before_a_max_pool_behind_a_relu() -> None:
    layers = [activation(6), conv(3, 1), L.ReLU(), activation(5, signed=False),
              L.ZeroPadding2D(1), L.MaxPooling2D(3, 2), activation(4)]  # fmt: skip
    node = checked(frozen(SHAPE, layers)).nodes[1]
    assert isinstance(node, MaxPool)
    assert node.window == Window(3, 3, 2, 2, 1, 1)


@pytest.mark.parametrize("groups", [1, 2, 4])
def test_grouped_convolutions(groups: int) -> None:
    layer = conv(8, 3, padding="same", groups=groups)
    node = operator(layer, (4, 5, 4)).output
    assert isinstance(node, MatVec)
    assert (node.groups, node.weights.shape[2]) == (groups, 4 // groups)


def test_a_depth_multiplier_is_a_grouped_convolution() -> None:
    node = operator(depthwise(3, depth_multiplier=2), symmetric=0).output
    assert isinstance(node, MatVec)
    assert (node.kind, node.groups, node.out_shape[2]) == (Kind.CONV, 3, 6)


def shuffle_layers(shape: tuple[int, ...], groups: int) -> list[Any]:
    """The idiom of ShuffleNet for vectors, sequences or maps."""
    *pixel, channels = shape
    axes, last = range(1, len(shape)), len(shape)
    return [L.Reshape((*pixel, groups, channels // groups)), L.Permute((*axes, last + 1, last)),
            L.Reshape(shape)]  # fmt: skip


@given(
    pixel=st.lists(st.integers(1, 4), max_size=2),
    groups=st.integers(1, 5),
    group_channels=st.integers(1, 5),
    bits=st.integers(2, 16),
    signed=st.booleans(),
    symmetric=st.integers(0, 1),
    inside=st.sampled_from(("", "quantizer", "relu")),
)
@settings(max_examples=20, deadline=None)
def test_a_channel_shuffle_passes_its_input_s_codes(
    pixel: list[int], groups: int, group_channels: int, bits: int, signed: bool, symmetric: int,
    inside: str,
) -> None:  # fmt: skip
    shape = (*pixel, groups * group_channels)
    before, permute, after = shuffle_layers(shape, groups)
    more = {"": [], "quantizer": [activation(5)], "relu": [L.ReLU(1.0)]}[inside]
    first = activation(bits, signed=signed, symmetric=symmetric)
    graph = checked(frozen(shape, [first, before, *more, permute, after, activation(3)]), frames=5)
    if groups == 1 or group_channels == 1:
        assert all(isinstance(node, Rescale) for node in graph.nodes)
        return
    node = graph.nodes[-2]
    assert isinstance(node, ChannelShuffle)
    assert (node.groups, node.y, node.out_shape) == (groups, node.x, (1, 1, *shape)[-3:])


@pytest.mark.parametrize("groups", [2, 3])
def test_grouped_convolutions_with_a_channel_shuffle_and_its_inverse(groups: int) -> None:
    shape = (4, 5, 6)
    layers = [
        activation(6), conv(6, 1, groups=groups), L.ReLU(), activation(5, signed=False),
        *shuffle_layers(shape, groups), depthwise(3, padding="same"), activation(6),
        conv(6, 1, groups=groups), activation(6), *shuffle_layers(shape, 6 // groups),
    ]  # fmt: skip
    graph = checked(frozen(shape, layers))
    kinds = [node.groups for node in graph.nodes if isinstance(node, ChannelShuffle)]
    assert kinds == [groups, 6 // groups]


def test_a_channel_shuffle_whose_pixels_are_one_axis() -> None:
    middle = [L.Reshape((30, 3, 2)), L.Permute((1, 3, 2)), L.Reshape((5, 6, 6))]
    node = checked(frozen((5, 6, 6), [activation(6), *middle, conv(2, 3), activation(6)])).nodes[0]
    assert isinstance(node, ChannelShuffle)
    assert (node.groups, node.in_shape) == (3, (5, 6, 6))


def test_a_channel_shuffle_of_parts_of_a_vector() -> None:
    middle = [L.Reshape((2, 3, 2)), L.Permute((1, 3, 2)), L.Flatten()]
    node = checked(frozen((12,), [activation(6), *middle, dense(2), activation(6)])).nodes[0]
    assert isinstance(node, ChannelShuffle)
    assert (node.groups, node.in_shape) == (3, (1, 2, 6))


def test_a_permute_that_moves_nothing_is_no_node() -> None:
    layers = [activation(6), L.GlobalMaxPooling2D(keepdims=True), L.Permute((3, 1, 2)), L.Flatten(),
              dense(2), activation(6)]  # fmt: skip
    assert [type(node) for node in checked(frozen(SHAPE, layers)).nodes] == [MaxPool, MatVec]


def test_a_wrong_order_of_channels_is_found() -> None:
    model = frozen((2, 3, 6), [activation(6), *shuffle_layers((2, 3, 6), 2), activation(5)])
    graph = from_keras(model)
    shuffle, last = graph.nodes
    wrong = replace(graph, nodes=(replace(shuffle, groups=3), last))
    real = samples(model, 3)
    with pytest.raises(Mismatch, match=f"layer '{shuffle.name}'"):
        check_equality(model, wrong, run_taps(wrong, map_input(wrong, real)))


def conv1d(filters: int, kernel: int, **more: Any) -> QConv1D:
    quantizers = quantized_bits_po2(4), quantized_bits_po2(16, "element")
    return QConv1D(
        filters, kernel, kernel_quantizer=quantizers[0], bias_quantizer=quantizers[1], **more
    )


@pytest.mark.parametrize("padding", ["valid", "same", "causal"])
@pytest.mark.parametrize("strides", [1, 2])
def test_one_dimensional_layers(padding: str, strides: int) -> None:
    layers = [
        activation(6, symmetric=0), conv1d(4, 4, strides=strides, padding=padding),
        L.ReLU(), activation(5, signed=False), L.MaxPooling1D(2, 1, padding="same"),
        L.ZeroPadding1D(1), conv1d(3, 3), activation(6),
        L.AveragePooling1D(2, padding="same"), activation(7),
        L.UpSampling1D(2), L.GlobalAveragePooling1D(), activation(8), dense(2), activation(6),
    ]  # fmt: skip
    graph = checked(frozen((16, 3), layers))
    assert graph.input_shape == (1, 16, 3)
    assert graph.nodes[0].in_shape == (1, 16, 3)


def test_a_dense_layer_on_a_map_works_on_every_pixel() -> None:
    node = operator(dense(4)).output
    assert isinstance(node, MatVec)
    assert (node.kind, node.in_shape, node.out_shape) == (Kind.CONV, SHAPE, (5, 6, 4))


def test_a_map_may_be_reshaped_to_another_map() -> None:
    node = checked(
        frozen((2, 4, 3), [activation(6), L.Reshape((4, 2, 3)), conv(3, 2), activation(7)])
    ).output
    assert node.in_shapes == ((4, 2, 3),)


def test_the_last_layer_may_give_its_exact_sums_and_a_softmax_is_the_hosts() -> None:
    layers = [activation(6, symmetric=0), conv(3, 1, bias_bits=8), L.ReLU(), activation(5),
              L.Flatten(), dense(4, bias_bits=8, name="scores"), L.Softmax()]  # fmt: skip
    node = checked(frozen((3, 3, 2), layers)).output
    assert isinstance(node, MatVec)
    assert node.y.scale_exp <= node.x.scale_exp + int(node.weight_exp.min())
    assert node.y.zero_point == 0


@pytest.mark.parametrize("function", ["softmax", "sigmoid"])
def test_a_softmax_inside_the_last_layer_is_the_hosts(function: str) -> None:
    layers = [activation(6), dense(3, bias_bits=8, activation=function, name="scores")]
    assert checked(frozen((4,), layers)).output.name == "scores"
    layers = [activation(6), dense(3, bias_bits=8), L.Activation(function)]
    assert len(checked(frozen((4,), layers)).nodes) == 1


def test_an_activation_inside_a_layer() -> None:
    layers = [activation(6), conv(3, 1, activation="relu"), activation(5),
              conv(3, 1, activation="linear", name="two"), activation(6)]  # fmt: skip
    first = checked(frozen(SHAPE, layers)).nodes[0]
    assert first.y.lo == 0


def test_a_wrong_integer_in_a_merge_is_found() -> None:
    def build(raw: Any) -> Any:
        x = activation(6)(raw)
        y = activation(5)(conv(3, 1)(x))
        return activation(6)(L.Add(name="add")([y, x]))

    model = with_weights(branched(SHAPE, build))
    graph = from_keras(model)
    real = samples(model, 10)
    add = graph.output
    assert isinstance(add, Add)
    swapped = replace(add, sources=add.sources[::-1], x_types=add.x_types[::-1])
    coarser = replace(add, y=replace(add.y, scale_exp=add.y.scale_exp + 1))
    taps = run_taps(graph, map_input(graph, real))
    same = run_taps(replace(graph, nodes=(*graph.nodes[:-1], swapped)), map_input(graph, real))
    np.testing.assert_array_equal(taps["add"], same["add"])
    wrong = replace(graph, nodes=(*graph.nodes[:-1], coarser))
    with pytest.raises(Mismatch, match="layer 'add'"):
        check_equality(model, wrong, run_taps(wrong, map_input(wrong, real)))
