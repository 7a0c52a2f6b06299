"""Write the project folder of the XLS engine: kernels, units, top, ROM files, manifest, README."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from flow import __version__
from flow.emit.netlist import ModuleBuilder
from flow.emit.project import Project, ProjectUnit, RomFile
from flow.emit.roms import hex_text
from flow.emit.top import egress_netlist, ingress_netlist, top_module, top_netlist
from flow.emit.unit import unit_netlist
from flow.emit.xls import compile_kernels
from flow.errors import DataError, PlanError
from flow.graph.store import graph_hash
from flow.graph.types import IntGraph
from flow.plan.hwplan import HwPlan, MacSpec, PoolSpec, RequantSpec, UnitPlan
from flow.plan.store import plan_hash
from flow.plan.supported import supported
from flow.templates import render

TEMPLATES = Path(__file__).resolve().parents[2] / "hls_templates"
MANIFEST = "project.json"
INSTANTIATION = re.compile(r"^\s+(\w+) #\(", re.MULTILINE)
_ADAPTER = TypeAdapter(Project)

Progress = Callable[[str, float], None]


def write_files(
    graph: IntGraph,
    plan: HwPlan,
    folder: Path,
    *,
    jobs: int,
    xls_timeout_s: int,
    cache_dir: Path | None = None,
    progress: Progress | None = None,
) -> Project:
    """Write and compile the whole project into `folder` (made, or overwritten file by file).

    Args:
        jobs: kernels compiled at the same time.
        cache_dir: compiled kernels are kept here by the hash of their text.

    Raises:
        ToolFailed, ToolMissing: XLS failed or is not installed.
    """
    if plan.graph_hash != graph_hash(graph):
        raise PlanError(
            f"the hardware plan is of another graph ({plan.graph_hash[:16]}) than "
            f"{graph.name!r} ({graph_hash(graph)[:16]}).\n  Plan again."
        )
    rtl = folder / "rtl"
    rtl.mkdir(parents=True, exist_ok=True)
    kernels = compile_kernels(
        [spec for unit in plan.units for spec in kernel_specs(unit)],
        rtl,
        jobs=jobs,
        timeout_s=xls_timeout_s,
        cache_dir=cache_dir,
        use_dsp={spec.name: uses_dsp(unit) for unit in plan.units for spec in kernel_specs(unit)},
        progress=progress,
    )
    header = f"shiftflow {__version__}, plan {plan_hash(plan)[:16]}; generated, do not edit"
    latencies = {kernel.name: kernel.pipeline_stages for kernel in kernels}
    units = [
        _write_unit(unit_netlist(node, unit, latencies), unit, rtl, header)
        for node, unit in zip(supported(graph), plan.units, strict=True)
    ]
    top = top_netlist(plan)
    _write_module(top, rtl, header)
    ends = [_write_end(end(plan), rtl, header) for end in (ingress_netlist, egress_netlist)]
    project = Project(
        root=Path("."),
        name=graph.name,
        top_module=top.name,
        units=(*units, *ends),
        sources=_unique([*(s for u in (*units, *ends) for s in u.sources), f"{top.name}.sv"]),
        plan_hash=plan_hash(plan),
    )
    _write_readme(graph, plan, project, folder)
    (folder / MANIFEST).write_bytes(_ADAPTER.dump_json(project, indent=1) + b"\n")
    return load_project(folder)


def load_project(folder: Path) -> Project:
    """Read a project's manifest and check every ROM file's hash.

    Raises:
        DataError: the manifest or a ROM file is missing or was changed.
    """
    path = folder / MANIFEST
    try:
        stored = _ADAPTER.validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise DataError(
            f"the project manifest {path} cannot be read: {error}.\n"
            "  Rerun the emit stage (--from emit)."
        ) from error
    project = Project(
        folder, stored.name, stored.top_module, stored.units, stored.sources, stored.plan_hash
    )
    check_roms(project)
    return project


def check_roms(project: Project) -> None:
    """Raise DataError unless every ROM file holds exactly what was written."""
    for unit in project.units:
        for rom in unit.roms:
            path = project.rtl / rom.path
            found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"
            if found != rom.sha256:
                raise DataError(
                    f"ROM file {path} of layer {unit.name!r} has sha256 {found}, "
                    f"not {rom.sha256}.\n  It was changed after it was written; rerun with "
                    "--from emit."
                )


def kernel_specs(unit: UnitPlan) -> list[MacSpec | RequantSpec | PoolSpec]:
    """The HLS kernels of one unit."""
    return [spec for spec in (unit.mac, unit.requant, unit.pool) if spec is not None]


def uses_dsp(unit: UnitPlan) -> bool:
    """Whether synthesis may put this unit's products into DSP blocks."""
    return unit.products == "dsp" or unit.pool is not None


def _write_unit(module: ModuleBuilder, unit: UnitPlan, rtl: Path, header: str) -> ProjectUnit:
    _write_module(module, rtl, header)
    roms = []
    for rom in module.roms:
        text = hex_text(rom.words, rom.width).encode()
        (rtl / rom.path).write_bytes(text)
        sha256 = hashlib.sha256(text).hexdigest()
        roms.append(RomFile(rom.path, rom.width, len(rom.words), sha256))
    return ProjectUnit(
        name=unit.name,
        module=module.name,
        sources=_unit_sources(module, rtl),
        roms=tuple(roms),
        use_dsp=uses_dsp(unit),
    )


def _write_end(module: ModuleBuilder, rtl: Path, header: str) -> ProjectUnit:
    """The AXI ingress or egress as a unit of its own."""
    _write_module(module, rtl, header)
    name = module.name.removeprefix("unit_")
    return ProjectUnit(name, module.name, _unit_sources(module, rtl), (), use_dsp=False)


def _unit_sources(module: ModuleBuilder, rtl: Path) -> tuple[str, ...]:
    """Library modules (copied beside the unit), kernels, and the unit itself."""
    library = _copy_library([instance.module for instance in module.instances], rtl)
    return (*library, *(f"{kernel}.v" for kernel in module.kernels), f"{module.name}.sv")


def _copy_library(modules: list[str], rtl: Path) -> tuple[str, ...]:
    """Copy the hand-written modules among `modules`, and all that they instantiate, to `rtl`."""
    library = {path.stem: path for path in (TEMPLATES / "rtl").glob("*.sv")}
    found: dict[str, None] = {}
    waiting = [name for name in modules if name in library]
    while waiting:
        name = waiting.pop()
        found[f"{name}.sv"] = None
        inner = INSTANTIATION.findall(library[name].read_text())
        waiting += [m for m in inner if m in library and f"{m}.sv" not in found]
        shutil.copyfile(library[name], rtl / f"{name}.sv")
    return tuple(sorted(found))


def _write_module(module: ModuleBuilder, rtl: Path, header: str) -> None:
    text = render(
        TEMPLATES / "top" / "module.sv.j2",
        header=header,
        module=module,
        range=lambda width: f"[{width - 1}:0] " if width > 1 else "",
    )
    (rtl / f"{module.name}.sv").write_text(text)


def _write_readme(graph: IntGraph, plan: HwPlan, project: Project, folder: Path) -> None:
    text = render(
        TEMPLATES / "top" / "README.md.j2",
        graph=graph,
        graph_hash=graph_hash(graph),
        plan=plan,
        project=project,
        top=top_module(plan),
        version=__version__,
    )
    (folder / "README.md").write_text(text)


def _unique(names: list[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
