`default_nettype none

// Swallows word number INDEX of a stream.
module loses_word #(
  parameter int WIDTH = 8,
  parameter int INDEX = 0
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
  logic [31:0] count_q;
  logic        swallow;

  assign swallow  = count_q == 32'(INDEX);
  assign m_tdata  = s_tdata;
  assign m_tvalid = s_tvalid && !swallow;
  assign s_tready = m_tready || swallow;

  always_ff @(posedge clk) begin
    if (rst) count_q <= '0;
    else if (s_tvalid && s_tready) count_q <= count_q + 32'd1;
  end
endmodule

`default_nettype wire
