"""What `doctor` finds out about the disk, the machine, the configuration and the data."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from flow.commands._checks import OK, OPTIONAL, PROBLEM, ROOT, Check

if TYPE_CHECKING:
    from flow.config import Config

SET_UP_GB = 3.5  # .venv and what pip keeps meanwhile
BUILD_GB = 1.0  # a run takes a third of it
DATA_VARIABLE = "SHIFTFLOW_DATA"
FOLDERS = ("build", "reports")


def place() -> list[Check]:
    """Processor, memory, disk, folders, config.yaml, data."""
    return [_cores(), _memory(), _disk(), *map(_writable, FOLDERS), *_configured()]


def _cores() -> Check:
    return Check("cores", OK, str(len(os.sched_getaffinity(0))))


def _memory() -> Check:
    try:
        found = re.search(r"MemAvailable: *(\d+) kB", Path("/proc/meminfo").read_text())
    except OSError:
        found = None
    return Check("memory", OK, f"{int(found.group(1)) / 1e6:.1f} GB free" if found else "unknown")


def _disk() -> Check:
    wanted = BUILD_GB if (ROOT / ".venv" / "bin" / "python").exists() else SET_UP_GB
    free = shutil.disk_usage(str(ROOT)).free / 1e9
    state = OK if free >= wanted else PROBLEM
    remedy = "" if state == OK else f"free some space on the disk of {ROOT}"
    return Check("disk", state, f"{free:.1f} GB free", f"{wanted:g} GB", remedy)


def _writable(name: str) -> Check:
    folder = ROOT / name
    if folder.exists() and not folder.is_dir():
        return Check(f"{name}/", PROBLEM, "is no folder", "", f"remove the file {folder}")
    if os.access(str(folder if folder.exists() else ROOT), os.W_OK | os.X_OK):
        return Check(f"{name}/", OK, "writable" if folder.exists() else "will be made")
    return Check(f"{name}/", PROBLEM, "not writable", "", f"chmod u+rwx {folder}, or own it")


def _configured() -> list[Check]:
    """What needs packages to be looked at."""
    try:
        from flow.config import load_config
        from flow.errors import FlowError
        from flow.runs import trained_quants
    except ImportError:
        return [Check("config.yaml", OPTIONAL, "not checked before the set-up")]
    try:
        config = load_config()
    except FlowError as error:
        return [Check("config.yaml", PROBLEM, str(error).splitlines()[0], "", str(error))]
    models = ", ".join(config.models)
    checks = [Check("config.yaml", OK, f"models: {models}; devices: {', '.join(config.targets)}")]
    return checks + [_data(config, model) for model in config.models if trained_quants(model)]


def _data(config: Config, model: str) -> Check:
    from flow.data import SHIPPED_ARE, find_samples
    from flow.errors import FlowError
    from flow.fetch import fetch_command

    name = f"data of {model}"
    chosen = os.environ.get(DATA_VARIABLE)
    if chosen and not Path(chosen).is_dir():
        found = f"{DATA_VARIABLE}={chosen} is no folder"
        return Check(name, PROBLEM, found, "", f"correct or unset {DATA_VARIABLE}")
    try:
        source = find_samples(config, model)
    except FlowError as error:
        return Check(name, PROBLEM, str(error).splitlines()[0], "", fetch_command(model))
    if source.is_real:
        return Check(name, OK, str(source.path))
    what = SHIPPED_ARE.get(source.path.stem, "made for the project")
    found = f"the shipped samples, {what}; the official test set is not here"
    return Check(name, OPTIONAL, found, "", fetch_command(model))
