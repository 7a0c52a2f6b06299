"""report.json: its keys, its formulas, its refusals."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flow.errors import DataError
from flow.graph import MatVec
from flow.report import build_report, check_report
from flow.report.html import render_html
from tests.report.example import (
    WHY,
    c_inputs,
    csim,
    inputs,
    plan,
    ran,
    sim,
    synth,
    timing,
)
from tests.report.example_graph import graph, profile

# The published keys. A key may be added here; a rename or a removal breaks readers.
KEYS = (
    "schema model quant engine target created_utc git_commit seed tools accuracy sim layers "
    "network synth timing stages"
)
ADDED_KEYS = "run device provenance input profile_samples not_run vitis notes weight_tensors"
SECTIONS = {
    "accuracy": "metric dataset float qkeras integer rtl samples rtl_samples",
    "sim": "engine frames outputs_compared mismatches ii_cycles latency_cycles sim_cycles_per_s "
    "wall_s runs",
    "network": "macs multipliers utilisation ideal_ii_cycles assumed_clock_mhz frames_per_s",
    "synth": "tool target scope lut ff dsp bram device_fit",
}
ADDED = {
    "accuracy": "recorded recorded_dataset recorded_samples note csim csim_samples "
    "qkeras_partial_auc integer_partial_auc",
    "sim": "passed io_type compile_s inferences_per_s",
    "network": "target_ii_cycles slowest_fmax_mhz",
    "synth": "units warnings",
}
LAYER = (
    "name op macs w_bits a_bits acc_bits pe simd est_cycles sim_cycles utilisation est_lut est_dsp "
    "est_bram synth_lut synth_ff synth_dsp synth_bram"
)
ADDED_LAYER = (
    "y_bits lanes products sim_ii_cycles words_compared mismatches bottleneck inputs out_shape "
    "starved blocked profile"
)
RUN = "stall_profile seed frames mismatches outputs_compared cycles wall_s"
ADDED_RUN = "program compile_s inferences_per_s"
RANGE = "bits signed low high unused_bits"
CODES = RANGE + " scale_exp zero_point lo hi values clipped_low clipped_high"


def words(*texts: str) -> set[str]:
    return set(" ".join(texts).split())


def test_keys_are_exactly_the_published_ones() -> None:
    report = build_report(inputs())
    assert set(report) == words(KEYS, ADDED_KEYS)
    assert next(iter(report)) == "schema"
    assert report["schema"] == 1
    for section, keys in SECTIONS.items():
        assert set(report[section]) == words(keys, ADDED[section]), section
    for layer in report["layers"]:
        assert set(layer) == words(LAYER, ADDED_LAYER)
        assert set(layer["profile"]) == words("weights zero_weights acc y")
        assert set(layer["profile"]["y"]) == words(CODES)
    first = report["layers"][0]["profile"]
    assert set(first["weights"]) == words(RANGE, "scale_exp_low scale_exp_high")
    assert set(first["acc"]) == words(RANGE)
    assert set(report["input"]) == {"shape", "profile"}
    assert set(report["input"]["profile"]) == words(CODES)
    run = report["sim"]["runs"][0]
    assert set(run) == words(RUN, ADDED_RUN)
    assert set(report["stages"][0]) == {"name", "seconds", "cached"}
    assert report["timing"] == []


def test_values_are_taken_over_under_their_names() -> None:
    report = build_report(inputs())
    assert [layer["name"] for layer in report["layers"]] == [
        "conv1", "depthwise1", "pointwise1", "pool", "dense",
    ]  # fmt: skip
    first = report["layers"][0]
    assert (first["op"], first["w_bits"], first["a_bits"], first["acc_bits"]) == ("conv", 8, 8, 22)
    assert (first["est_lut"], first["synth_lut"], first["synth_ff"]) == (1870, 1900, 900)
    assert report["stages"][0] == {"name": "extract", "seconds": 21.4, "cached": True}
    assert report["device"]["lut"] == 53200
    assert [unit["name"] for unit in report["synth"]["units"]][-2:] == ["ingress", "egress"]


def test_every_tensor_is_described_where_it_leaves_its_layer() -> None:
    report = build_report(inputs())
    assert report["profile_samples"] == 500
    assert report["input"]["shape"] == [49, 10, 1]
    assert report["input"]["profile"]["clipped_high"] is None
    by_name = {layer["name"]: layer for layer in report["layers"]}
    assert by_name["conv1"]["inputs"] == ["input"]
    assert by_name["depthwise1"]["inputs"] == ["conv1"]
    assert by_name["conv1"]["out_shape"] == [25, 5, 64]
    conv1 = by_name["conv1"]["profile"]
    assert (conv1["weights"]["unused_bits"], conv1["zero_weights"]) == (2, 0.125)
    assert (conv1["weights"]["scale_exp_low"], conv1["weights"]["scale_exp_high"]) == (-6, -3)
    assert (conv1["acc"]["low"], conv1["acc"]["high"]) == (-90000, 65535)
    assert conv1["y"]["values"] == 500 * 25 * 5 * 64
    assert (conv1["y"]["clipped_low"], conv1["y"]["clipped_high"]) == (None, 12)
    pool = by_name["pool"]["profile"]
    assert pool["weights"] is pool["acc"] is pool["zero_weights"] is None
    assert (pool["y"]["lo"], pool["y"]["high"]) == (-128, 100)


def test_stalls_are_shares_of_the_networks_cycles() -> None:
    layer = build_report(inputs())["layers"][0]
    assert (layer["starved"], layer["blocked"]) == (0.25, 0.125)


def test_routed_units_are_listed_and_the_slowest_is_the_networks() -> None:
    assert build_report(inputs())["network"]["slowest_fmax_mhz"] is None
    report = build_report(inputs(timing=timing(151.2, 84.5, 120.0)))
    assert report["network"]["slowest_fmax_mhz"] == 84.5
    assert [entry["unit"] for entry in report["timing"]] == ["conv1", "depthwise1", "pointwise1"]
    assert report["timing"][1] == {
        "tool": "nextpnr-ecp5 0.11.1", "target": "lfe5u-85f",
        "scope": "each unit routed by itself, speed grade 6; not the whole network",
        "unit": "depthwise1", "fmax_mhz": 84.5, "critical_path": "acc to y: 11.83 ns",
        "lut": 1950, "ff": 900, "dsp": 40, "bram": 1.5, "seconds": 61.5,
    }  # fmt: skip


def test_utilisation_is_macs_over_multipliers_times_simulated_cycles() -> None:
    report = build_report(inputs())
    by_name = {layer["name"]: layer for layer in report["layers"]}
    assert by_name["conv1"]["utilisation"] == 320000 / (40 * 8000) == 1.0
    assert by_name["depthwise1"]["utilisation"] == 72000 / (9 * 8004)
    assert by_name["pool"]["utilisation"] is None
    network = report["network"]
    assert network["multipliers"] == 1 * 40 + 1 * 9 + 1 * 64 + 1 * 1 == 114
    assert network["macs"] == 904768
    assert network["utilisation"] == 904768 / (114 * 8010)
    assert network["ideal_ii_cycles"] == 8000
    assert network["frames_per_s"] == pytest.approx(100e6 / 8010)


def test_the_slowest_simulated_layer_is_the_bottleneck() -> None:
    layers = build_report(inputs())["layers"]
    assert [layer["name"] for layer in layers if layer["bottleneck"]] == ["depthwise1"]


def test_a_run_passes_only_when_everything_was_compared_and_nothing_differs() -> None:
    assert build_report(inputs())["sim"]["passed"]
    assert not build_report(inputs(mismatches=1))["sim"]["passed"]
    good = sim()
    for broken in (
        replace(good, runs=()),
        replace(good, outputs_compared=0),
        replace(good, runs=(good.runs[0], replace(good.runs[1], outputs_compared=0))),
        replace(good, layers=(replace(good.layers[0], words_compared=0), *good.layers[1:])),
        replace(good, layers=(replace(good.layers[0], mismatches=1), *good.layers[1:])),
    ):
        assert not build_report(inputs(sim=broken))["sim"]["passed"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0])
def test_nan_and_other_impossible_numbers_are_refused_by_name(value: float) -> None:
    with pytest.raises(DataError, match=r"sim\.wall_s = "):
        build_report(inputs(sim=replace(sim(), wall_s=value)))
    with pytest.raises(DataError, match=r"provenance\.loss"):
        build_report(inputs(provenance={"loss": float("nan")}))


def test_accuracy_may_be_a_mapping_with_the_same_keys() -> None:
    figures: dict[str, Any] = {
        "metric": "auc", "dataset": "ad_test", "float": None, "qkeras": None, "integer": 0.86,
        "rtl": None, "samples": 10, "rtl_samples": 0, "recorded": False,
    }  # fmt: skip
    assert build_report(inputs(accuracy=figures))["accuracy"]["integer"] == 0.86
    with pytest.raises(DataError) as caught:
        build_report(inputs(accuracy={**figures, "integer": 86, "extra": 1}))
    assert "accuracy.integer = 86" in str(caught.value)
    assert "accuracy.extra = 1" in str(caught.value)


def test_results_of_another_network_are_refused() -> None:
    with pytest.raises(DataError) as caught:
        build_report(
            inputs(
                sim=replace(sim(), layers=sim().layers[1:]),
                synth=replace(synth(), units=synth().units[2:]),
                graph=replace(graph(), nodes=graph().nodes[:4]),
                profile=replace(profile(), layers=profile().layers[1:]),
            )
        )
    message = str(caught.value)
    assert "stage 'simulate' has no result for 'conv1'" in message
    assert "stage 'extract' has no result for 'dense'" in message
    assert "stage 'evaluate' has no result for 'conv1'" in message
    assert "stage 'synth' has no result for 'conv1', 'depthwise1'" in message


def test_the_report_survives_json() -> None:
    report = build_report(inputs(plan=replace(plan(), graph_name="kws")))
    again = json.loads(json.dumps(report, allow_nan=False))
    assert again == report
    check_report(again)


# what C simulation does not know
UNKNOWN = {
    "sim": "ii_cycles latency_cycles sim_cycles_per_s",
    "network": "utilisation frames_per_s slowest_fmax_mhz",
}
UNKNOWN_OF_A_LAYER = (
    "sim_cycles sim_ii_cycles starved blocked utilisation synth_lut synth_ff synth_dsp synth_bram "
    "bottleneck"
)


def test_c_simulation_has_the_same_keys_and_null_where_it_knows_nothing() -> None:
    rtl, in_c = build_report(inputs()), build_report(c_inputs())
    assert set(rtl) == set(in_c)
    for section in ("accuracy", "sim", "network"):
        assert set(rtl[section]) == set(in_c[section]), section
    assert set(rtl["sim"]["runs"][0]) == set(in_c["sim"]["runs"][0])
    for section, keys in UNKNOWN.items():
        assert [in_c[section][key] for key in keys.split()] == [None] * len(keys.split())
    for layer in in_c["layers"]:
        nulls = {key for key, value in layer.items() if value is None}
        assert nulls == words(UNKNOWN_OF_A_LAYER)
    assert set(rtl["layers"][0]) == set(in_c["layers"][0])
    assert in_c["synth"] is in_c["vitis"] is None
    assert in_c["not_run"] == [{"what": "Vitis HLS (synthesis, co-simulation)", "why": WHY}]
    assert rtl["not_run"] == [] and rtl["vitis"] is None
    assert (in_c["accuracy"]["rtl"], in_c["accuracy"]["csim"]) == (None, 0.90625)
    assert (in_c["sim"]["inferences_per_s"], in_c["sim"]["compile_s"]) == (800.0, 6.25)


@pytest.mark.parametrize(
    ("place", "key"),
    [
        *(("sim", key) for key in UNKNOWN["sim"].split()),
        ("network", "frames_per_s"),
        *(("layers", key) for key in UNKNOWN_OF_A_LAYER.split() if key != "utilisation"),
        ("layers", "est_lut"),
    ],
)
def test_null_is_an_error_where_rtl_was_simulated(place: str, key: str) -> None:
    report = build_report(inputs())
    section = report[place][0] if place == "layers" else report[place]
    section[key] = None
    with pytest.raises(DataError) as caught:
        check_report(report)
    assert f"{place}.{'0.' if place == 'layers' else ''}{key} = None" in str(caught.value)
    report = build_report(inputs())
    report["synth"] = None
    with pytest.raises(DataError, match="synth = None"):
        check_report(report)


@pytest.mark.parametrize("key", UNKNOWN_OF_A_LAYER.split())
def test_a_figure_that_c_simulation_cannot_know_is_an_error(key: str) -> None:
    report = build_report(c_inputs())
    report["layers"][0][key] = report["layers"][0]["est_cycles"]
    with pytest.raises(DataError, match=rf"layers\.0\.{key} = 8000"):
        check_report(report)
    report = build_report(c_inputs())
    report["sim"]["ii_cycles"] = 0
    with pytest.raises(DataError, match=r"sim\.ii_cycles = 0"):
        check_report(report)


def test_a_c_simulation_passes_only_when_everything_was_compared_and_nothing_differs() -> None:
    assert build_report(c_inputs())["sim"]["passed"]
    assert not build_report(c_inputs(mismatches=1))["sim"]["passed"]
    good = csim()
    for broken in (
        replace(good, runs=(*good.runs[:2], replace(good.runs[2], outputs_compared=0))),
        replace(good, layers=(replace(good.layers[0], words_compared=0), *good.layers[1:])),
    ):
        assert not build_report(c_inputs(sim=broken))["sim"]["passed"]


def test_figures_of_the_vendors_tools_have_keys_of_their_own() -> None:
    report = json.loads(json.dumps(build_report(c_inputs(vitis=ran()))))
    check_report(report)
    vitis = report["vitis"]
    assert vitis["csynth"]["used"]["lut"] == 21000
    assert vitis["csynth"]["modules"][0]["name"] == "conv1"
    assert (vitis["rtl"]["ii_cycles"], vitis["rtl"]["runs"][0]["program"]) == (8020, None)
    assert report["synth"] == {
        "tool": "Vivado 2023.2", "target": "xc7z020",
        "scope": "the whole network after Vivado's synthesis, not placed or routed",
        "lut": 17000, "ff": 21000, "dsp": 168, "bram": 8.5, "units": [], "warnings": [],
        "device_fit": {"lut": 31.95, "ff": 19.74, "dsp": 76.36, "bram": 6.07},
    }  # fmt: skip
    assert report["network"]["frames_per_s"] == pytest.approx(100e6 / 8020)
    assert report["network"]["utilisation"] == 904768 / (114 * 8020)
    assert report["sim"]["ii_cycles"] is None  # that section is C simulation's
    assert report["not_run"] == [{"what": "co-simulation", "why": "not asked for"}]


def test_vitis_without_vivado_gives_no_synthesis() -> None:
    hls_only = replace(ran(), vivado=None, timing=None, vivado_version=None)
    report = build_report(c_inputs(vitis=hls_only))
    assert report["synth"] is None
    assert report["vitis"]["csynth"]["used"]["lut"] == 21000


def test_what_weights_use_and_what_to_know_stand_in_the_report() -> None:
    given = inputs()
    report = build_report(replace(given, graph=replace(given.graph, notes=("mind this",))))
    assert report["notes"] == ["mind this"]
    kernels = [use for use in report["weight_tensors"] if use["tensor"] == "kernel"]
    nodes = [node for node in given.graph.nodes if isinstance(node, MatVec)]
    assert [use["layer"] for use in kernels] == [node.name for node in nodes]
    for use, node in zip(kernels, nodes, strict=True):
        assert (use["bits"], use["values"]) == (node.weight_bits, node.weights.size)
        assert use["zeros"] == np.mean(node.weights == 0)
        limit = 2 ** (use["used_bits"] - 1)
        assert -limit <= node.weights.min() <= node.weights.max() < limit
        half = limit // 2
        assert not -half <= node.weights.min() <= node.weights.max() < half
    assert "mind this" in render_html(report)
