"""From a netlist's cell types to LUT, FF, DSP and BRAM, per device family."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CellCount:
    """Resources of one netlist; `unknown` holds the cell types that no table names."""

    lut: int
    ff: int
    dsp: int
    bram: float
    unknown: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Table:
    lut: Mapping[str, int]  # cell type -> LUT sites
    ff: frozenset[str]
    dsp: Mapping[str, int]
    bram: Mapping[str, float]  # cell type -> blocks of 36 kbit
    free: frozenset[str]  # part of a slice whose LUTs are counted already, or no logic


# LUT6 sites of memories: AMD UG474 (7 Series CLB), table "Distributed RAM Configuration" (32 x 1D
# and 64 x 1D: 2, 128 x 1D: 4, 256 x 1S: 4, quad-port 32 x 2 and 64 x 1: 4) and section "Shift
# Registers". Yosys gives every SRL16E a site of its own; the device can place two into one.
# An INV takes a LUT unless placement merges it into a neighbour: an upper bound.
# CARRY4, MUXF7 and MUXF8 lie beside the LUTs. DSP48E1: UG479. RAMB36E1, RAMB18E1: UG473.
_XC7 = _Table(
    lut={
        **{f"LUT{inputs}": 1 for inputs in range(1, 7)},
        "INV": 1,
        "SRL16E": 1,
        "SRLC16E": 1,
        "SRLC32E": 1,
        "RAM32X1S": 1,
        "RAM64X1S": 1,
        "RAM128X1S": 2,
        "RAM256X1S": 4,
        "RAM32X1D": 2,
        "RAM64X1D": 2,
        "RAM128X1D": 4,
        "RAM32M": 4,
        "RAM64M": 4,
    },
    ff=frozenset(
        ("FDRE", "FDSE", "FDCE", "FDPE", "FDRE_1", "FDSE_1", "FDCE_1", "FDPE_1", "LDCE", "LDPE")
    ),
    dsp={"DSP48E1": 1},
    bram={"RAMB36E1": 1.0, "RAMB18E1": 0.5},
    free=frozenset(("CARRY4", "MUXF7", "MUXF8", "BUFG", "IBUF", "OBUF", "GND", "VCC")),
)

# LUT4 sites: Lattice FPGA-TN-02204 (ECP5 memory usage: a 16 x 4 pseudo dual-port RAM takes the
# four LUT4 of two slices and the write port of a third, two more) and FPGA-DS-02012 (CCU2C is a
# slice in ripple mode, both LUT4). A DP16KD holds 18 kbit. One sysDSP slice is two MULT18X18D;
# the device tables count MULT18X18D.
_ECP5 = _Table(
    lut={"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6},
    ff=frozenset(("TRELLIS_FF",)),
    dsp={"MULT18X18D": 1},
    bram={"DP16KD": 0.5, "PDPW16KD": 0.5},
    free=frozenset(("PFUMX", "L6MUX21", "GND", "VHI", "VLO")),
)

_TABLES = {"xc7": _XC7, "ecp5": _ECP5}

# No logic: Yosys keeps these for hierarchy names and formal properties.
_NOT_LOGIC = re.compile(r"^\$(scopeinfo|assert|assume|cover|check|print)$")


def count_cells(cells: Mapping[str, int], family: str) -> CellCount:
    """Sum the cells of a netlist, {cell type: number}; `family` is 'xc7' or 'ecp5'."""
    table = _TABLES[family]
    known = {*table.lut, *table.ff, *table.dsp, *table.bram, *table.free}
    unknown = {
        cell: number
        for cell, number in sorted(cells.items())
        if cell not in known and not _NOT_LOGIC.match(cell)
    }
    return CellCount(
        lut=sum(table.lut.get(cell, 0) * number for cell, number in cells.items()),
        ff=sum(number for cell, number in cells.items() if cell in table.ff),
        dsp=sum(table.dsp.get(cell, 0) * number for cell, number in cells.items()),
        bram=sum(table.bram.get(cell, 0.0) * number for cell, number in cells.items()),
        unknown=unknown,
    )
