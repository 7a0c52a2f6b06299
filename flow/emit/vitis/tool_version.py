"""Releases of AMD's tools: which one a program is of, and which ones are too old."""

from __future__ import annotations

import re
import subprocess

OLDEST = "2020.2"  # UG1399 of this release has every pragma of these projects
ARGUMENTS = {"vitis-run": "--version", "vitis_hls": "-version", "vivado": "-version"}
RELEASE = re.compile(r"\bv(20\d\d\.\d)\b")  # of a banner: 'Vitis HLS - ... v2024.1 (64-bit)'
TIMEOUT_S = 120.0  # a cold start from a network drive


def version_of(program: str) -> str | None:
    """The release that a program names, such as '2024.1'; None where it names none."""
    try:
        done = subprocess.run(
            [program, ARGUMENTS[program]],
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = RELEASE.search(done.stdout + done.stderr)
    return found[1] if found else None


def too_old(program: str) -> str | None:
    """What is wrong with a release before OLDEST; None of another one, an unknown one too."""
    version = version_of(program)
    if version is None or version >= OLDEST:
        return None
    return f"{program} on PATH is version {version}, older than {OLDEST}"
