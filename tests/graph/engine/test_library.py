"""Compiling the kernels: once, whole, and with a clear word where it cannot be done."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from flow.errors import FlowError, ToolFailed, ToolMissing
from flow.graph import run
from flow.graph.engine import Engine, _library
from tests.helpers import random_codes, small_graph

QUICK = ("-O0",)  # not vectorised, compiled in a second


@pytest.fixture(autouse=True)
def _fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SHIFTFLOW_CACHE", str(tmp_path / "cache"))
    _library.load.cache_clear()
    yield
    _library.load.cache_clear()


def made(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache" / "engine").glob("*.so"))


def test_the_library_is_made_once_and_a_damaged_one_again(tmp_path: Path) -> None:
    _library.load(QUICK)
    (path,) = made(tmp_path)
    first = path.stat().st_mtime_ns
    _library.load.cache_clear()
    _library.load(QUICK)
    assert path.stat().st_mtime_ns == first
    path.unlink()  # not written over: this process has it mapped
    path.write_bytes(b"no library")
    _library.load.cache_clear()
    graph = small_graph()
    codes = random_codes(graph, 3)
    np.testing.assert_array_equal(Engine(graph, target=QUICK).run(codes), run(graph, codes))
    assert made(tmp_path) == [path]


def test_other_flags_and_other_sources_make_another_library(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "kernels"
    other.mkdir()
    for source in _library.SOURCES.glob("*"):
        (other / source.name).write_bytes(source.read_bytes())
    same = _library._path(QUICK)
    monkeypatch.setattr(_library, "SOURCES", other)
    assert _library._path(QUICK) == same
    assert _library._path(("-O1",)) != same
    with (other / "plane.h").open("a") as file:
        file.write("// changed\n")
    assert _library._path(QUICK) != same


def test_without_a_compiler_the_message_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing) as caught:
        Engine(small_graph())
    assert str(caught.value) == (
        "tool 'g++' is missing; it is needed for fast integer inference.\n"
        "  Install it (Debian: apt-get install g++)."
    )


def test_a_compiler_that_fails_leaves_its_log_and_no_library(tmp_path: Path) -> None:
    with pytest.raises(ToolFailed, match=r"the integer engine does not compile: .*error") as caught:
        _library.load(("-fno-such-option",))
    assert caught.value.log.is_file()
    assert made(tmp_path) == []


def test_a_folder_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SHIFTFLOW_CACHE", str(tmp_path / "file"))
    with pytest.raises(FlowError) as caught:
        _library.load(QUICK)
    folder = tmp_path / "file" / "engine"
    assert str(caught.value) == (
        f"the compiled integer engine cannot be kept in {folder}: {os.strerror(20)}.\n"
        "  Set SHIFTFLOW_CACHE to a folder that can be written."
    )


def test_a_library_that_cannot_be_loaded_is_no_endless_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: str) -> None:
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr(_library.ctypes, "CDLL", refuse)
    with pytest.raises(FlowError, match=r"cannot be loaded: .*failed to map segment") as caught:
        _library.load(QUICK)
    assert "Set SHIFTFLOW_CACHE to a folder whose libraries may be loaded." in str(caught.value)
