"""The generated project as later stages see it: folder, units, sources, ROM files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class RomFile:
    """A `$readmemh` file; `sha256` is checked before every simulation and synthesis."""

    path: str  # relative to the project's rtl folder
    width: int
    depth: int
    sha256: str


@dataclass(frozen=True, slots=True)
class ProjectUnit:
    """One separately synthesisable unit: a layer, or the AXI ingress/egress."""

    name: str  # the layer's name, or 'ingress', 'egress'
    module: str
    sources: tuple[str, ...]  # relative to the project's rtl folder, everything it needs
    roms: tuple[RomFile, ...]
    use_dsp: bool


@dataclass(frozen=True, slots=True)
class Project:
    """A project folder; `project.json` in it holds the same fields."""

    root: Path
    name: str
    top_module: str
    units: tuple[ProjectUnit, ...]
    sources: tuple[str, ...]  # all, in compile order, relative to rtl
    plan_hash: str

    @property
    def rtl(self) -> Path:
        """Where all sources and ROM files lie."""
        return self.root / "rtl"
