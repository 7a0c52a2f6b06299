"""Many small networks in one C++ file: the headers, which cost most, are read once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from flow.emit.vitis import Library, Mode, csim, write_vitis_project
from flow.emit.vitis.command import FIRMWARE_FLAGS, MODE_FLAGS
from flow.emit.vitis.layers import IO_TYPES
from flow.emit.vitis.sources import LIBRARY
from flow.graph import IntGraph, run_taps
from flow.graph.types import IntArray
from flow.plan import HwPlan
from tests.networks.random_graphs import TARGET, random_graph, random_plan

PART = replace(TARGET, part="xc7z020clg400-1")
HEADERS = ("cmath", "cstddef", "cstdio", "cstdlib", "type_traits", "vector")


def random_network(seed: int, name: str) -> tuple[IntGraph, HwPlan]:
    """A random network and plan of tests.networks under another name."""
    graph = replace(random_graph(seed), name=name)
    hw_plan = random_plan(graph, seed)
    return graph, replace(hw_plan, target=PART)


def hostile_codes(graph: IntGraph, seed: int, frames: int = 4) -> IntArray:
    """Random frames, then frames of extreme codes only: all low, all high, mixed."""
    rng = np.random.default_rng([seed, 3])
    lo, hi = graph.input_type.lo, graph.input_type.hi
    shape = graph.input_shape
    return np.concatenate([
        rng.integers(lo, hi + 1, (frames, *shape)),
        np.full((1, *shape), lo),
        np.full((1, *shape), hi),
        rng.choice([lo, hi], (frames, *shape)),
    ])  # fmt: skip


def compile_batch(
    networks: Iterable[tuple[IntGraph, HwPlan, str]], folder: Path, mode: Mode
) -> Path:
    """Write every (graph, plan, io_type) as a project and compile all into one library."""
    names = []
    for graph, hw_plan, io_type in networks:
        names.append(write_vitis_project(graph, hw_plan, folder / graph.name, io_type).name)
    return compile_projects(names, folder, mode)


def compile_projects(names: list[str], folder: Path, mode: Mode) -> Path:
    """Compile the projects `folder`/name into one library, each in a namespace of its own."""
    shared = folder / names[0] / "firmware"
    head = [f"#include <{name}>" for name in HEADERS]
    head += ['#include "ap_int.h"', '#include "hls_stream.h"']
    head += [f'#include "{names[0]}/firmware/shift/{name}"' for name in LIBRARY]
    source = folder / f"{mode.value}.cpp"
    source.write_text("\n".join([*head, *map(_unit, names), ""]))
    output = folder / f"{mode.value}.so"
    flags = [flag for flag in FIRMWARE_FLAGS if flag not in ("-isystem", "firmware/ap_types")]
    done = subprocess.run(
        ["g++", *flags, *MODE_FLAGS[mode], "-O0", "-shared", "-isystem", str(shared / "ap_types"),
         str(source), "-o", str(output)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[:3000]
    return output


def differences(path: Path, mode: Mode, graph: IntGraph, codes: IntArray) -> dict[str, int]:
    """Codes of each layer that differ from the integer reference."""
    got = csim.run(Library(path, graph.name, mode), graph, codes)
    expected = run_taps(graph, codes)
    assert got.keys() == expected.keys()
    return {name: int((got[name] != expected[name]).sum()) for name in expected}


def _unit(name: str) -> str:
    return (
        f"namespace of_{name} {{\n"
        f'#include "{name}/firmware/{name}.cpp"\n'
        f'#include "{name}/{name}_frame.h"\n'
        "}\n"
        f'extern "C" __attribute__((visibility("default"))) long long {name}_codes(\n'
        "    const long long *codes, long long *result, long long **places, long long frames) {\n"
        f"    return of_{name}::run_frames(codes, result, places, frames);\n"
        "}\n"
        f'extern "C" __attribute__((visibility("default"))) const char *{name}_graph() {{\n'
        f"    return of_{name}::graph_hash;\n"
        "}\n"
    )


IO_NAMES = {io_type: io_type.removeprefix("io_") for io_type in IO_TYPES}
