"""g++: once for the same sources, and clear about what went wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from flow import gxx
from flow.emit.vitis import Mode, compile_vitis, csim
from flow.errors import DataError, FlowError, ToolFailed, ToolMissing
from flow.graph import InputMap, graph_hash, run_taps
from tests.emit.vitis.batch import differences, hostile_codes
from tests.emit.vitis.conftest import Written


def forbid_compiling(*_: object, **__: object) -> None:
    raise AssertionError("g++ was started")


def test_the_same_sources_are_compiled_once(
    little: Written, copied, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = compile_vitis(copied, tmp_path / "cache")
    codes = hostile_codes(little.graph, 0)
    assert set(differences(first.path, Mode.NATIVE, little.graph, codes).values()) == {0}
    monkeypatch.setattr(gxx, "run_limited", forbid_compiling)
    assert compile_vitis(copied, tmp_path / "cache") == first
    for change in (
        lambda: compile_vitis(copied, tmp_path / "cache", Mode.BIT_TRUE),
        lambda: compile_vitis(copied, tmp_path / "elsewhere"),
        lambda: touch_and_compile(copied, tmp_path / "cache"),
    ):
        with pytest.raises(AssertionError, match=r"g\+\+ was started"):
            change()


def touch_and_compile(project, cache: Path) -> None:
    header = project.root / "firmware" / "defines.h"
    header.write_text(header.read_text() + "// changed\n")
    compile_vitis(project, cache)


def test_a_compiler_that_is_missing_is_named(copied, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ToolMissing) as caught:
        compile_vitis(copied)
    assert str(caught.value) == (
        "tool 'g++' is missing; it is needed for C simulation.\n"
        "  Install it (Debian: apt-get install g++)."
    )


def test_an_error_of_the_compiler_is_shown_with_its_log(copied) -> None:
    source = copied.root / "firmware" / "little.cpp"
    source.write_text(source.read_text().replace("shift::mac<", "shift::mack<"))
    with pytest.raises(ToolFailed) as caught:
        compile_vitis(copied)
    first, second, *_ = str(caught.value).splitlines()
    assert first.startswith("the C++ of 'little' does not compile: firmware/little.cpp:")
    assert "'mack' is not a member of 'shift'" in first
    assert second == "  g++ failed with exit code 1."
    assert caught.value.log == copied.root / "g++.log"
    assert "mack" in caught.value.log.read_text()
    assert not list(copied.root.rglob("*.so"))


def test_a_compiler_that_does_not_end_is_stopped(copied) -> None:
    with pytest.raises(FlowError) as caught:
        compile_vitis(copied, timeout_s=0.01)
    assert str(caught.value) == (
        f"g++ on the C++ of 'little' did not end within 0.01 s.\n  log: {copied.root / 'g++.log'}"
    )
    assert not list(copied.root.rglob("*.so"))


def test_a_library_runs_its_own_network_frame_by_frame(little: Written, copied) -> None:
    library = compile_vitis(copied)
    codes = hostile_codes(little.graph, 1)
    whole = csim.run(library, little.graph, codes)
    for index in range(len(codes)):
        one = csim.run(library, little.graph, codes[index : index + 1])
        for name, values in one.items():
            assert (values == whole[name][index : index + 1]).all()
    assert (csim.run_output(library, little.graph, codes) == whole["pool"]).all()
    assert (whole["pool"] == run_taps(little.graph, codes)["pool"]).all()
    other = replace(little.graph, input_map=InputMap("int8", -128, None))
    with pytest.raises(DataError) as caught:
        csim.run(library, other, codes)
    assert str(caught.value) == (
        f"{library.path} simulates another network (graph {graph_hash(little.graph)[:16]}) than "
        f"'little' (graph {graph_hash(other)[:16]}).\n  Compile the project of this network."
    )
