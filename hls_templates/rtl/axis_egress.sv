`default_nettype none

// Internal stream to AXI4-Stream master: zero-extends the word, marks every FRAME_BEATS-th as last.
module axis_egress #(
  parameter int DATA_BITS = 8,
  parameter int AXIS_BITS = 8,               // multiple of 8, at least DATA_BITS
  parameter int FRAME_BEATS = 1
) (
  input  logic                 clk,
  input  logic                 rst,
  input  logic [DATA_BITS-1:0] s_tdata,
  input  logic                 s_tvalid,
  output logic                 s_tready,
  output logic [AXIS_BITS-1:0] m_axis_tdata,
  output logic                 m_axis_tvalid,
  input  logic                 m_axis_tready,
  output logic                 m_axis_tlast
);
  if (AXIS_BITS % 8 != 0 || AXIS_BITS < DATA_BITS) begin : gen_bad_width
    $error("axis_egress: AXIS_BITS must be a multiple of 8 and at least DATA_BITS");
  end

  assign m_axis_tdata  = AXIS_BITS'(s_tdata);
  assign m_axis_tvalid = s_tvalid;
  assign s_tready      = m_axis_tready;

  loop_counter #(.COUNT(FRAME_BEATS)) u_beat (
    .clk(clk), .rst(rst), .step(s_tvalid && m_axis_tready), .last(m_axis_tlast)
  );
endmodule

`default_nettype wire
