`default_nettype none

// AXI4-Stream slave to internal stream; watches the packet length. A wire for data and handshake.
//
// `frame_error` rises and stays when TLAST is missing on beat FRAME_BEATS-1 or present on another.
// The data go on by count, not by TLAST: after an error the host must reset. (ARM IHI 0051A, 2.5)
module axis_ingress #(
  parameter int DATA_BITS = 8,
  parameter int AXIS_BITS = 8,               // multiple of 8, at least DATA_BITS
  parameter int FRAME_BEATS = 1
) (
  input  logic                 clk,
  input  logic                 rst,
  input  logic [AXIS_BITS-1:0] s_axis_tdata,
  input  logic                 s_axis_tvalid,
  output logic                 s_axis_tready,
  input  logic                 s_axis_tlast,
  output logic [DATA_BITS-1:0] m_tdata,
  output logic                 m_tvalid,
  input  logic                 m_tready,
  output logic                 frame_error
);
  if (AXIS_BITS % 8 != 0 || AXIS_BITS < DATA_BITS) begin : gen_bad_width
    $error("axis_ingress: AXIS_BITS must be a multiple of 8 and at least DATA_BITS");
  end

  logic accept;
  logic last_beat;

  if (AXIS_BITS > DATA_BITS) begin : gen_unused
    logic unused_high_bits;

    assign unused_high_bits = &s_axis_tdata[AXIS_BITS-1:DATA_BITS];
  end

  assign m_tdata       = s_axis_tdata[DATA_BITS-1:0];
  assign m_tvalid      = s_axis_tvalid;
  assign s_axis_tready = m_tready;
  assign accept        = s_axis_tvalid && m_tready;

  loop_counter #(.COUNT(FRAME_BEATS)) u_beat (
    .clk(clk), .rst(rst), .step(accept), .last(last_beat)
  );

  always_ff @(posedge clk) begin
    if (rst) frame_error <= 1'b0;
    else if (accept && s_axis_tlast != last_beat) frame_error <= 1'b1;
  end
endmodule

`default_nettype wire
