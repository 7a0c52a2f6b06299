"""Plant a fault in generated hardware, past the content hashes, to see the checker turn red."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np

from flow.emit.project import Project
from flow.emit.roms import hex_text, parameter_words, weight_words
from flow.graph.reference import run_node
from flow.graph.types import IntArray, IntGraph, MatVec
from flow.plan.hwplan import HwPlan


def copy_project(project: Project, folder: Path) -> Project:
    """A copy of the project's sources and ROM files that a test may damage."""
    shutil.copytree(project.rtl, folder / "rtl")
    return replace(project, root=folder)


def with_rom(project: Project, layer: str, suffix: str, text: str) -> Project:
    """Write another ROM file for one layer and declare it genuine."""
    path = next(
        project.rtl / rom.path
        for unit in project.units
        if unit.name == layer
        for rom in unit.roms
        if rom.path.endswith(f"_{suffix}.hex")
    )
    path.write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    units = tuple(
        replace(
            unit,
            roms=tuple(
                replace(rom, sha256=digest) if rom.path == path.name else rom for rom in unit.roms
            ),
        )
        for unit in project.units
    )
    return replace(project, units=units)


def flip_weight_sign(
    project: Project, graph: IntGraph, plan: HwPlan, layer: str, x: IntArray, seed: int
) -> Project:
    """Negate one sampled non-zero weight of a live channel in the layer's ROM."""
    node, unit = _layer(graph, plan, layer)
    mutant = _live_mutant(node, x, seed)
    assert unit.mac is not None
    width = unit.mac.pe * unit.mac.simd * unit.mac.w_bits
    return with_rom(project, layer, "weights", hex_text(weight_words(mutant, unit), width))


def change_shift(project: Project, graph: IntGraph, plan: HwPlan, layer: str) -> Project:
    """Flip one bit of the shifts (or, where there is one shift, of the constants) of a layer."""
    node, unit = _layer(graph, plan, layer)
    spec = unit.requant
    assert spec is not None
    words = list(parameter_words(node, spec))
    bit = spec.const_bits if spec.delta_bits else spec.const_bits - 1
    words = [word ^ (1 << bit) for word in words]
    return with_rom(project, layer, "parameters", hex_text(words, spec.lanes * spec.param_bits))


def _layer(graph: IntGraph, plan: HwPlan, layer: str):
    node = next(node for node in graph.nodes if node.name == layer)
    unit = next(unit for unit in plan.units if unit.name == layer)
    assert isinstance(node, MatVec)
    return node, unit


def _live_mutant(node: MatVec, x: IntArray, seed: int) -> MatVec:
    """A weight whose sign decides an output on these inputs; sampled until one is found."""
    rng = np.random.default_rng(seed)
    golden = run_node(node, x)
    for index in rng.permutation(np.flatnonzero(node.weights))[:200]:
        weights = node.weights.copy()
        weights.flat[index] = -weights.flat[index]
        mutant = replace(node, weights=weights)
        if (run_node(mutant, x) != golden).any():
            return mutant
    raise AssertionError(f"no weight of {node.name!r} decides an output on these inputs")
