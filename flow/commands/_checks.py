"""What `doctor` finds out about Python and the programs on PATH; standard library only."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PYTHON = "3.11"
SET_UP = "make setup"
TIMEOUT_S = 20
OK, MISSING, WRONG_VERSION, PROBLEM, OPTIONAL = (
    "ok", "missing", "wrong version", "problem", "optional",
)  # fmt: skip

# name: what needs it, Debian's package
NEEDED = {
    "g++": ("simulation", "g++"),
    "make": ("simulation", "make"),
    "perl": ("simulation", "perl"),
}
USEFUL = {
    "git": ("the commit in reports", "git"),
    "chromium": ("the page's test in make regress", "chromium"),
    "espeak-ng": ("making the shipped speech samples again", "espeak-ng"),
    "vitis-run": ("stage synth with --engine vitis, newer releases; the flow does without", ""),
    "vitis_hls": ("stage synth with --engine vitis, older releases; the flow does without", ""),
    "vivado": ("logic synthesis with --engine vitis; the flow does without", ""),
}
NO_VERSION = (
    "chromium",
    "espeak-ng",
    "vitis-run",
    "vitis_hls",
    "vivado",
)  # slow to start, or they leave files behind


@dataclass(frozen=True)
class Check:
    """One line of the table. `state` is OK, MISSING, WRONG_VERSION, PROBLEM or OPTIONAL."""

    name: str
    state: str
    found: str  # "" where there is nothing
    wanted: str = ""
    remedy: str = ""

    @property
    def failed(self) -> bool:
        """Whether the flow cannot do without."""
        return self.state in (MISSING, WRONG_VERSION, PROBLEM)

    def shown(self) -> str:
        """What was found and wanted, in one line."""
        wanted = f"wanted {self.wanted}" if self.wanted and self.state != OK else ""
        return ", ".join(part for part in (self.found, wanted) if part)


def host() -> list[Check]:
    """Python, what the set-up asks of a machine, and programs."""
    complaints, python = _set_up_conditions()
    programs = [_program(name, needed=True) for name in NEEDED]
    useful = [_program(name, needed=False) for name in USEFUL]
    told = {"Python", *NEEDED}  # these have lines of their own
    others = [text for text in complaints if text.split()[0] not in told]
    return [_python(python), *map(_condition, others), *programs, *useful]


def run(*command: str) -> str | None:
    """What a command prints, or None when it fails or does not start."""
    try:
        answer = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S, check=True, cwd=str(ROOT),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode(errors="replace")


def _set_up_conditions() -> tuple[list[str], str]:
    """Complaints of .ci/check-host.sh, which make setup asks first, and the Python it found."""
    try:
        answer = subprocess.run(
            ["sh", ".ci/check-host.sh"], capture_output=True, timeout=TIMEOUT_S, check=False,
            cwd=str(ROOT),
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        return [f".ci/check-host.sh does not run: {error}"], ""
    complaints = re.findall(r"^ *- (.+)$", answer.stderr.decode(errors="replace"), re.MULTILINE)
    if answer.returncode and not complaints:
        complaints = [f".ci/check-host.sh ended with exit code {answer.returncode}"]
    return complaints, answer.stdout.decode(errors="replace").strip()


def _python(found_by_set_up: str) -> Check:
    version = platform.python_version()
    if version.startswith(f"{PYTHON}."):
        return Check("Python", OK, f"{version} ({sys.executable})", PYTHON)
    if found_by_set_up:
        return Check("Python", OK, f"{PYTHON} for the set-up: {found_by_set_up}", PYTHON)
    return Check(
        "Python",
        WRONG_VERSION,
        version,
        PYTHON,
        f"install Python {PYTHON} with venv (Debian: apt-get install python{PYTHON}-venv), "
        "or name it: make setup PYTHON=FILE",
    )


def _condition(complaint: str) -> Check:
    return Check("this machine", PROBLEM, f"lacks {complaint}")


def _program(name: str, needed: bool) -> Check:
    use, package = (NEEDED if needed else USEFUL)[name]
    path = shutil.which(name)
    if path is None:
        how = f"Debian: apt-get install {package}" if package else ""
        state = MISSING if needed else OPTIONAL
        return Check(name, state, f"absent; for {use}", "", how)
    if name in NO_VERSION:
        return Check(name, OK, path)
    version = run(name, "--version")
    if version is None:
        state = PROBLEM if needed else OPTIONAL
        return Check(name, state, f"{path} does not start", "", f"correct it: {name} --version")
    number = re.search(r"\d+(\.\d+)+", version)
    return Check(name, OK, f"{number.group() if number else 'version unknown'} ({path})")
