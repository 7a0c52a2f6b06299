"""Every unit and bench component is free of Verilator warnings; bad parameters stop elaboration."""

from __future__ import annotations

from pathlib import Path

import pytest

from flow.errors import ToolFailed
from rtl_sim.harness import BENCH_LIB, UNIT_RTL, lint

MODULES = sorted([*UNIT_RTL.glob("*.sv"), *BENCH_LIB.rglob("*.sv")])
BAD = {
    "width_converter": ("#(.IN_ELEMS(3), .OUT_ELEMS(2))", "must divide"),
    "stream_fifo": ("#(.DEPTH(1))", "at least 2"),
    "replay": ("#(.COUNT(0))", "at least 1"),
    "rom_stream": ("#(.DEPTH(0))", "at least 1"),
    "swg": ("#(.KH(3), .PAD_TOP(3))", "outside the map"),
    "mac_array": ("#(.DEPTHWISE(1), .SIMD(2))", "SIMD = 1"),
    "axis_ingress": ("#(.DATA_BITS(12), .AXIS_BITS(12))", "multiple of 8"),
}


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_module_has_no_warning(module: Path, tmp_path: Path) -> None:
    lint([module], module.stem, tmp_path / "lint.log", includes=[UNIT_RTL, BENCH_LIB])


@pytest.mark.parametrize("unit", BAD)
def test_bad_parameters_stop_elaboration(unit: str, tmp_path: Path) -> None:
    parameters, message = BAD[unit]
    top = tmp_path / "top.sv"
    top.write_text(f"module top;\n  {unit} {parameters} u_bad ();\nendmodule\n")
    log = tmp_path / "lint.log"
    with pytest.raises(ToolFailed):
        lint([top], "top", log, includes=[UNIT_RTL])
    assert message in log.read_text()
