"""A stage as code: what decides its result, and the call that makes it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flow.cache import Outcome
from flow.runs import FRAME_SEED, Run

if TYPE_CHECKING:
    from flow.graph import IntGraph
    from flow.plan import HwPlan

# code that reads samples, and code that says how good an answer is
SAMPLE_SOURCES = ("flow/data.py", "flow/anomaly.py", "models/images.py")
SCORE_SOURCES = ("flow/evaluation.py", "flow/layer_equality.py", "flow/metrics.py")

Done = Mapping[str, Outcome]
Make = Callable[[Run, Path, Done], None]


@dataclass(frozen=True, slots=True)
class Step:
    """One stage of a run; `flow.stages` makes a `Stage` of it.

    `sources` are the files and folders of the repository whose code decides the result, `inputs`
    any JSON value (the tools are in `flow.provenance`). `make` receives the run, an empty folder
    and the outcomes of the stages before.
    """

    name: str
    needs: tuple[str, ...]
    sources: tuple[str, ...]
    make: Make
    inputs: Mapping[str, Any] = field(default_factory=dict)


def data_inputs(run: Run) -> dict[str, Any]:
    """The samples, by their content."""
    settings = run.settings
    return {
        "data": {
            "name": run.source.path.stem,
            "sha256": run.source.sha256,
            "real": run.source.is_real,
        },
        "input_shape": settings.input_shape,
        "classes": settings.classes,
        "metric": settings.metric,
    }


def frame_inputs(run: Run) -> dict[str, Any]:
    """The samples that are simulated."""
    return {
        **data_inputs(run),
        "frames": run.frames or run.settings.frames,
        "seed": FRAME_SEED,
    }


def graph_of(done: Done) -> IntGraph:
    """What the stage extract made."""
    from flow.graph import load_graph

    return load_graph(done["extract"].folder)


def plan_of(done: Done) -> HwPlan:
    """What the stage plan made."""
    from flow.plan import load_plan

    return load_plan(done["plan"].folder / "plan.json")


def save_json(path: Path, value: object) -> None:
    """Write a dataclass as JSON with the names of its fields."""
    path.write_text(json.dumps(asdict(value), indent=1, sort_keys=True) + "\n")  # type: ignore[call-overload]
