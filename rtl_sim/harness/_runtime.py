"""Verilator's runtime library, compiled once.

Verilator compiles it anew for every model, which takes longer than a small model itself. The
objects depend on nothing but versions and flags, so they are kept for all models.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from flow.shared_cache import cache_folder

LOG = logging.getLogger(__name__)


def runtime_objects(opt: str, trace: bool) -> Path:
    """Where the objects for these flags are kept, made already or not."""
    compiler = subprocess.run(["g++", "--version"], capture_output=True, text=True, check=False)
    versions = [metadata.version(name) for name in ("verilator", "cocotb")]
    flags = [compiler.stdout, sys.prefix, opt, str(trace), *versions]
    key = hashlib.sha256("\0".join(flags).encode()).hexdigest()[:16]
    return cache_folder() / f"verilated-{key}"


def restore(kept: Path, build_dir: Path) -> None:
    """Put kept objects into a build folder.

    Without their .d files they are newer than all that make compares them with.
    """
    for built in kept.glob("*.o"):
        shutil.copyfile(built, build_dir / built.name)


def save(kept: Path, build_dir: Path) -> None:
    """Keep the objects of a finished build; without a place for them only time is lost."""
    if kept.exists():
        return
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=kept.parent))
        for built in build_dir.glob("verilated*.o"):
            shutil.copyfile(built, staging / built.name)
        staging.rename(kept)
    except OSError as error:  # another build was first, or the cache is read-only
        LOG.debug("runtime objects not kept: %s", error)
