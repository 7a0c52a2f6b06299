"""C simulation of random networks: both arithmetics, both io types, exact at every layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.emit.vitis import IO_TYPES, Mode
from tests.emit.vitis.batch import (
    IO_NAMES,
    compile_batch,
    differences,
    hostile_codes,
    random_network,
)
from tests.networks.test_random_networks import FEATURES, features

BATCH = 10
QUICK = ((4, 5, 7, 9, 21), (22, 23, 24, 25, 26))  # together they have all of FEATURES
SLOW = [tuple(range(first, first + BATCH)) for first in range(100, 300, BATCH)]


def check(seeds: tuple[int, ...], mode: Mode, folder: Path) -> int:
    """Compile the networks in both io types, compare every layer; return the networks compared."""
    networks = [
        (seed, *random_network(seed, f"r{seed}_{IO_NAMES[io_type]}"), io_type)
        for seed in seeds
        for io_type in IO_TYPES
    ]
    library = compile_batch([(g, p, io) for _, g, p, io in networks], folder, mode)
    for seed, graph, _, _ in networks:
        different = differences(library, mode, graph, hostile_codes(graph, seed))
        assert not any(different.values()), (graph.name, different)
    return len(networks)


def test_the_quick_seeds_cover_every_kind_fold_and_type() -> None:
    assert set().union(*(features(seed) for seeds in QUICK for seed in seeds)) >= FEATURES


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seeds", QUICK, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_random_networks_are_exact(seeds: tuple[int, ...], mode: Mode, tmp_path: Path) -> None:
    assert check(seeds, mode, tmp_path) == 2 * len(seeds)


@pytest.mark.slow
@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("seeds", SLOW, ids=lambda seeds: f"{seeds[0]}-{seeds[-1]}")
def test_two_hundred_random_networks_are_exact(
    seeds: tuple[int, ...], mode: Mode, tmp_path: Path
) -> None:
    assert check(seeds, mode, tmp_path) == 2 * BATCH
