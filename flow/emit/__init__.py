"""Project emission: kernels, units, top, ROM files."""

from flow.emit.project import Project, ProjectUnit, RomFile
from flow.emit.writer import check_roms, load_project, write_project

__all__ = ["Project", "ProjectUnit", "RomFile", "check_roms", "load_project", "write_project"]
