"""What a report says about its origin."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from flow import provenance
from flow.provenance import ABSENT, all_versions, git_commit, tool_versions


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for command in (
        "git init -q", "git config user.name n", "git config user.email n@example.org",
        "touch tracked", "git add tracked", "git commit -q -m first",
    ):  # fmt: skip
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    return tmp_path


def test_commit_of_a_clean_tree(repository: Path) -> None:
    (repository / "untracked").touch()
    head = (repository / ".git" / "refs" / "heads").iterdir().__next__().read_text().strip()
    assert git_commit() == head


def test_commit_of_a_modified_tree_says_so(repository: Path) -> None:
    (repository / "tracked").write_text("modified")
    assert git_commit().endswith("-dirty")


def test_outside_a_repository_the_commit_is_unknown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_commit() == "unknown"


def test_tool_that_is_not_installed_is_absent() -> None:
    assert tool_versions(["no-such-package"]) == {"no-such-package": ABSENT}


def test_compiler_is_among_the_tools() -> None:
    assert "g++" in all_versions()["g++"].lower() or all_versions()["g++"] == ABSENT
