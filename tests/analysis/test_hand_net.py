"""Every figure of one small network, against numbers computed by hand."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flow.analysis import Analysis, Sqnr, analyse, csv_text, document
from flow.frontend import from_keras
from flow.graph import IntGraph
from tests.analysis import hand_net as hand


def ratio(wanted: np.ndarray, got: np.ndarray) -> tuple[float, float, float]:
    """Signal, noise and their ratio by definition."""
    signal, noise = float((wanted**2).sum()), float(((got - wanted) ** 2).sum())
    return signal, noise, 10 * math.log10(signal / noise)


def shown(found: Sqnr) -> Any:
    return pytest.approx((found.signal, found.noise, found.db), rel=1e-12)


@pytest.fixture(scope="module")
def made() -> tuple[Analysis, IntGraph]:
    model = hand.hand_net()
    graph = from_keras(model)
    raw = hand.SAMPLES.reshape(-1, *graph.input_shape)
    return analyse(model, graph, hand.SAMPLES, raw, hand.LABELS), graph


@pytest.fixture(scope="module")
def found(made: tuple[Analysis, IntGraph]) -> Analysis:
    return made[0]


def test_weights_have_zeros_and_errors(found: Analysis) -> None:
    (layer,) = found.weights
    assert (layer.name, layer.kernel.values, layer.kernel.zeros) == ("dense", 4, 0.25)
    assert (layer.kernel.bits, layer.kernel.effective_bits) == (3, 3)  # codes 1, 0, 2, -3
    # signal 1/16 + 1/256 + 1/4 + 9/16, noise 1/256
    assert (layer.kernel.sqnr.signal, layer.kernel.sqnr.noise) == (0.87890625, 0.00390625)
    assert layer.kernel.sqnr.db == pytest.approx(10 * math.log10(225))
    assert layer.worst_channel == 1
    assert layer.worst_channel_sqnr.db == pytest.approx(10 * math.log10(0.56640625 / 0.00390625))


def test_bias_uses_fewer_bits_than_it_has(found: Analysis) -> None:
    bias = found.weights[0].bias
    assert bias is not None
    assert (bias.values, bias.zeros, bias.bits, bias.effective_bits) == (2, 0.5, 4, 2)
    assert (bias.sqnr.noise, bias.sqnr.db) == (0, math.inf)


def test_saturation_is_counted_and_the_relu_is_not(found: Analysis) -> None:
    y = found.profile.layers[0].y
    assert (y.values, y.clipped_low, y.clipped_high) == (6, None, 1)
    assert (y.seen.low, y.seen.high, y.seen.unused_bits) == (0, 7, 0)


def test_input_error_is_that_of_its_quantizer(found: Analysis) -> None:
    first = found.errors[0]
    wanted, got = hand.SAMPLES.astype(float), hand.INPUT_CODES / 4
    assert first.name == "input"
    assert (first.weights.noise, first.differing, first.compared) == (0, 0, 6)
    for error in (first.own, first.qkeras, first.integer):
        assert ratio(wanted, got) == shown(error)
    assert ratio(hand.TWIN, hand.INPUT_ALONE) == shown(first.alone)


def test_layer_error_is_split_into_weights_and_output(found: Analysis) -> None:
    layer = found.errors[1]
    assert ratio(hand.TWIN, hand.WEIGHED) == shown(layer.weights)
    assert ratio(hand.TWIN, hand.OWN) == shown(layer.own)
    assert layer.alone == layer.own  # it is the last one


def test_accumulated_error_is_that_of_the_integers(found: Analysis) -> None:
    layer = found.errors[1]
    assert ratio(hand.TWIN, hand.CODES / 8) == shown(layer.integer)
    assert layer.qkeras == layer.integer
    assert (layer.differing, layer.compared) == (0, 6)


def test_entropy_is_that_of_the_codes(found: Analysis) -> None:
    # 0 twice, four others once each
    wanted = -(2 / 6) * math.log2(2 / 6) - 4 * (1 / 6) * math.log2(1 / 6)
    assert found.errors[1].entropy_bits == pytest.approx(wanted)


def test_classes_are_those_of_the_largest_outputs(found: Analysis) -> None:
    assert found.samples == found.alone_samples == 3
    assert found.agreement is not None
    assert found.agreement.accuracy == {key: 2 / 3 for key in ("float", "qkeras", "integer")}
    assert set(found.agreement.same.values()) == {1.0}


def test_costliest_has_the_lowest_ratio_at_the_output(found: Analysis) -> None:
    first, layer = found.errors
    assert first.alone.db == pytest.approx(11.26, abs=0.01)
    assert layer.alone.db == pytest.approx(8.97, abs=0.01)
    assert found.costliest is layer
    other = replace(found, errors=(replace(first, alone=Sqnr(1, 1)), layer))
    assert other.costliest is other.errors[0]
    exact = tuple(replace(one, alone=Sqnr(1, 0)) for one in found.errors)
    assert replace(found, errors=exact).costliest is None


def test_document_holds_every_figure(made: tuple[Analysis, IntGraph]) -> None:
    content = document(*made, {"model": "hand"})
    first, layer = content["layers"]
    assert (content["schema"], content["model"], content["costliest"]) == (1, "hand", "dense")
    assert content["accuracy"]["integer"] == 2 / 3
    assert content["agreement"]["qkeras_integer"] == 1
    assert (first["op"], first["weights"], first["y"]["clipped_high"]) == ("input", None, None)
    assert layer["op"] == "dense"
    assert layer["bias"]["sqnr"] == {"db": None, "signal": 0.0625, "noise": 0.0}  # no infinity
    assert layer["weights"]["zeros"] == 0.25
    assert layer["acc"]["bits"] >= layer["acc"]["unused_bits"]
    assert layer["errors"]["own_sqnr"]["db"] == made[0].errors[1].own.db


def test_csv_has_a_row_for_each_layer(made: tuple[Analysis, IntGraph]) -> None:
    first, layer = csv.DictReader(io.StringIO(csv_text(*made)))
    assert (first["name"], first["weights_zeros"], first["y_bits"]) == ("input", "", "4")
    assert (layer["name"], layer["weights_zeros"]) == ("dense", "0.25")
    assert layer["bias_sqnr_db"] == "inf"
    assert float(layer["errors_integer_sqnr_db"]) == made[0].errors[1].integer.db
    assert list(layer)[:3] == ["name", "op", "weights_values"]
