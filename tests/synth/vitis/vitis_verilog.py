"""Verilog in the shape that Vitis HLS gives it, around this project's own RTL of the same network.

What differs from the RTL is what a bench for Vitis has to cope with: the top's name, its ports
(AMD UG1399), active-low reset, block-level control, modules named after the top, delays of zero in
initial blocks, memory files loaded as "./NAME.dat", a monitor that only its own simulator can read,
and data filled up to whole bytes, here with ones, since nobody may look at them.
"""

from __future__ import annotations

import re
from pathlib import Path

from flow.emit.project import Project
from flow.emit.top import axis_width
from flow.plan import HwPlan

TOP = """\
`timescale 1 ns / 1 ps

(* CORE_GENERATION_INFO="{name}_{name},hls_ip_2024_1,{{HLS_INPUT_TYPE=cxx}}" *)

module {name} (
        codes_TDATA,
        result_TDATA,
        ap_clk,
        ap_rst_n,
        ap_start,
        codes_TVALID,
        codes_TREADY,
        result_TVALID,
        result_TREADY,
        ap_done,
        ap_ready,
        ap_idle
);

input  [{x_high}:0] codes_TDATA;
output  [{y_high}:0] result_TDATA;
input   ap_clk;
input   ap_rst_n;
input   ap_start;
input   codes_TVALID;
output   codes_TREADY;
output   result_TVALID;
input   result_TREADY;
output   ap_done;
output   ap_ready;
output   ap_idle;

 reg    ap_rst_n_inv;
reg    ap_done_reg;
wire   [{x_bits_high}:0] identity_q0;
wire   [{y_high}:0] result_word;
wire    core_ready;
wire    last;

// power-on initialization
initial begin
#0 ap_done_reg = 1'b0;
end

{name}_identity_ROM_AUTO_1R #(
    .DataWidth( {x_bits} ),
    .AddressRange( {words} ))
identity_U(
    .address0(codes_TDATA[{x_bits_high}:0]),
    .q0(identity_q0)
);

{name}_{core} core_U(
    .clk(ap_clk),
    .rst(ap_rst_n_inv),
    .s_axis_tdata({x_word}),
    .s_axis_tvalid(codes_TVALID & ap_start),
    .s_axis_tready(core_ready),
    .s_axis_tlast(1'b0),
    .m_axis_tdata(result_word),
    .m_axis_tvalid(result_TVALID),
    .m_axis_tready(result_TREADY),
    .m_axis_tlast(last),
    .frame_error()
);

always @ (*) begin
    ap_rst_n_inv = ~ap_rst_n;
end

always @ (posedge ap_clk) begin
    if (ap_rst_n_inv == 1'b1) begin
        ap_done_reg <= 1'b0;
    end else begin
        ap_done_reg <= last & result_TVALID & result_TREADY;
    end
end

assign codes_TREADY = core_ready & ap_start;
assign result_TDATA = result_word | {padding};
assign ap_done = ap_done_reg;
assign ap_ready = ap_done_reg;
assign ap_idle = 1'b0;


reg find_kernel_block = 0;
// synthesis translate_off
`include "{name}_hls_deadlock_kernel_monitor_top.vh"
// synthesis translate_on

endmodule //{name}
"""
ROM = """\
`timescale 1 ns / 1 ps
module {name}_identity_ROM_AUTO_1R (
    address0, q0);

parameter DataWidth = 1;
parameter AddressRange = 2;

input[DataWidth-1:0] address0;
output[DataWidth-1:0] q0;

reg [DataWidth-1:0] rom0[0:AddressRange-1];

initial begin
    $readmemh("./{name}_identity_ROM_AUTO_1R.dat", rom0);
end

assign q0 = rom0[address0];

endmodule
"""
MONITOR = """\
wire kernel_monitor_clock;
assign kernel_monitor_clock = ap_clk;
{name}_hls_deadlock_idx0_monitor {name}_hls_deadlock_idx0_monitor_U (
    .clock(kernel_monitor_clock), .block(core_U.core.ap_idle));
"""
MONITOR_MODULE = """\
`timescale 1 ns / 1 ps
module {name}_hls_deadlock_idx0_monitor (input wire clock, input wire block);
initial forever begin
    @(posedge clock);
    if (block) $display("deadlock");
end
endmodule
"""


def write_verilog(project: Project, plan: HwPlan, name: str, folder: Path) -> None:
    """Write the Verilog of a network whose RTL `project` is, as Vitis HLS would."""
    folder.mkdir(parents=True)
    texts = {source: (project.rtl / source).read_text() for source in project.sources}
    modules = [m for text in texts.values() for m in re.findall(r"^module\s+(\w+)", text, re.M)]
    owned = re.compile(rf"\b({'|'.join(modules)})\b")
    for source, text in texts.items():
        text = owned.sub(rf"{name}_\1", text)
        text = re.sub(r'"(\w+)\.hex"', r'"./\1.dat"', text)
        (folder / f"{name}_{Path(source).stem}.v").write_text(text)
    for unit in project.units:
        for rom in unit.roms:
            (folder / Path(rom.path).with_suffix(".dat").name).write_bytes(
                (project.rtl / rom.path).read_bytes()
            )
    _write_top(project, plan, name, folder)


def _write_top(project: Project, plan: HwPlan, name: str, folder: Path) -> None:
    x_bits = plan.input_bits * plan.input_elems
    y_bits = plan.output_bits * plan.output_elems
    x_width, y_width = axis_width(x_bits), axis_width(y_bits)
    table_bits = min(x_bits, 8)  # of the word's lowest bits
    table = "identity_q0"
    if x_width > table_bits:
        table = f"{{codes_TDATA[{x_width - 1}:{table_bits}], identity_q0}}"
    ones = "1" * (y_width - y_bits) + "0" * y_bits
    (folder / f"{name}.v").write_text(
        TOP.format(
            name=name, core=project.top_module, words=1 << table_bits, x_bits=table_bits,
            x_bits_high=table_bits - 1, x_high=x_width - 1, y_high=y_width - 1, x_word=table,
            padding=f"{y_width}'b{ones}",
        )
    )  # fmt: skip
    (folder / f"{name}_hls_deadlock_kernel_monitor_top.vh").write_text(MONITOR.format(name=name))
    (folder / f"{name}_hls_deadlock_idx0_monitor.v").write_text(MONITOR_MODULE.format(name=name))
    (folder / f"{name}_identity_ROM_AUTO_1R.v").write_text(ROM.format(name=name))
    lines = "".join(f"{word:02x}\n" for word in range(1 << table_bits))
    (folder / f"{name}_identity_ROM_AUTO_1R.dat").write_text(lines)
