`default_nettype none

// Lets a pipeline run free of stalls: a beat goes in only while the FIFO behind the pipeline has
// room for everything that may be inside. A stall then ends here and not at every register of the
// pipeline and of what feeds it.
//
// s and w -> x and v -> (pipeline) -> acc -> FIFO -> m. Beats of both inputs go in together, so that
// the pipeline, whose end is always ready, never refuses one: its own ready outputs, late and with
// a large fan-out, are left out. It gives at most one word per beat, at most LATENCY cycles after
// it.
module free_run #(
  parameter int X_BITS = 8,
  parameter int W_BITS = 8,
  parameter int ACC_BITS = 8,
  parameter int LATENCY = 14                 // 1 to 29: the FIFO is one LUT RAM deep
) (
  input  logic                clk,
  input  logic                rst,
  input  logic [X_BITS-1:0]   s_tdata,
  input  logic                s_tvalid,
  output logic                s_tready,
  input  logic [W_BITS-1:0]   w_tdata,
  input  logic                w_tvalid,
  output logic                w_tready,
  output logic [X_BITS-1:0]   x_tdata,
  output logic                x_tvalid,
  input  logic                x_tready,
  output logic [W_BITS-1:0]   v_tdata,
  output logic                v_tvalid,
  input  logic                v_tready,
  input  logic [ACC_BITS-1:0] acc_tdata,
  input  logic                acc_tvalid,
  output logic                acc_tready,
  output logic [ACC_BITS-1:0] m_tdata,
  output logic                m_tvalid,
  input  logic                m_tready
);
  // After the last beat before a halt LATENCY + 1 words still arrive. After the halt, so many cycles
  // pass until the first word arrives, which the FIFO bridges: there is no bubble at its end.
  localparam int HALT_WORDS = LATENCY + 3;
  localparam int DEPTH      = HALT_WORDS + LATENCY + 2;
  localparam int LEVEL_BITS = $clog2(DEPTH + 1);

  if (LATENCY < 1 || LATENCY > 29) begin : gen_bad_latency
    $error("free_run: LATENCY must be 1 to 29");
  end

  logic [LEVEL_BITS-1:0] level_q;   // words in the FIFO
  logic                  go_q;
  logic                  unused_ready;       // always high where it counts, thanks to `go_q`
  logic                  fifo_ready;

  assign x_tdata      = s_tdata;
  assign v_tdata      = w_tdata;
  assign x_tvalid     = s_tvalid && w_tvalid && go_q;
  assign v_tvalid     = s_tvalid && w_tvalid && go_q;
  assign s_tready     = w_tvalid && go_q;
  assign w_tready     = s_tvalid && go_q;
  assign acc_tready   = 1'b1;
  assign unused_ready = x_tready && v_tready && fifo_ready;

  always_ff @(posedge clk) begin
    if (rst) begin
      level_q <= '0;
      go_q    <= 1'b0;
    end else begin
      level_q <= level_q + LEVEL_BITS'(acc_tvalid) - LEVEL_BITS'(m_tvalid && m_tready);
      go_q    <= level_q < LEVEL_BITS'(HALT_WORDS);
    end
  end

  stream_fifo #(.WIDTH(ACC_BITS), .DEPTH(DEPTH)) u_fifo (
    .clk(clk),
    .rst(rst),
    .s_tdata(acc_tdata),
    .s_tvalid(acc_tvalid),
    .s_tready(fifo_ready),
    .m_tdata(m_tdata),
    .m_tvalid(m_tvalid),
    .m_tready(m_tready)
  );
endmodule

`default_nettype wire
