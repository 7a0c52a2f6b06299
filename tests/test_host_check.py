"""The check of the machine before the set-up, and that a set-up is stamped only when complete."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from flow.config import ROOT

UTILITIES = (
    "uname", "getconf", "cut", "sort", "head", "make", "perl", "flock", "sha256sum",
)  # fmt: skip


def check(path: Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(ROOT / ".ci" / "check-host.sh")],
        cwd=cwd,
        env={"PATH": str(path), **environment}, capture_output=True, text=True, check=False,
        errors="surrogateescape",
    )  # fmt: skip


def with_utilities(folder: Path, *names: str) -> Path:
    for name in names:
        found = shutil.which(name)
        assert found, name
        (folder / name).symlink_to(found)
    return folder


def test_complete_machine_names_its_python(tmp_path: Path) -> None:
    path = with_utilities(tmp_path, *UTILITIES, "g++")
    result = check(path, PYTHON=sys.executable)
    assert (result.returncode, result.stdout) == (0, f"{sys.executable}\n")


@pytest.mark.parametrize(
    "name", ["größe & co (1)", "!#%'*+,-;<=>?@[]^_`|~", "日本 😀", "decomposed a\u0308"]
)
def test_path_of_unusual_characters_is_taken(tmp_path: Path, name: str) -> None:
    path = with_utilities(tmp_path, *UTILITIES, "g++")
    (tmp_path / name).mkdir()
    result = check(path, cwd=tmp_path / name, PYTHON=sys.executable)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("a$b", "$"),
        ("{a}:$b$", "$ : { }"),
        ('a"b\\c', '" \\'),
        ("two\nlines\n", "a control character (line break, tab, ...)"),
        (b"\xff".decode(errors="surrogateescape"), "a byte that is not UTF-8"),
    ],
)
def test_path_that_tools_cannot_take_is_refused(tmp_path: Path, name: str, held: str) -> None:
    path = with_utilities(tmp_path, *UTILITIES, "g++")
    (tmp_path / name).mkdir()
    result = check(path, cwd=tmp_path / name, PYTHON=sys.executable)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "This machine lacks:\n"
        f"  - a path that its tools can take ('{tmp_path / name}' holds {held}): "
        "move the clone\n"
    )


def test_python_below_a_path_with_spaces_can_be_named(tmp_path: Path) -> None:
    path = with_utilities(tmp_path, *UTILITIES, "g++")
    python = tmp_path / "my tools" / "python & co"
    python.parent.mkdir()
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    result = check(path, PYTHON=str(python))
    assert (result.returncode, result.stdout) == (0, f"{python}\n")


def test_all_that_is_missing_is_named_at_once(tmp_path: Path) -> None:
    path = with_utilities(tmp_path, *UTILITIES)
    for name in ("perl", "flock"):
        (path / name).unlink()
    result = check(path, PYTHON=sys.executable)
    assert result.returncode == 1
    assert result.stderr == (
        "This machine lacks:\n"
        "  - flock (Debian: util-linux, libc-bin, coreutils)\n"
        "  - g++ (Verilator needs it to build a simulation)\n"
        "  - perl (Verilator needs it to build a simulation)\n"
    )


def test_other_machine_is_refused(tmp_path: Path) -> None:
    path = with_utilities(tmp_path, *UTILITIES, "g++")
    (path / "uname").unlink()
    (path / "uname").write_text('#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || echo Linux\n')
    (path / "uname").chmod(0o755)
    result = check(path, PYTHON=sys.executable)
    assert result.stderr == (
        "This machine lacks:\n"
        "  - Linux on x86_64 (this is Linux on aarch64): the XLS compiler exists for no other\n"
    )


def test_interrupted_setup_starts_over(tmp_path: Path) -> None:
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in ("requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_text(name)
    python = tmp_path / "python"
    python.write_text(FAKE_PYTHON)
    python.chmod(0o755)
    (tmp_path / ".ci" / "check-host.sh").write_text(f"#!/bin/sh\necho {python}\n")

    def setup(**environment: str) -> list[str]:
        subprocess.run(
            ["sh", ".ci/setup.sh"], cwd=tmp_path, check=False, capture_output=True,
            env={"PATH": os.environ["PATH"], "CALLS": str(tmp_path / "calls"), **environment},
        )  # fmt: skip
        calls = (tmp_path / "calls").read_text().split() if (tmp_path / "calls").exists() else []
        (tmp_path / "calls").unlink(missing_ok=True)
        return calls

    complete = ["venv", "pip", "pip", "flow.synth.warm_up"]
    assert setup(FAIL="pip") == ["venv", "pip"]
    assert setup(FAIL="flow.synth.warm_up") == complete
    assert setup() == complete
    assert setup() == []
    (tmp_path / "requirements.lock").write_text("changed")
    assert setup(FAIL="pip") == ["venv", "pip"]  # a fresh one: nothing of the old lock stays
    assert setup() == complete
    (tmp_path / "pyproject.toml").write_text("changed")
    assert setup() == complete[1:]


FAKE_PYTHON = """#!/bin/sh
# `-m venv --clear .venv` makes the folder, `-m $FAIL` fails
echo "$2" >> "$CALLS"
if [ "$2" = venv ]; then
    rm -rf .venv && mkdir -p .venv/bin && cp "$0" .venv/bin/python
fi
[ "$2" != "$FAIL" ]
"""
