`default_nettype none

// ROM of LUTs with a registered output: one LUT6 per bit and 64 words.
//
// A module of its own that stays one: when the counter behind `address` is optimised together with
// the table, Yosys takes almost four LUTs for each of one bit.
(* keep_hierarchy = "yes" *)
module lut_rom #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 1,
  parameter     FILE = "",
  localparam int ADDRESS_BITS = DEPTH < 2 ? 1 : $clog2(DEPTH)
) (
  input  logic                    clk,
  input  logic                    fetch,
  input  logic [ADDRESS_BITS-1:0] address,
  output logic [WIDTH-1:0]        data
);
  // Yosys knows a ROM of LUTs as "logic" and refuses "distributed" for want of a write port.
`ifdef YOSYS
  (* rom_style = "logic" *) logic [WIDTH-1:0] memory [0:DEPTH-1];
`else
  (* rom_style = "distributed" *) logic [WIDTH-1:0] memory [0:DEPTH-1];
`endif

  initial $readmemh(FILE, memory);

  always_ff @(posedge clk) if (fetch) data <= memory[address];
endmodule

`default_nettype wire
