"""Puts report files where Vitis HLS and Vivado write them; the files are in `reports/`."""

from __future__ import annotations

from pathlib import Path

from flow.emit.vitis import VitisProject
from flow.emit.vitis.tool import reports_folder

REPORTS = Path(__file__).parent / "reports"
MODULES = {"conv_y": "144", "pool_y": "undef"}  # name: latency


def text_of(name: str, project: VitisProject, **values: str) -> str:
    """A report with its placeholders replaced."""
    text = (REPORTS / name).read_text()
    for key, value in ({"TOP": project.name, "PART": project.part} | values).items():
        text = text.replace(f"@{key}@", value)
    return text


def csynth_xml(project: VitisProject) -> Path:
    """Where the top's report lies."""
    return reports_folder(project) / f"{project.name}_csynth.xml"


def cosim_rpt(project: VitisProject) -> Path:
    """Where the co-simulation's report lies."""
    return reports_folder(project).parents[1] / "sim" / "report" / f"{project.name}_cosim.rpt"


def write_hls_reports(project: VitisProject) -> None:
    """The top's report, two modules' and the co-simulation's."""
    csynth_xml(project).parent.mkdir(parents=True)
    csynth_xml(project).write_text(text_of("top_csynth.xml", project))
    for module, latency in MODULES.items():
        text = text_of("module_csynth.xml", project, MODULE=module, LATENCY=latency)
        (reports_folder(project) / f"{module}_csynth.xml").write_text(text)
    cosim_rpt(project).parent.mkdir(parents=True)
    cosim_rpt(project).write_text(text_of("cosim.rpt", project))


def write_vivado_reports(project: VitisProject, utilisation: str = "vivado_synth.rpt") -> None:
    """The utilisation of a family, and the timing."""
    (project.root / "vivado_synth.rpt").write_text(text_of(utilisation, project))
    (project.root / "vivado_timing.rpt").write_text(text_of("vivado_timing.rpt", project))
