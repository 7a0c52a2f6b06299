"""Project emission through the hls4ml back end `Shift`: kernels, units, top, ROM files."""

from flow.emit.project import Project, ProjectUnit, RomFile
from flow.emit.writer import check_roms, load_project

__all__ = ["Project", "ProjectUnit", "RomFile", "check_roms", "load_project", "write_project"]


def __getattr__(name: str) -> object:
    """Import hls4ml only when a project is really written."""
    if name == "write_project":
        from flow.emit.hls4ml_backend import write_project

        return write_project
    raise AttributeError(name)
