"""A report's inputs with numbers that can be checked by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flow.graph.types import Kind
from flow.plan.hwplan import CycleEstimate, HwPlan, MacSpec, ResourceEstimate, Target, UnitPlan
from flow.report import AccuracyFigures, ReportInputs, StageTime
from flow.simulate.csim_result import CsimLayer, CsimResult, CsimRun
from flow.simulate.result import LayerSim, SimResult, SimRun
from flow.synth.result import SynthResult, TimingResult, UnitResources, UnitTiming
from flow.synth.vitis import (
    Csynth,
    HlsModule,
    HlsResources,
    NotRun,
    RtlCheck,
    Timing,
    Utilisation,
    VitisSynth,
)
from tests.report.example_graph import graph, profile

TARGET = Target("xc7z020", "xc7", lut=53200, ff=106400, dsp=220, bram=140, clock_mhz=100.0)

# name, kind, MACs, bits (w, x, y, acc), PE, SIMD, simulated cycles, (LUT, FF, DSP, BRAM)
LAYERS: tuple[tuple[str, Kind, int, tuple[int, int, int, int], int, int, int, Any], ...] = (
    ("conv1", Kind.CONV, 320000, (8, 8, 4, 22), 1, 40, 8000, (1900, 900, 40, 1.5)),
    ("depthwise1", Kind.DEPTHWISE, 72000, (4, 4, 8, 14), 1, 9, 8004, (800, 600, 0, 0.5)),
    ("pointwise1", Kind.CONV, 512000, (4, 8, 8, 20), 1, 64, 8000, (4100, 2500, 0, 1.0)),
    ("pool", Kind.AVERAGE_POOL, 0, (0, 8, 8, 0), 1, 1, 8000, (210, 120, 1, 0.0)),
    ("dense", Kind.DENSE, 768, (8, 8, 16, 24), 1, 1, 768, (160, 140, 1, 0.5)),
)


WHY = "neither vitis-run nor vitis_hls on PATH"
NOT_RUN = NotRun("Vitis HLS (synthesis, co-simulation)", WHY)


def inputs(mismatches: int = 0, **changes: Any) -> ReportInputs:
    """Five layers, 114 multipliers, one frame in 8 010 cycles."""
    values: dict[str, Any] = {
        "run": "kws-flat4",
        "model": "kws",
        "quant": "flat4",
        "engine": "xls",
        "target": TARGET,
        "created_utc": "2026-01-31T12:00:00Z",
        "git_commit": "0123456789abcdef0123456789abcdef01234567",
        "seed": 1,
        "tools": {"verilator": "5.48.0", "Yosys": "0.70"},
        "accuracy": figures(),
        "graph": graph(),
        "profile": profile(),
        "plan": plan(),
        "sim": sim(mismatches),
        "synth": synth(),
        "timing": None,
        "stages": (
            StageTime("extract", 21.4, True),
            StageTime("plan", 0.3, False),
            StageTime("simulate", 312.0, False),
        ),
        "provenance": {"config": "config.yaml", "plan_hash": "9f2c4d1e", "data_sha256": None},
    }
    return ReportInputs(**{**values, **changes})


def c_inputs(mismatches: int = 0, **changes: Any) -> ReportInputs:
    """The same network with engine `vitis`, on a machine without Vitis HLS."""
    values: dict[str, Any] = {
        "run": "kws-flat4-vitis",
        "engine": "vitis",
        "accuracy": c_figures(),
        "sim": csim(mismatches),
        "synth": None,
        "vitis": not_run(),
    }
    return inputs(**{**values, **changes})


def figures() -> AccuracyFigures:
    """Accuracies of a run in RTL."""
    return AccuracyFigures(
        "accuracy",
        "kws_test",
        0.9165,
        0.9082,
        0.9078,
        0.90625,
        500,
        64,
        True,
        "kws_official",
        "Speakers occur in both sets.",
        recorded_samples=4890,
    )


def c_figures() -> AccuracyFigures:
    """Accuracies of a run in C."""
    return replace(figures(), rtl=None, rtl_samples=0, csim=0.90625, csim_samples=64)


def csim(mismatches: int = 0) -> CsimResult:
    """Three runs; the first and 'pointwise1' hold the mismatches."""
    runs = (
        CsimRun("native", 64, 500000, mismatches, 6.25, 0.08),
        CsimRun("bit_true", 8, 62500, 0, 11.0, 0.25),
        CsimRun("testbench", 8, 96, 0, 5.5, 0.02),
    )
    layers = tuple(
        CsimLayer(layer[0], 2000, mismatches * (layer[0] == "pointwise1")) for layer in LAYERS
    )
    return CsimResult("csim", "io_stream", 64, 562596, mismatches, 0.35, runs, layers)


def not_run() -> VitisSynth:
    """Nothing but the reason."""
    return VitisSynth(
        None, None, "xc7z020clg400-1", False, WHY, None, None, None, None, None, None, (NOT_RUN,),
        0.0,
    )  # fmt: skip


def ran(rtl_mismatches: int = 0) -> VitisSynth:
    """Vitis HLS and Vivado, without co-simulation."""
    used = HlsResources(21000, 30000, 170, 12, 0)
    cycles = (18000, 18600, 8000, 8020)
    modules = (HlsModule("conv1", *cycles, replace(used, lut=1900)),)
    there = HlsResources(53200, 106400, 220, 280, 0)
    return VitisSynth(
        tool="vitis_hls",
        version="2023.2",
        part="xc7z020clg400-1",
        ran=True,
        reason=None,
        csynth=Csynth(*cycles, 10.0, 7.3, used, there, modules),
        cosim=None,
        rtl=RtlCheck(
            64, 35000, rtl_mismatches, 8020, 18600,
            (SimRun("none", 0, 64, 35000, rtl_mismatches, 530000, 3.5),),
        ),
        vivado_version="2023.2",
        vivado=Utilisation(17000, 21000, 168, 8.5, 0),
        timing=Timing(1.25, 10.0, 114.3),
        not_run=(NotRun("co-simulation", "not asked for"),),
        seconds=1234.5,
    )  # fmt: skip


def plan() -> HwPlan:
    """The plan of `LAYERS`."""
    return HwPlan("kws", "9f2c", TARGET, 8000, tuple(map(_unit, LAYERS)), 8, 1, 490, 16, 1, 12)


def sim(mismatches: int = 0) -> SimResult:
    """Two runs; the second and 'pointwise1' hold the mismatches."""
    runs = (
        SimRun("none", 0, 64, 500000, 0, 520000, 2.5),
        SimRun("random", 1, 64, 500000, mismatches, 910000, 4.5),
    )
    layers = tuple(
        LayerSim(
            layer[0], layer[6], 8010, 0.25, 0.125, 2000, mismatches * (layer[0] == "pointwise1")
        )
        for layer in LAYERS
    )
    return SimResult("xls", 64, 1000000, mismatches, 8010, 16240, 204285.7, 7.0, runs, layers)


def synth() -> SynthResult:
    """The layers' cells and those of the two ends."""
    cells = [(layer[0], *layer[7]) for layer in LAYERS]
    cells += [("ingress", 90, 80, 0, 0.0), ("egress", 60, 50, 0, 0.0)]
    units = tuple(UnitResources(*cell, seconds=12.5) for cell in cells)
    lut, ff, dsp = (sum(cell[place] for cell in cells) for place in (1, 2, 3))
    fit = {"lut": 13.76, "ff": 4.13, "dsp": 19.09, "bram": 2.5}
    scope = "sum of separately synthesised units, post-synthesis, not placed or routed"
    return SynthResult("Yosys 0.70", "xc7z020", scope, units, lut, ff, dsp, 3.5, fit)


def timing(*fmax_mhz: float) -> TimingResult:
    """Routed layers; the others have no figure."""
    units = tuple(
        UnitTiming(layer[0], mhz, 1950, 900, 40, 1.5, f"acc to y: {1e3 / mhz:.2f} ns", 61.5)
        for layer, mhz in zip(LAYERS, fmax_mhz, strict=False)
    )
    scope = "each unit routed by itself, speed grade 6; not the whole network"
    return TimingResult("nextpnr-ecp5 0.11.1", "lfe5u-85f", scope, units)


def _unit(layer: Any) -> UnitPlan:
    name, kind, macs, (w_bits, x_bits, y_bits, acc_bits), pe, simd, cycles, cells = layer
    mac = None
    if macs:
        steps = macs // (pe * simd)
        depthwise = kind is Kind.DEPTHWISE
        mac = MacSpec(f"{name}_mac", x_bits, False, w_bits, pe, simd, steps, acc_bits, depthwise)
    return UnitPlan(
        name=name,
        kind=kind,
        macs=macs,
        w_bits=w_bits,
        x_bits=x_bits,
        y_bits=y_bits,
        acc_bits=acc_bits,
        in_elems=1,
        window=None,
        x_elems=simd,
        repeat=1,
        pe=pe,
        simd=simd,
        lanes=1,
        mac=mac,
        requant=None,
        pool=None,
        products="dsp" if cells[2] else "lut",
        weight_rom="block",
        in_beats=8000,
        out_beats=8000,
        fifo_depth=16,
        cycles=CycleEstimate(cycles - cycles % 10, 490, 490, 500),
        resources=ResourceEstimate(cells[0] - 30, cells[2], cells[3]),
    )
