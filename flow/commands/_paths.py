"""How paths are shown."""

from __future__ import annotations

from pathlib import Path


def short(path: Path) -> str:
    """Relative to the working directory where the path lies below it."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
