`default_nettype none

// Copies a stream to COUNT consumers, each of which takes its copy when it likes.
//
// A word leaves the source when the last consumer has taken it. No latency, no storage: put a
// `stream_fifo` behind the branch that must run ahead.
module stream_fork #(
  parameter int WIDTH = 8,
  parameter int COUNT = 2
) (
  input  logic                   clk,
  input  logic                   rst,
  input  logic [WIDTH-1:0]       s_tdata,
  input  logic                   s_tvalid,
  output logic                   s_tready,
  output logic [COUNT*WIDTH-1:0] m_tdata,    // consumer i: bits [i*WIDTH +: WIDTH]
  output logic [COUNT-1:0]       m_tvalid,
  input  logic [COUNT-1:0]       m_tready
);
  if (COUNT < 1) begin : gen_bad_count
    $error("stream_fork: COUNT must be at least 1");
  end

  logic [COUNT-1:0] taken_q;        // consumers that already have the current word
  logic [COUNT-1:0] taken;

  assign m_tdata  = {COUNT{s_tdata}};
  assign m_tvalid = {COUNT{s_tvalid}} & ~taken_q;
  assign taken    = taken_q | (m_tvalid & m_tready);
  assign s_tready = &taken;

  always_ff @(posedge clk) begin
    if (rst) taken_q <= '0;
    else     taken_q <= s_tready ? '0 : taken;
  end
endmodule

`default_nettype wire
