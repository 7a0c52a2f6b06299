"""The section of Vitis HLS and Vivado as rows of text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flow.report.formats import blocks, interval, number

Row = tuple[str, str, str]  # what, how much, where from


def vendor_rows(vitis: Mapping[str, Any]) -> list[Row]:
    """One row for each figure that the tools gave; `vitis` is that section of report.json."""
    return [*_csynth(vitis), *_cosim(vitis), *_rtl(vitis), *_vivado(vitis)]


def _csynth(vitis: Mapping[str, Any]) -> Iterator[Row]:
    found = vitis["csynth"]
    if found is None:
        return
    where = f"{vitis['tool']} {vitis['version'] or ''}".strip() + ", C synthesis: estimated"
    yield "latency", _cycles(found, "latency"), where
    yield "initiation interval", _cycles(found, "interval"), where
    yield (
        "clock",
        f"{found['est_clock_ns']:.2f} ns; asked for {found['target_clock_ns']:.2f} ns",
        where,
    )
    used, there = found["used"], found["available"]
    for key, label in (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"),
                       ("bram_18k", "BRAM of 18 kbit"), ("uram", "URAM")):  # fmt: skip
        if used[key] or there[key]:
            yield label, f"{number(used[key])} of {number(there[key])}", where


def _cosim(vitis: Mapping[str, Any]) -> Iterator[Row]:
    found = vitis["cosim"]
    if found is not None:
        where = f"{vitis['tool']}, co-simulation of {found['rtl']}: {found['status']}"
        yield "latency", _cycles(found, "latency"), where
        yield "initiation interval", _cycles(found, "interval"), where


def _rtl(vitis: Mapping[str, Any]) -> Iterator[Row]:
    found = vitis["rtl"]
    if found is not None:
        where = "its Verilog in the network bench of this project, simulated"
        runs = f"{len(found['runs'])} run{'s' if len(found['runs']) != 1 else ''}"
        compared = f"{number(found['words_compared'])} compared in {runs}"
        yield "words", f"{compared}, {number(found['mismatches'])} mismatches", where
        yield "initiation interval", f"{number(found['ii_cycles'])} cycles", where
        yield "latency", f"{number(found['latency_cycles'])} cycles", where


def _vivado(vitis: Mapping[str, Any]) -> Iterator[Row]:
    where = f"Vivado {vitis['vivado_version'] or ''}".strip() + ", after synthesis"
    found, timing = vitis["vivado"], vitis["timing"]
    if found is not None:
        for key, label in (("lut", "LUT"), ("ff", "FF"), ("dsp", "DSP"),
                           ("bram36", "BRAM of 36 kbit"), ("uram", "URAM")):  # fmt: skip
            yield label, blocks(found[key]), where
    if timing is not None:
        slack = f"slack {timing['wns_ns']:.2f} ns at {timing['period_ns']:.2f} ns"
        clock = f"{timing['fmax_mhz']:.1f} MHz ({slack})"
        yield "clock", clock, f"{where}, with estimated wires"


def _cycles(found: Mapping[str, Any], what: str) -> str:
    low, high = (found[f"{what}_{end}_cycles"] for end in ("min", "max"))
    if low is None or high is None:
        return "depends on the data"
    return f"{interval(low, high)} cycles"
