"""Synthesis and routing of a generated project, unit by unit."""

from flow.synth.result import (
    SynthResult,
    TimingResult,
    UnitResources,
    UnitTiming,
    load_synth_result,
    load_timing,
    save_synth_result,
    save_timing,
    synth_result_from_dict,
    synth_result_to_dict,
    timing_from_dict,
)
from flow.synth.route import route
from flow.synth.synthesise import synthesise

__all__ = [
    "SynthResult",
    "TimingResult",
    "UnitResources",
    "UnitTiming",
    "load_synth_result",
    "load_timing",
    "route",
    "save_synth_result",
    "save_timing",
    "synth_result_from_dict",
    "synth_result_to_dict",
    "synthesise",
    "timing_from_dict",
]
