"""Counting resources in Yosys statistics."""

from __future__ import annotations

import json

from flow.synth._cells import count_cells
from flow.synth.yosys import cells_of_stat

STAT = json.loads(r"""
{
   "creator": "Yosys 0.70",
   "invocation": "stat -json ",
   "modules": {"\\unit": {"num_cells": 3, "num_cells_by_type": {"LUT2": 3}},
               "$paramod$0a\\lut_rom": {"num_cells": 6, "num_cells_by_type": {"LUT6": 6}}},
   "design": {
      "num_cells": 999,
      "num_cells_by_type": {
         "$paramod$0a\\lut_rom": 1, "$scopeinfo": 7, "CARRY4": 88, "MUXF7": 5,
         "LUT1": 1, "LUT2": 2, "LUT3": 3, "LUT4": 4, "LUT5": 5, "LUT6": 6, "INV": 10,
         "RAM32M": 2, "RAM64M": 1, "RAM32X1D": 1, "RAM64X1D": 3, "RAM128X1D": 1,
         "SRL16E": 4, "SRLC32E": 2,
         "FDRE": 100, "FDSE": 20, "FDCE": 3, "FDPE": 1,
         "DSP48E1": 9, "RAMB36E1": 2, "RAMB18E1": 3,
         "URAM288": 2
      }
   }
}
""")


def test_xc7_cells_become_lut_sites_flip_flops_dsp_and_36_kbit_blocks() -> None:
    count = count_cells(cells_of_stat(STAT), "xc7")
    luts = (1 + 2 + 3 + 4 + 5 + 6) + 10
    memories = 2 * 4 + 1 * 4 + 1 * 2 + 3 * 2 + 1 * 4 + 4 + 2
    assert count.lut == luts + memories
    assert count.ff == 124
    assert count.dsp == 9
    assert count.bram == 3.5


def test_a_cell_of_no_table_is_reported_not_dropped() -> None:
    assert count_cells(cells_of_stat(STAT), "xc7").unknown == {"URAM288": 2}


def test_ecp5_counts_lut4_sites_and_half_blocks() -> None:
    cells = {"LUT4": 10, "CCU2C": 3, "TRELLIS_DPR16X4": 2, "PFUMX": 4, "TRELLIS_FF": 8,
             "MULT18X18D": 2, "DP16KD": 3}  # fmt: skip
    count = count_cells(cells, "ecp5")
    assert (count.lut, count.ff, count.dsp, count.bram) == (10 + 6 + 12, 8, 2, 1.5)
    assert count.unknown == {}
