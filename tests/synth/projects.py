"""A two-unit project small enough to synthesise in seconds."""

from __future__ import annotations

import hashlib
from pathlib import Path

from flow.emit.project import Project, ProjectUnit, RomFile
from flow.plan.hwplan import Target

TARGET = Target("xc7z020", "xc7", lut=53200, ff=106400, dsp=220, bram=140, clock_mhz=100.0)

MAC = """\
module {module} (
  input logic clk,
  input logic [3:0] x,
  input logic [1:0] address,
  output logic [11:0] acc
);
  logic [3:0] rom [4];
  initial $readmemh("rom/{module}.hex", rom);
  always_ff @(posedge clk) acc <= acc + x * rom[address];
endmodule
"""


def tiny_project(root: Path) -> Project:
    """Units 'first' and 'second/odd', one ROM each."""
    rtl = root / "rtl"
    (rtl / "rom").mkdir(parents=True)
    units = []
    for name, module in (("first", "mac_a"), ("second/odd", "mac_b")):
        (rtl / f"{module}.sv").write_text(MAC.format(module=module))
        content = f"3\n7\nb\n{len(module)}\n"
        (rtl / "rom" / f"{module}.hex").write_text(content)
        digest = hashlib.sha256(content.encode()).hexdigest()
        rom = RomFile(f"rom/{module}.hex", width=4, depth=4, sha256=digest)
        units.append(ProjectUnit(name, module, (f"{module}.sv",), (rom,), use_dsp=False))
    sources = tuple(source for unit in units for source in unit.sources)
    return Project(root, "tiny", "mac_a", tuple(units), sources, "0" * 16)
