"""Where what all checkouts share is kept."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder, which need not exist; see docs/architecture.md (SHIFTFLOW_CACHE)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(os.environ.get("SHIFTFLOW_CACHE", f"{base}/shiftflow")).absolute()
