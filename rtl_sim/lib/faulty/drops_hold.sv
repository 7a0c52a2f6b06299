`default_nettype none

// Breaks the hold rule on purpose: withdraws a valid word that is not taken at once, for one cycle.
module drops_hold #(
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
  logic sulking_q;

  assign m_tdata  = s_tdata;
  assign m_tvalid = s_tvalid && !sulking_q;
  assign s_tready = m_tready && !sulking_q;

  always_ff @(posedge clk) begin
    if (rst) sulking_q <= 1'b0;
    else     sulking_q <= m_tvalid && !m_tready;
  end
endmodule

`default_nettype wire
