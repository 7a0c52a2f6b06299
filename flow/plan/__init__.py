"""Hardware plan: folds, widths, FIFO depths and estimates."""

from flow.plan.fold import Override
from flow.plan.hwplan import BranchPlan, HwPlan, Target, UnitPlan
from flow.plan.planner import plan
from flow.plan.store import load_plan, plan_hash, save_plan

__all__ = [
    "BranchPlan",
    "HwPlan",
    "Override",
    "Target",
    "UnitPlan",
    "load_plan",
    "plan",
    "plan_hash",
    "save_plan",
]
