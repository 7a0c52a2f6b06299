"""The machine that a figure was measured on."""

from __future__ import annotations

from pathlib import Path


def cpu_model() -> str:
    """The processor's name, 'unknown' where the system does not say it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "unknown")
