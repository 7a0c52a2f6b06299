"""The page: figures, honest labels, escaping, failures in red, one file."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from jinja2 import UndefinedError

from flow.report import build_report, render_html
from flow.report.columns import COLUMNS
from flow.report.formats import MINUS, NARROW_SPACE
from flow.synth.vitis import VitisSynth
from tests.report.example import c_inputs, inputs, not_run, ran, sim, synth, timing


def page(mismatches: int = 0, **changes: Any) -> str:
    return render_html(build_report(inputs(mismatches, **changes)))


def text_of(html: str) -> str:
    """The visible text, white space made a single space, minus signs a hyphen."""
    body = re.sub(r"<(style|script|title)>.*?</\1>", "", html, flags=re.S)
    return " ".join(
        re.sub(r"<[^>]+>", " ", body).replace(NARROW_SPACE, " ").replace(MINUS, "-").split()
    )


def test_the_headline_holds_the_figures() -> None:
    text = text_of(page())
    assert "64 frames of kws_test through the whole network in RTL, 0 mismatches" in text
    for figure in ("90.78 %", "8 010", "12 484", "904 768 MACs", "99.0 %", "13.8 %", "7 320"):
        assert figure in text, figure


def test_labels_say_what_was_estimated_simulated_synthesised_and_recorded() -> None:
    text = text_of(page())
    for label in (
        "recorded on 4 890 samples of kws_official, not measured in this run",
        "at an assumed clock of 100 MHz; not measured on a board",
        "post-synthesis (Yosys), not placed or routed",
        "estimated by the planner",
        "Not placed or routed: no clock frequency was established",
        "measured, 500 samples of kws_test",
        "fewer samples than above, the same answers on them",
        "Measured with the integer network on 500 samples of kws_test",
        "share of the network's cycles, simulated without stalls",
        "of the 64 frames simulated: every RTL output word equals the integer network's",
        "Speakers occur in both sets.",
    ):
        assert label in text, label


AUC = {
    "metric": "auc", "dataset": "ad_test", "float": 0.87037, "qkeras": 0.8612, "integer": 0.8614,
    "rtl": None, "samples": 124, "rtl_samples": 64, "recorded": False,
    "qkeras_partial_auc": 0.7, "integer_partial_auc": 0.7012,
}  # fmt: skip


def test_an_auc_is_called_so_and_is_no_percentage() -> None:
    text = text_of(page(accuracy=AUC))
    for label in (
        "AUC 0.8614 integer network, measured on 124 samples of ad_test",
        "AUC, from float to hardware float model 0.8704 recorded in training",
        "partial AUC, integer network 0.7012 measured, false-positive rate below 0.1",
        "only whole clips have a score, and 64 windows were simulated: every RTL output word",
        "Measured with the integer network on 500 windows of ad_test",
    ):
        assert label in text, label
    assert "accuracy" not in text.lower().replace("accuracy of", "")
    assert "86.14 %" not in text and "87.04 %" not in text
    in_c = {**AUC, "rtl_samples": 0, "csim": None, "csim_samples": 8}
    assert "C simulation - only whole clips have a score, and 8 windows were" in text_of(
        c_page(accuracy=in_c)
    ).replace("\N{EN DASH}", "-")


def test_a_mismatch_is_unmistakable() -> None:
    good, bad = page(), page(mismatches=17)
    assert '<html lang="en" class="failed">' in bad
    assert '<html lang="en">' in good
    assert "<title>FAILED: " in bad
    text = text_of(bad)
    assert "MISMATCH: 17 differing words" in text
    assert "17 of 2 000 differ" in text
    assert "0 mismatches" not in text
    assert "every RTL output word equals" not in text.replace("not every", "")
    assert bad.count('class="wrong"') == 1  # the run
    assert re.findall(r'<tr id="([^"]*)" class="[^"]*wrong', bad) == ["layer-pointwise1"]
    assert re.findall(r'<a href="([^"]*)" class="node wrong"', bad) == ["#layer-pointwise1"]


def test_a_run_that_compared_nothing_is_a_failure() -> None:
    text = text_of(page(sim=replace(sim(), runs=())))
    assert "NOTHING SHOWN" in text


def test_a_resource_over_the_device_says_that_it_does_not_fit() -> None:
    full = replace(synth(), device_fit={**synth().device_fit, "dsp": 131.4})
    assert "131.4 % 42 of 220; does not fit" in text_of(page(synth=full))
    assert "does not fit" not in text_of(page())


def test_the_bottleneck_is_marked_once_or_named_as_shared() -> None:
    html = page()
    assert html.count('title="bottleneck"') == html.count('class="node bottleneck"') == 1
    assert "bottleneck: no layer takes longer" in text_of(html)
    level = replace(sim(), layers=tuple(replace(one, sim_cycles=8000) for one in sim().layers))
    assert "5 layers share the longest time" in text_of(page(sim=level))


def test_warnings_of_synthesis_are_shown() -> None:
    warned = replace(synth(), warnings=("unit 'a': 3 cells of type 'NEW' are in no count",))
    assert "unit &#39;a&#39;: 3 cells of type &#39;NEW&#39;" in page(synth=warned)


def test_names_are_escaped() -> None:
    html = page(run="<script>alert(1)</script>", provenance={"a&b": '"><img src=x>'})
    assert html.count("<script") == 1  # the page's own
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "a&amp;b" in html


def test_the_page_needs_no_other_file() -> None:
    html = page()
    assert not re.search(r"https?://|<link|<script\s|\bsrc=|url\(|@import", html)
    assert "default-src 'none'" in html


def test_tags_are_balanced_and_table_rows_are_full() -> None:
    checker = _Checker()
    checker.feed(page(mismatches=3))
    assert checker.open == []
    assert set(checker.columns["layers sortable"]) == {len(COLUMNS)} == {22}
    assert set(checker.columns["bits"]) == {4}


def test_every_link_leads_to_a_place_of_the_page() -> None:
    html = page()
    targets = set(re.findall(r'href="#([^"]*)"', html))
    places = re.findall(r'\bid="([^"]*)"', html)
    assert targets <= set(places)
    assert len(places) == len(set(places))
    for layer in ("conv1", "depthwise1", "pointwise1", "pool", "dense"):
        assert {f"layer-{layer}", f"bits-{layer}"} <= targets


def test_a_clock_that_no_unit_reaches_is_said_beside_the_frames_per_second() -> None:
    slow = text_of(page(timing=timing(151.2, 84.5, 120.0)))
    assert "⚠ 12 484 NOT REACHED: assumes a clock of 100 MHz" in slow
    assert "the slowest routed unit allows 84.5 MHz: 10 549 frames per second" in slow
    assert "◆ 84.5 MHz below the assumed clock · acc to y: 11.83 ns" in slow
    assert slow.count("below the assumed clock") == 1
    assert "2 of 5 layers were not routed" in slow
    assert "each unit routed by itself, speed grade 6; not the whole network" in slow
    fast = text_of(page(timing=timing(151.2, 104.5, 120.0, 130.0, 100.0)))
    assert "NOT REACHED" not in fast
    assert "below the assumed clock" not in fast
    assert "assumed clock of 100 MHz, which every routed unit reaches" in fast
    assert "not routed" not in fast.replace("not placed, not routed", "")


def test_value_ranges_are_shown_beside_the_bits() -> None:
    text = text_of(page())
    for label in (
        "8 bit signed, 2 unused · scale 2 -6 to 2 -3 · 12.5 % zeros -31 … 30 of -128 … 127",
        "4 bit unsigned · scale 2 -1 · ReLU 0 … 15 of 0 … 15",
        "saturated: 4 200 of 4 000 000 at 255 (0.10 %)",
        "8 bit signed · scale 2 -4 · zero point 83 -100 … 127 of -127 … 127",
    ):
        assert label in text, label


def c_page(mismatches: int = 0, **changes: Any) -> str:
    return render_html(build_report(c_inputs(mismatches, **changes)))


def test_a_page_of_c_simulation_claims_no_hardware() -> None:
    html = c_page()
    text = text_of(html)
    for label in (
        "64 frames of kws_test through the whole network in C simulation, 0 mismatches",
        "562 596 words compared with the integer network, at every layer, in 3 runs (bit-true, "
        "native, testbench)",
        "C simulation 800 / s inferences per second, measured on one core; compiled in 6.2 s",
        "cycles per frame, estimated 8 000 by the planner, of the slowest layer; no RTL was",
        "Not run Vitis HLS (synthesis, co-simulation) neither vitis-run nor vitis_hls on PATH",
        "of the 64 frames simulated: every output word equals the integer network's",
        "bit-true 8 62 500 0 11 s 0.2 s 32",
        "its cycles per frame are estimated by the planner",
        "formulas that were fitted to the units of engine xls",
        "est. 8 000 cycles",
    ):
        assert label in text, label
    for claim in ("utilisation", "starved", "stalls", "cycle-accurate", "bottleneck", "◆",
                  "frames per second", "Resources"):  # fmt: skip
        assert claim not in text, claim


def test_a_page_with_the_vendors_tools_shows_whose_figure_each_is() -> None:
    text = text_of(c_page(vitis=ran()))
    for label in (
        "cycles per frame 8 020 Verilog of Vitis HLS, simulated; latency 18 600 cycles",
        "LUT 21 000 of 53 200 vitis_hls 2023.2, C synthesis: estimated",
        "initiation interval 8 000 … 8 020 cycles vitis_hls 2023.2, C synthesis: estimated",
        "words 35 000 compared in 1 run, 0 mismatches its Verilog in the network bench of this",
        "LUT 17 000 Vivado 2023.2, after synthesis",
        "clock 114.3 MHz (slack 1.25 ns at 10.00 ns) Vivado 2023.2, after synthesis, with "
        "estimated wires",
        "Resources of xc7z020, post-synthesis",
        "Not run co-simulation not asked for",
    ):
        assert label in text, label


def test_a_difference_in_c_simulation_is_unmistakable() -> None:
    html = c_page(mismatches=17)
    assert '<html lang="en" class="failed">' in html
    text = text_of(html)
    assert "MISMATCH: 17 differing words. This C++ does not compute the network." in text
    assert "0 mismatches" not in text
    assert "17 of 2 000 differ" in text
    assert re.findall(r'<tr id="([^"]*)" class="[^"]*wrong', html) == ["layer-pointwise1"]
    assert html.count('class="wrong"') == 1  # the run


@pytest.mark.parametrize("vitis", [not_run(), ran()], ids=["no tool", "tools"])
def test_links_and_tables_of_a_c_page_are_whole(vitis: VitisSynth) -> None:
    html = c_page(mismatches=3, vitis=vitis)
    checker = _Checker()
    checker.feed(html)
    assert checker.open == []
    assert set(checker.columns["layers sortable"]) == {14}
    places = re.findall(r'\bid="([^"]*)"', html)
    assert set(re.findall(r'href="#([^"]*)"', html)) <= set(places)
    assert len(places) == len(set(places))
    assert ("resources" in places) is ("vendor" in places) is vitis.ran


def test_a_missing_key_is_an_error_not_a_gap() -> None:
    report = build_report(inputs())
    del report["layers"][0]["products"]
    render_html(report)  # not drawn
    del report["sim"]["engine"]
    with pytest.raises(UndefinedError):
        render_html(report)
    report = build_report(inputs())
    del report["layers"][0]["starved"]
    with pytest.raises(KeyError, match="starved"):
        render_html(report)


class _Checker(HTMLParser):
    """Stack of open tags, and the number of cells in each body or foot row per table class."""

    VOID = frozenset(("meta",))

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.columns: dict[str, list[int]] = {}
        self.table = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.VOID:
            return
        if tag == "table":
            self.table = dict(attrs).get("class") or ""
        if tag == "tr" and self.open[-1] in ("tbody", "tfoot"):
            self.columns.setdefault(self.table, []).append(0)
        if tag in ("th", "td") and self.open[-2] in ("tbody", "tfoot"):
            self.columns[self.table][-1] += 1
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes another tag"
