"""Trained weights: saved with a record, refused when anything differs."""

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from qkeras import QActivation

from models import ranges, weights
from models.bits import network_bits
from models.quantizers import quantized_bits_featuremap


@pytest.fixture()
def folder(tmp_path: Path) -> Path:
    quantizer = quantized_bits_featuremap(4)
    quantizer.calibrate(np.array([1.0]))
    inputs = tf.keras.Input((2,))
    model = tf.keras.Model(inputs, QActivation(quantizer)(inputs), name="toy")
    weights.save(model, {"model": "toy", "quant": "mpq", "seed": 3}, tmp_path)
    return tmp_path


def test_saved_weights_load_and_leave_no_draft(folder: Path) -> None:
    assert sorted(path.name for path in folder.iterdir()) == ["toy-mpq.h5", "toy-mpq.json"]
    x = np.array([[0.3, 9.0]], np.float32)
    np.testing.assert_array_equal(weights.load("toy", folder=folder)(x).numpy(), [[0.25, 1.75]])
    assert weights.record("toy", folder=folder)["seed"] == 3


@pytest.mark.parametrize("suffix", ["h5", "json"])
def test_missing_weights_tell_how_to_train(folder: Path, suffix: str) -> None:
    (folder / f"toy-mpq.{suffix}").unlink()
    with pytest.raises(weights.WeightsMissing, match=r"models/train\.py --model toy --quant mpq"):
        weights.load("toy", folder=folder)


def test_changed_byte_is_found(folder: Path) -> None:
    path = folder / "toy-mpq.h5"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(weights.WeightsCorrupt, match="SHA-256 is"):
        weights.load("toy", folder=folder)


@pytest.mark.parametrize("text", ["{", "[]"])
def test_unreadable_record_is_found(folder: Path, text: str) -> None:
    (folder / "toy-mpq.json").write_text(text, encoding="utf-8")
    with pytest.raises(weights.WeightsCorrupt, match=r"toy-mpq\.json"):
        weights.load("toy", folder=folder)


def test_other_network_is_refused(folder: Path) -> None:
    for suffix in ("h5", "json"):
        (folder / f"toy-mpq.{suffix}").rename(folder / f"other-mpq.{suffix}")
    with pytest.raises(weights.WeightsMismatch, match=r"names \('toy', 'mpq'\)"):
        weights.load("other", folder=folder)
    facts = json.loads((folder / "other-mpq.json").read_text(encoding="utf-8"))
    facts["model"] = "other"
    (folder / "other-mpq.json").write_text(json.dumps(facts), encoding="utf-8")
    with pytest.raises(weights.WeightsMismatch, match="model named 'toy', expected 'other'"):
        weights.load("other", folder=folder)


def test_committed_kws_is_frozen_complete_and_good_enough() -> None:
    model, facts = weights.load("kws"), weights.record("kws")
    assert facts["accuracy"]["qkeras"] >= 0.904
    bits = network_bits("kws")
    exported = {la.name: la.quantizer.export() for la in ranges.activation_layers(model)}
    assert {name: codes.bits for name, codes in exported.items()} == {
        name: spec.bits for name, spec in bits.activations.items()
    }
    for name, quantizer, variable in ranges.weight_quantizers(model):
        assert quantizer.exponents is not None, name
        codes, exponents = quantizer.export(variable.numpy())
        assert codes.any(), name
        np.testing.assert_array_equal(np.ldexp(codes, exponents), quantizer(variable).numpy())
