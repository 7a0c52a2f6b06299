"""What each engine does in the stages emit, simulate, synth and route: a module for each."""

from __future__ import annotations

from flow.engines.vitis import steps as vitis_steps
from flow.engines.xls import steps as xls_steps
from flow.runs import Run
from flow.steps import Step

_STEPS = {"xls": xls_steps, "vitis": vitis_steps}


def engine_steps(run: Run) -> tuple[Step, ...]:
    """The stages between plan and report, in order."""
    return _STEPS[run.engine](run)
