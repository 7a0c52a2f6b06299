`default_nettype none

// Breaks the hold rule on purpose: flips bit 0 of a word for as long as it is not taken.
module changes_data #(
  parameter int WIDTH = 8
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [WIDTH-1:0] s_tdata,
  input  logic             s_tvalid,
  output logic             s_tready,
  output logic [WIDTH-1:0] m_tdata,
  output logic             m_tvalid,
  input  logic             m_tready
);
  logic unused_clocking;

  assign unused_clocking = clk && rst;
  assign m_tdata  = s_tdata ^ WIDTH'(!m_tready);
  assign m_tvalid = s_tvalid;
  assign s_tready = m_tready;
endmodule

`default_nettype wire
