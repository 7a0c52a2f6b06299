"""Plans on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flow.errors import DataError
from flow.plan import HwPlan, Target, load_plan, plan, plan_hash, save_plan
from tests.helpers import small_graph

TARGET = Target("xc7z020", "xc7", 53200, 106400, 220, 140, 100.0)


@pytest.fixture
def hw_plan() -> HwPlan:
    return plan(small_graph(), TARGET, 400)


def test_a_plan_survives_the_file(hw_plan: HwPlan, tmp_path: Path) -> None:
    save_plan(hw_plan, tmp_path / "plan.json")
    loaded = load_plan(tmp_path / "plan.json")
    assert loaded == hw_plan
    assert plan_hash(loaded) == plan_hash(hw_plan)


def test_a_plan_is_written_as_the_same_bytes_every_time(hw_plan: HwPlan, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_plan(hw_plan, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_another_interval_or_seed_is_another_hash(hw_plan: HwPlan) -> None:
    others = [plan(small_graph(), TARGET, 401), plan(small_graph(1), TARGET, 400)]
    assert len({plan_hash(p) for p in (hw_plan, *others)}) == 3


@pytest.mark.parametrize("damage", ["cut", "no json", "missing key", "wrong type", "absent"])
def test_a_damaged_plan_is_refused(hw_plan: HwPlan, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "plan.json"
    save_plan(hw_plan, path)
    text = path.read_text()
    fields = json.loads(text)
    if damage == "cut":
        path.write_text(text[: len(text) // 2])
    elif damage == "no json":
        path.write_text("plan")
    elif damage == "missing key":
        del fields["units"][1]["pe"]
        path.write_text(json.dumps(fields))
    elif damage == "wrong type":
        fields["units"][0]["kind"] = "no such kind"
        path.write_text(json.dumps(fields))
    else:
        path.unlink()
    with pytest.raises(DataError) as caught:
        load_plan(path)
    assert str(caught.value).startswith(f"the hardware plan {path} cannot be read: ")
    assert str(caught.value).endswith("\n  Rerun the plan stage (--from plan).")
