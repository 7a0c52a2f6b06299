`default_nettype none

// `free_run` around a pipeline of STAGES registers that cannot stall and drops all but every
// KEEP-th word. A word of s and one of w go through side by side.
module free_run_delay #(
  parameter int WIDTH = 8,
  parameter int STAGES = 1,
  parameter int LATENCY = STAGES,
  parameter int KEEP = 1
) (
  input  logic               clk,
  input  logic               rst,
  input  logic [WIDTH-1:0]   s_tdata,
  input  logic               s_tvalid,
  output logic               s_tready,
  input  logic [WIDTH-1:0]   w_tdata,
  input  logic               w_tvalid,
  output logic               w_tready,
  output logic [2*WIDTH-1:0] m_tdata,
  output logic               m_tvalid,
  input  logic               m_tready
);
  localparam int BOTH = 2 * WIDTH;

  logic [WIDTH-1:0]       x_tdata;
  logic [WIDTH-1:0]       v_tdata;
  logic                   x_tvalid;
  logic                   v_tvalid;
  logic                   unused_acc_ready;
  logic                   keep;
  logic [STAGES*BOTH-1:0] words_q;
  logic [STAGES-1:0]      valid_q;

  free_run #(.X_BITS(WIDTH), .W_BITS(WIDTH), .ACC_BITS(BOTH), .LATENCY(LATENCY)) dut (
    .clk(clk), .rst(rst),
    .s_tdata(s_tdata), .s_tvalid(s_tvalid), .s_tready(s_tready),
    .w_tdata(w_tdata), .w_tvalid(w_tvalid), .w_tready(w_tready),
    .x_tdata(x_tdata), .x_tvalid(x_tvalid), .x_tready(1'b1),
    .v_tdata(v_tdata), .v_tvalid(v_tvalid), .v_tready(1'b1),
    .acc_tdata(words_q[BOTH-1:0]), .acc_tvalid(valid_q[0]), .acc_tready(unused_acc_ready),
    .m_tdata(m_tdata), .m_tvalid(m_tvalid), .m_tready(m_tready)
  );

  loop_counter #(.COUNT(KEEP)) u_keep (.clk(clk), .rst(rst), .step(x_tvalid), .last(keep));

  always_ff @(posedge clk) begin
    words_q <= (STAGES * BOTH)'({v_tdata, x_tdata, words_q} >> BOTH);
    if (rst) valid_q <= '0;
    else     valid_q <= STAGES'({x_tvalid && v_tvalid && keep, valid_q} >> 1);
  end
endmodule

`default_nettype wire
