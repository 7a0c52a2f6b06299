"""Writes a Vitis HLS project folder, whole or not at all."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path

from flow.cache import publish
from flow.emit.vitis.layers import IO_TYPES
from flow.emit.vitis.project import (
    FORMAT,
    MANIFEST,
    Tap,
    VitisProject,
    hash_of,
    load_vitis_project,
    manifest_text,
    read_manifest,
)
from flow.emit.vitis.sources import generate
from flow.emit.vitis.testbench import write_frames
from flow.emit.vitis.tool import write_steps
from flow.errors import ConfigError, DataError, PlanError, ToolMissing
from flow.graph.store import graph_hash
from flow.graph.types import IntArray, IntGraph
from flow.plan import HwPlan, plan_hash


def write_vitis_project(
    graph: IntGraph,
    plan: HwPlan,
    folder: Path,
    io_type: str = "io_stream",
    *,
    codes: IntArray | None = None,
) -> VitisProject:
    """Write the project of a plan into `folder`, which is made, or replaced by one rename.

    A folder that holds exactly this project is left as it is, with whatever tools added to it.

    Args:
        codes: [n, h, w, c] input codes that the testbench runs; random ones by default. The outputs
            that it expects are the integer reference's.

    Raises:
        ConfigError: the io type or the target's part is missing or unknown.
        DataError: `folder` holds something else: another network's project, or other files.
        PlanError: the plan is of another graph.
        UnsupportedLayer: the engine lacks an operator.
    """
    if io_type not in IO_TYPES:
        raise ConfigError(f"io_type {io_type!r} is unknown; choose one of: {', '.join(IO_TYPES)}.")
    if plan.graph_hash != graph_hash(graph):
        raise PlanError(
            f"the hardware plan is of another graph ({plan.graph_hash[:16]}) than "
            f"{graph.name!r} ({graph_hash(graph)[:16]}).\n  Plan again."
        )
    part = _part(plan)
    _refuse_other_content(folder, graph)
    texts = generate(graph, plan, io_type, part)
    project = VitisProject(
        root=folder,
        format=FORMAT,
        engine="vitis",
        name=graph.name,
        io_type=io_type,
        graph_hash=graph_hash(graph),
        plan_hash=plan_hash(plan),
        part=part,
        input_shape=graph.input_shape,
        taps=tuple(Tap(node.name, node.out_shape) for node in graph.nodes),
        files={name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
        | _library_hashes(),
    )
    if not _holds(folder, project):
        _publish(project, texts, graph, codes)
    elif codes is not None:
        write_frames(folder, graph, codes)
    return project


def _part(plan: HwPlan) -> str:
    if plan.target.part is None:
        raise ConfigError(
            f"target {plan.target.name!r} has no part; engine 'vitis' needs AMD's name of the "
            f"device.\n  Give it in config.yaml (targets.{plan.target.name}.part, such as "
            "xc7z020clg400-1), or choose another target."
        )
    return plan.target.part


def _refuse_other_content(folder: Path, graph: IntGraph) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    found = read_manifest(folder)
    if found is None:
        raise DataError(
            f"{folder} exists and holds no project of engine 'vitis'; nothing in it was changed.\n"
            "  Choose another output folder, or remove this one."
        )
    if found.graph_hash != graph_hash(graph):
        raise DataError(
            f"{folder} holds the project of another network: {found.name!r}, graph "
            f"{found.graph_hash[:16]}, not {graph.name!r}, graph {graph_hash(graph)[:16]}; nothing "
            "in it was changed.\n  Choose another output folder, or remove this one."
        )


def _holds(folder: Path, project: VitisProject) -> bool:
    try:
        return load_vitis_project(folder) == project
    except DataError:
        return False


def _publish(
    project: VitisProject, texts: dict[str, str], graph: IntGraph, codes: IntArray | None
) -> None:
    parent = project.root.absolute().parent
    parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{project.root.name}.", dir=parent) as scratch:
        staging = Path(scratch) / "project"
        for name, text in texts.items():
            path = staging / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        shutil.copytree(_ap_types(), staging / "firmware" / "ap_types")
        write_frames(staging, graph, codes)
        write_steps(staging)
        (staging / MANIFEST).write_bytes(manifest_text(project))
        publish(staging, project.root.absolute())


def _library_hashes() -> dict[str, str]:
    """Hashes of the arbitrary-precision headers, by their path in the project."""
    source = _ap_types()
    return {
        f"firmware/ap_types/{path.relative_to(source).as_posix()}": hash_of(path)
        for path in sorted(source.rglob("*"))
        if path.is_file()
    }


def _ap_types() -> Path:
    """AMD's open headers of arbitrary-precision types, as hls4ml's package ships them."""
    import hls4ml

    folder = Path(hls4ml.__file__).parent / "templates" / "vivado" / "ap_types"
    if not (folder / "ap_int.h").is_file():
        raise ToolMissing(
            "ap_types", "the firmware's integer types", "Reinstall hls4ml 1.3.0: make setup."
        )
    return folder
