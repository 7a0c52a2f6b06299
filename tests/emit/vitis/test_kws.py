"""The trained keyword spotter in C simulation, on real samples, exact at every layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.emit.vitis import IO_TYPES, Mode, compile_vitis, csim, write_vitis_project
from flow.graph import run_taps
from tests.emit.vitis.conftest import Kws

LAYERS = 11


def check(kws: Kws, folder: Path, io_type: str, mode: Mode, frames: int) -> None:
    project = write_vitis_project(kws.graph, kws.plan, folder, io_type)
    library = compile_vitis(project, mode=mode)
    codes = kws.codes[:frames]
    got, expected = csim.run(library, kws.graph, codes), run_taps(kws.graph, codes)
    assert list(got) == list(expected)
    assert len(got) == LAYERS + 1
    assert len(codes) == frames
    different = {name: int((got[name] != expected[name]).sum()) for name in expected}
    assert not any(different.values()), different


def test_native_arithmetic_is_exact(kws: Kws, tmp_path: Path) -> None:
    check(kws, tmp_path / "project", "io_stream", Mode.NATIVE, 64)


@pytest.mark.slow
@pytest.mark.parametrize("io_type", IO_TYPES)
def test_native_arithmetic_is_exact_on_500_frames(kws: Kws, tmp_path: Path, io_type: str) -> None:
    check(kws, tmp_path / "project", io_type, Mode.NATIVE, 500)


@pytest.mark.slow
@pytest.mark.parametrize("io_type", IO_TYPES)
def test_exact_widths_suffice(kws: Kws, tmp_path: Path, io_type: str) -> None:
    check(kws, tmp_path / "project", io_type, Mode.BIT_TRUE, 8)
