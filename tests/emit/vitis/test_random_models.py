"""C simulation of random QKeras models: what the frontend reads, both arithmetics and io types."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from flow.emit.vitis import IO_TYPES, Mode
from flow.errors import PlanError
from flow.frontend import from_keras
from flow.graph import IntGraph
from flow.plan import HwPlan, plan
from tests.emit.vitis.batch import IO_NAMES, PART, compile_batch, differences, hostile_codes
from tests.frontend.random_models import random_model

BATCH = 10
SLOW = [range(first, first + BATCH) for first in range(1000, 1200, BATCH)]


def planned(graph: IntGraph, seed: int) -> HwPlan:
    """A plan at a random interval: the slowest fold's, or a fraction of it that is feasible."""
    rng = np.random.default_rng([seed, 2])
    slowest = plan(graph, PART, 1 << 30, engine="vitis").est_ii_cycles
    ii_cycles = max(1, int(slowest / rng.choice((1, 2, 4, 8, 64))))
    while True:
        try:
            return plan(graph, PART, ii_cycles, engine="vitis", lut_budget=100)
        except PlanError:
            ii_cycles = ii_cycles * 5 // 4 + 1


def check(seeds: range | tuple[int, ...], mode: Mode, folder: Path) -> int:
    """Compile the models in both io types, compare every layer; return the networks compared."""
    networks = []
    for seed in seeds:
        graph = from_keras(random_model(seed))
        for io_type in IO_TYPES:
            named = replace(graph, name=f"m{seed}_{IO_NAMES[io_type]}")
            networks.append((seed, named, planned(named, seed), io_type))
    library = compile_batch([(g, p, io) for _, g, p, io in networks], folder, mode)
    for seed, graph, _, _ in networks:
        different = differences(library, mode, graph, hostile_codes(graph, seed))
        assert not any(different.values()), (graph.name, different)
    return len(networks)


@pytest.mark.slow
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_two_hundred_random_models_are_exact(seeds: range, mode: Mode, tmp_path: Path) -> None:
    assert check(seeds, mode, tmp_path) == 2 * BATCH
