"""Random small networks through plan, project and RTL: exact at every layer, cycles as planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.emit import write_project
from flow.simulate import StallSettings, simulate
from tests.helpers import random_codes
from tests.networks.random_graphs import random_graph, random_plan

pytestmark = pytest.mark.sim

FRAMES = 6
DEFAULT_SEEDS = (4, 5, 7, 9, 21, 22)  # together they have all of FEATURES
SLOW_SEEDS = tuple(seed for seed in range(36) if seed not in DEFAULT_SEEDS)
FEATURES = {
    *("conv", "depthwise", "dense", "average_pool"),
    *("PE > 1", "SIMD > 1", "lanes > 1", "lanes < PE", "replay", "no window", "pool PE > 1"),
    *("products in lut", "products in dsp", "weights in block RAM", "x wider than 12 bits"),
    *("signed", "unsigned", "zero point", "padded zero point", "even kernel with padding"),
    "strided window",
}


def features(seed: int) -> set[str]:
    """What a random network has of FEATURES."""
    graph = random_graph(seed)
    found: dict[str, bool] = {}
    for node, unit in zip(graph.nodes, random_plan(graph, seed).units, strict=True):
        padded = node.window.pad_top > 0
        has = {
            node.kind.value: True,
            "PE > 1": unit.pe > 1,
            "SIMD > 1": unit.simd > 1,
            "lanes > 1": unit.lanes > 1,
            "lanes < PE": unit.lanes < unit.pe,
            "replay": unit.repeat > 1,
            "no window": unit.window is None,
            "pool PE > 1": unit.pool is not None and unit.pe > 1,
            f"products in {unit.products}": unit.mac is not None,
            "weights in block RAM": unit.mac is not None and unit.weight_rom == "block",
            "x wider than 12 bits": node.x.bits > 12,
            "signed" if node.x.signed else "unsigned": True,
            "zero point": node.x.zero_point != 0,
            "padded zero point": node.x.zero_point != 0 and padded,
            "even kernel with padding": node.window.kernel_h % 2 == 0 and padded,
            "strided window": node.window.stride_h > 1 and node.window.taps > 1,
        }
        found |= {name: True for name, present in has.items() if present}
    return set(found)


def test_the_default_seeds_cover_every_kind_fold_and_type() -> None:
    assert set().union(*map(features, DEFAULT_SEEDS)) == FEATURES


@pytest.mark.parametrize(
    "seed", [*DEFAULT_SEEDS, *(pytest.param(seed, marks=pytest.mark.slow) for seed in SLOW_SEEDS)]
)
def test_a_random_network_is_exact_and_as_fast_as_planned(seed: int, tmp_path: Path) -> None:
    graph = random_graph(seed)
    hw_plan = random_plan(graph, seed)
    project = write_project(graph, hw_plan, tmp_path / "project", jobs=2, xls_timeout_s=120)
    result = simulate(
        project, graph, hw_plan, random_codes(graph, FRAMES, seed), tmp_path / "sim",
        frames=FRAMES, stalls=StallSettings(40, 40, (seed,)),
    )  # fmt: skip
    words = [hw_plan.input_beats, *(u.out_beats for u in hw_plan.units), hw_plan.output_beats]
    assert result.mismatches == 0
    assert [run.outputs_compared for run in result.runs] == [FRAMES * sum(words)] * 3
    planned = {unit.name: unit.cycles.bound for unit in hw_plan.units}
    assert {layer.name: layer.sim_cycles for layer in result.layers} == planned
    assert result.ii_cycles == hw_plan.est_ii_cycles
