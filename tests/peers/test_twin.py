"""The twin of a network has its shape, its widths and its weights, and stock quantizers."""

from __future__ import annotations

import numpy as np

from flow.peers import kws
from flow.peers.twin import twin
from models.bits import network_bits
from models.networks import untrained


def test_a_twin_has_stock_quantizers_of_the_same_widths_and_ranges() -> None:
    trained, bits = untrained("ad"), network_bits("ad")
    model = twin("ad", trained, "auto", name="other")
    assert (model.name, model.output_shape) == ("other", trained.output_shape)
    for name, spec in bits.matrices.items():
        layer = model.get_layer(name)
        kernel, bias = layer.kernel_quantizer_internal, layer.bias_quantizer_internal
        assert (kernel.bits, kernel.alpha) == (spec.weight_bits, "auto")
        assert (bias.bits, bias.alpha) == (spec.bias_bits, 1)
        for a, b in zip(layer.get_weights(), trained.get_layer(name).get_weights(), strict=True):
            np.testing.assert_array_equal(a, b)
    for name, spec in bits.activations.items():
        quantizer = model.get_layer(name).quantizer
        step = 2.0 ** (int(quantizer.integer) + spec.signed - spec.bits)
        assert quantizer.bits == spec.bits
        assert step == 2.0 ** trained.get_layer(name).quantizer.export().scale_exp


def test_the_first_layer_of_kws_takes_the_factor_that_its_inputs_lose() -> None:
    model = kws.build(1)
    first, second = model.layers[2], model.layers[4]
    own = kws.weights.load("kws")
    kernel, bias = own.get_layer(first.name).get_weights()
    np.testing.assert_array_equal(first.get_weights()[0], kernel * 2**kws.INPUT_SHIFT)
    np.testing.assert_array_equal(first.get_weights()[1], bias)
    np.testing.assert_array_equal(
        second.get_weights()[0], own.get_layer(second.name).get_weights()[0]
    )
    assert model.layers[1].quantizer.integer == kws.INPUT_INTEGER
