"""Debian's chromium, headless, one process per call."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MISSING = "chromium is not on PATH: apt-get install chromium"
TIMEOUT_S = 120
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers give /dev/shm 64 MB
    "--hide-scrollbars",
)
DARK = "--blink-settings=preferredColorScheme=0"


def dump_dom(page: Path, profile: Path, *flags: str) -> str:
    """The page's DOM as text when its scripts are done."""
    # virtual time: timers and messages run out before the dump
    return _run(page, profile, "--virtual-time-budget=20000", "--dump-dom", *flags)


def screenshot(page: Path, image: Path, profile: Path, width: int, *flags: str) -> bytes:
    """The first 3000 rows of pixels; chromium makes no window narrower than 500."""
    _run(page, profile, f"--screenshot={image}", f"--window-size={width},3000", *flags)
    return image.read_bytes()


def print_pages(page: Path, pdf: Path, profile: Path) -> int:
    """Print to PDF and count the pages."""
    _run(page, profile, f"--print-to-pdf={pdf}", "--no-pdf-header-footer")
    return len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes()))


def _run(page: Path, profile: Path, *flags: str) -> str:
    program = shutil.which("chromium")
    if program is None:
        pytest.fail(MISSING)
    argv = [program, *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    assert done.returncode == 0, f"chromium failed ({done.returncode}):\n{done.stderr[-2000:]}"
    return done.stdout
