`default_nettype none

// Lets a pipeline run free of stalls: a beat goes in only while the FIFO behind the pipeline has
// room for everything that may be inside. A stall then ends here and not at every register of the
// pipeline and of what feeds it.
//
// s -> x -> (pipeline) -> acc -> FIFO -> m. The pipeline gives at most one word per beat, at most
// LATENCY cycles after it.
module free_run #(
  parameter int X_BITS = 8,
  parameter int ACC_BITS = 8,
  parameter int LATENCY = 14                 // 1 to 29: the FIFO is one LUT RAM deep
) (
  input  logic                clk,
  input  logic                rst,
  input  logic [X_BITS-1:0]   s_tdata,
  input  logic                s_tvalid,
  output logic                s_tready,
  output logic [X_BITS-1:0]   x_tdata,
  output logic                x_tvalid,
  input  logic                x_tready,
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
  logic                  unused_fifo_ready;  // always: that is what `go_q` is for

  assign x_tdata    = s_tdata;
  assign x_tvalid   = s_tvalid && go_q;
  assign s_tready   = x_tready && go_q;
  assign acc_tready = 1'b1;

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
    .s_tready(unused_fifo_ready),
    .m_tdata(m_tdata),
    .m_tvalid(m_tvalid),
    .m_tready(m_tready)
  );
endmodule

`default_nettype wire
