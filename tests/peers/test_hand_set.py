"""The hand-set precisions hold what they must, whatever the model."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np
import pytest

from flow.peers import small
from flow.peers.hand_set import Fixed, exact_type, hand_set, quantizer_type
from flow.peers.problem import ALPHAS, SEED, SMALL
from models.quantizers import stock


def parse(text: str) -> Fixed:
    kind, width, integer, modes = re.fullmatch(r"(u?fixed)<(\d+),(-?\d+),(.*)>", text).groups()  # type: ignore[union-attr]
    return Fixed(int(integer), int(width) - int(integer), kind == "fixed", modes)


def holds(kind: Fixed, values: np.ndarray) -> bool:
    """Whether every value is on the type's grid and in its range."""
    codes = np.ldexp(np.asarray(values, np.float64), kind.fraction)
    top = 2.0 ** (kind.integer + kind.fraction - kind.signed)
    return bool(
        (codes == np.rint(codes)).all()
        and (codes < top).all()
        and (codes >= (-top if kind.signed else 0)).all()
    )


@pytest.mark.parametrize(
    ("values", "text"),
    [([0.5, -0.25], "fixed<3,1,TRN,WRAP>"), ([3.0], "fixed<3,3,TRN,WRAP>"),
     ([4.0, -4.0], "fixed<2,4,TRN,WRAP>"), ([1 / 1024], "fixed<2,-8,TRN,WRAP>"),
     ([-1.0, 0.0], "fixed<2,2,TRN,WRAP>")],
)  # fmt: skip
def test_the_narrowest_type_that_holds_all_values(values: list[float], text: str) -> None:
    kind = exact_type(np.array(values))
    assert str(kind) == text
    assert holds(kind, np.array(values))
    assert not holds(Fixed(kind.integer, kind.fraction - 1), np.array(values))


def test_nothing_but_zeros_has_a_type() -> None:
    assert holds(parse(str(exact_type(np.zeros(3)))), np.zeros(3))


def test_quantizers_round_half_to_even_and_saturate_as_they_say() -> None:
    from qkeras.quantizers import quantized_bits, quantized_relu

    assert str(quantizer_type(quantized_bits(8, 2, alpha=1))) == "fixed<8,3,RND_CONV,SAT>"
    assert str(quantizer_type(quantized_bits(8, 2, 1, alpha=1))) == "fixed<8,3,RND_CONV,SAT_SYM>"
    assert str(quantizer_type(quantized_relu(4, 2))) == "ufixed<4,2,RND_CONV,SAT>"
    assert str(quantizer_type(quantized_relu(4, 4))) == "ufixed<4,4,RND_CONV,SAT>"


@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("network", SMALL)
def test_types_hold_effective_weights_and_every_sum(network: str, alpha: Any) -> None:
    model = small.build(network, alpha, SEED)
    entries = {name: entry["Precision"] for name, entry in hand_set(model)["LayerName"].items()}
    weighted = [layer for layer in model.layers if layer.get_weights()]
    assert weighted
    for layer in weighted:
        depthwise = hasattr(layer, "depthwise_kernel")
        quantizer = (
            layer.depthwise_quantizer_internal if depthwise else layer.kernel_quantizer_internal
        )
        kernel = (layer.depthwise_kernel if depthwise else layer.kernel).numpy()
        values = stock.weight_values(quantizer, kernel)
        is_split = isinstance(alpha, str) and not depthwise
        assert (f"{layer.name}_alpha" in entries) == is_split
        if is_split:
            scale = np.asarray(quantizer.scale, np.float64)
            assert holds(parse(entries[f"{layer.name}_alpha"]["scale"]), scale)
            steps = stock.weight_steps(quantizer, kernel)
            values = np.rint(values / steps) * (steps / scale)  # codes on the grid of alpha=1
        weight, total = parse(entries[layer.name]["weight"]), parse(entries[layer.name]["accum"])
        assert holds(weight, values)
        assert total.fraction >= weight.fraction
        source = _source_type(entries, layer, model)
        bound = 2.0**source.whole * np.abs(values).sum(tuple(range(values.ndim - 1))).max()
        assert bound <= 2.0**total.whole
        assert entries[layer.name]["result"] == entries[layer.name]["accum"]


def _source_type(entries: dict[str, Any], layer: Any, model: Any) -> Fixed:
    """The type of the nearest quantizer before a layer."""
    before = layer.inbound_nodes[0].inbound_layers
    while type(before).__name__ != "QActivation":
        before = before.inbound_nodes[0].inbound_layers
    return parse(entries[before.name]["result"])


def test_quotients_of_pools_cannot_fall_on_a_tie() -> None:
    entries = hand_set(small.build("pooling", 1, SEED))["LayerName"]
    for name, terms in (("pool_1", 9), ("pool_2", 9)):
        kind = parse(entries[name]["Precision"]["accum"])
        assert kind.fraction >= 16 + math.ceil(math.log2(terms))
        assert entries[name]["Precision"]["result"] == str(kind)


def test_an_unknown_layer_is_not_passed_over() -> None:
    import tensorflow as tf
    from qkeras import QActivation

    raw = tf.keras.Input((4, 4, 2))
    x = tf.keras.layers.MaxPooling2D(name="largest")(QActivation("quantized_relu(4,2)")(raw))
    with pytest.raises(KeyError, match="MaxPooling2D"):
        hand_set(tf.keras.Model(raw, x))
