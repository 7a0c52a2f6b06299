"""Rates of integer inference: what is written and when a goal is met; measuring is `make bench`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.bench_inference import _take_turns, _tflite
from flow.bench_rates import Rates, markdown

KWS = Rates(
    "kws", "trained", 16000.0, 3200.0, 8000.0, 32.0, None, 240.0, 30000.0, 2, 0.25
)  # fmt: skip


def test_the_table_has_rates_ratios_and_says_what_is_missing() -> None:
    lacking = replace(
        KWS, model="vww_mbv2", weights="random", tflite=None, stock=None,
        stock_missing="conversion: X", reference=6.04, load_1min=1.0,
    )  # fmt: skip
    assert markdown([KWS, lacking]) == (
        "| network | engine | QKeras | TFLite | hls4ml | reference | x QKeras | x TFLite | "
        "x hls4ml | all cores |\n"
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n"
        "| kws | 16,000 | 3,200 | 8,000 | 32 | 240 | 5.00 | 2.00 | 500 | 30,000 (2) |\n"
        "| vww_mbv2 * | 16,000 | 3,200 | no file | - | 6.04 | 5.00 |  |  | 30,000 (2) |\n"
        "\n"
        "Load average (1 min) before each network: kws 0.2, vww_mbv2 1.0.\n"
        "No C simulation of stock hls4ml for vww_mbv2: conversion: X."
    )


@pytest.mark.parametrize(
    ("changed", "met"),
    [
        ({}, True),
        ({"engine": 4499.0, "qkeras": 100.0}, False),
        ({"engine": 4500.0, "qkeras": 3000.0}, True),
        ({"engine": 4500.0, "qkeras": 3001.0}, False),
        ({"model": "vww_mbv2", "engine": 150.0, "qkeras": 100.0}, True),
    ],
)
def test_goals_are_a_rate_and_a_ratio(changed: dict[str, object], met: bool) -> None:
    assert replace(KWS, **changed).met is met


def test_calls_take_turns_and_short_ones_are_repeated() -> None:
    now, calls = [0.0], {"long": 0, "short": 0}

    def call(name: str, seconds: float) -> None:
        calls[name] += 1
        now[0] += seconds

    seconds = _take_turns(
        {"long": lambda: call("long", 2.0), "short": lambda: call("short", 0.01)}, lambda: now[0]
    )
    assert seconds == {"long": pytest.approx(2.0), "short": pytest.approx(0.01)}
    assert calls["short"] - 2 == 5 * (calls["long"] - 2)


@pytest.mark.slow  # TensorFlow's converter
def test_a_tflite_file_runs_singly_and_all_at_once(tmp_path: Path) -> None:
    import tensorflow as tf

    assert _tflite(tmp_path / "absent.tflite") == {}
    inputs = tf.keras.Input((6,))
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(inputs))
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: ([np.ones((1, 6), np.float32)] for _ in range(4))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    (tmp_path / "dense.tflite").write_bytes(converter.convert())
    calls = _tflite(tmp_path / "dense.tflite")
    assert set(calls) == {"tflite", "tflite_single"}
    for call in calls.values():
        call()
