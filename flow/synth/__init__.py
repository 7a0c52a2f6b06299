"""Synthesis of a generated project, unit by unit."""

from flow.synth.result import (
    SynthResult,
    UnitResources,
    load_synth_result,
    save_synth_result,
    synth_result_from_dict,
    synth_result_to_dict,
)
from flow.synth.synthesise import synthesise

__all__ = [
    "SynthResult",
    "UnitResources",
    "load_synth_result",
    "save_synth_result",
    "synth_result_from_dict",
    "synth_result_to_dict",
    "synthesise",
]
