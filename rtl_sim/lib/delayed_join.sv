`default_nettype none

// Pairs word i with word i + DEPTH of one stream: {late, early}. Needs a FIFO that holds DEPTH
// words: the early branch is not read before the late branch has thrown away its first DEPTH words.
module delayed_join #(
  parameter int DEPTH = 2
) (
  input  logic        clk,
  input  logic        rst,
  input  logic [7:0]  s_tdata,
  input  logic        s_tvalid,
  output logic        s_tready,
  output logic [15:0] m_tdata,
  output logic        m_tvalid,
  input  logic        m_tready
);
  logic [31:0] skipped_q;
  logic        skip;
  logic [7:0]  early_tdata;
  logic        early_tvalid;
  logic        fifo_tready;
  logic        join_taken;

  assign skip       = skipped_q != 32'(DEPTH);
  assign join_taken = m_tvalid && m_tready;
  assign m_tvalid   = !skip && s_tvalid && early_tvalid && fifo_tready;
  assign m_tdata    = {s_tdata, early_tdata};
  assign s_tready   = fifo_tready && (skip || (m_tready && early_tvalid));

  always_ff @(posedge clk) begin
    if (rst) skipped_q <= '0;
    else if (skip && s_tvalid && s_tready) skipped_q <= skipped_q + 32'd1;
  end

  // One word more than DEPTH: the late word enters before the early one has left.
  stream_fifo #(.WIDTH(8), .DEPTH(DEPTH + 1)) u_fifo (
    .clk(clk), .rst(rst),
    .s_tdata(s_tdata), .s_tvalid(s_tvalid && s_tready), .s_tready(fifo_tready),
    .m_tdata(early_tdata), .m_tvalid(early_tvalid), .m_tready(join_taken)
  );
endmodule

`default_nettype wire
