"""Yosys accepts the units and puts each memory where the module says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from flow.synth import yosys
from rtl_sim.harness import UNIT_RTL, write_hex

KWS_INPUT = {
    "WORD_BITS": 16, "H": 49, "W": 10, "KH": 10, "KW": 4, "SH": 2, "SW": 2,
    "PAD_TOP": 4, "PAD_LEFT": 1, "OH": 25, "OW": 5,
}  # fmt: skip
KWS_DEPTHWISE = {
    "WORD_BITS": 128, "H": 25, "W": 5, "KH": 3, "KW": 3, "PAD_TOP": 1, "PAD_LEFT": 1,
    "OH": 25, "OW": 5, "FOLDS": 4, "DEPTHWISE": 1,
}  # fmt: skip
ROM_WORDS = 300
CASES = {
    "swg in LUT RAM": ("swg", KWS_INPUT, {"RAM64M": 12}),
    "swg in block RAM by request": ("swg", {**KWS_INPUT, "RAM_STYLE": "block"}, {"RAMB18E1": 1}),
    "swg in block RAM": ("swg", KWS_DEPTHWISE, {"RAMB36E1": 2}),
    "shallow FIFO": ("stream_fifo", {"WIDTH": 16, "DEPTH": 32}, {"RAM32M": 3}),
    "deep FIFO": ("stream_fifo", {"WIDTH": 36, "DEPTH": 500}, {"RAMB18E1": 1}),
    "deep ROM": (
        "rom_stream", {"WIDTH": 32, "DEPTH": ROM_WORDS, "FILE": "rom.hex"}, {"RAMB18E1": 1}
    ),
    "shallow ROM": ("rom_stream", {"WIDTH": 32, "DEPTH": 128, "FILE": "rom.hex"}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_memory_is_inferred_as_promised(case: str, tmp_path: Path) -> None:
    unit, parameters, expected = CASES[case]
    cells = memory_cells(unit, parameters, tmp_path)
    assert cells == expected


def memory_cells(unit: str, parameters: dict[str, int | str], folder: Path) -> dict[str, int]:
    """RAM primitives that Yosys infers for a unit on 7-series devices, and how many."""
    for source in UNIT_RTL.glob("*.sv"):
        shutil.copy(source, folder)
    write_hex(
        folder / "rom.hex", [index * 0x9E3779B1 % (1 << 32) for index in range(ROM_WORDS)], 32
    )
    settings = " ".join(
        f'-set {name} "{value}"' if isinstance(value, str) else f"-set {name} {value}"
        for name, value in parameters.items()
    )
    script = (
        f"read_verilog -sv -defer *.sv; chparam {settings} {unit}; "
        f"synth_xilinx -family xc7 -noiopad -flatten -top {unit} -run begin:map_ffram; "
        "tee -o stat.txt stat"
    )
    yosys.prepare(folder)
    done = subprocess.run(
        [*yosys.command(), "-q", "-p", script],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = re.findall(
        r"^\s+(\d+)\s+(?:\S+\s+)?\\?(RAM\w+)\s*$", (folder / "stat.txt").read_text(), re.M
    )
    return {name: int(count) for count, name in found}
