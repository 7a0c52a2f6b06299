`default_nettype none

// Regroups a stream of elements: IN_ELEMS per word in, OUT_ELEMS per word out; one must divide
// the other.
//
// The narrow side transfers in every cycle: there is no bubble between wide words. Latency 1, or a
// wire when both sides are equal.
module width_converter #(
  parameter int ELEM_BITS = 8,
  parameter int IN_ELEMS = 1,
  parameter int OUT_ELEMS = 1
) (
  input  logic                           clk,
  input  logic                           rst,
  input  logic [IN_ELEMS*ELEM_BITS-1:0]  s_tdata,
  input  logic                           s_tvalid,
  output logic                           s_tready,
  output logic [OUT_ELEMS*ELEM_BITS-1:0] m_tdata,
  output logic                           m_tvalid,
  input  logic                           m_tready
);
  localparam int IN_BITS   = IN_ELEMS * ELEM_BITS;
  localparam int OUT_BITS  = OUT_ELEMS * ELEM_BITS;
  localparam bit WIDENS    = OUT_ELEMS > IN_ELEMS;
  localparam int WIDE      = WIDENS ? OUT_ELEMS : IN_ELEMS;
  localparam int NARROW    = WIDENS ? IN_ELEMS : OUT_ELEMS;
  localparam int RATIO     = WIDE / NARROW;

  if (RATIO * NARROW != WIDE) begin : gen_bad_ratio
    $error("width_converter: one of IN_ELEMS and OUT_ELEMS must divide the other");
  end

  if (IN_ELEMS == OUT_ELEMS) begin : gen_wire
    logic unused_clocking;

    assign unused_clocking = clk && rst;
    assign m_tdata  = s_tdata;
    assign m_tvalid = s_tvalid;
    assign s_tready = m_tready;
  end else if (WIDENS) begin : gen_widen
    logic accept;
    logic last;

    assign s_tready = !m_tvalid || m_tready;
    assign accept   = s_tvalid && s_tready;

    loop_counter #(.COUNT(RATIO)) u_part (.clk(clk), .rst(rst), .step(accept), .last(last));

    always_ff @(posedge clk) begin
      if (rst) m_tvalid <= 1'b0;
      else if (accept) m_tvalid <= last;
      else if (m_tready) m_tvalid <= 1'b0;
    end

    // Shifting is safe while a full word waits: a new part is accepted only as the word is taken.
    always_ff @(posedge clk) if (accept) m_tdata <= {s_tdata, m_tdata[OUT_BITS-1:IN_BITS]};
  end else begin : gen_narrow
    logic [IN_BITS-1:0] word_q;
    logic               step;
    logic               last;

    assign step     = m_tvalid && m_tready;
    assign s_tready = !m_tvalid || (step && last);
    assign m_tdata  = word_q[OUT_BITS-1:0];

    loop_counter #(.COUNT(RATIO)) u_part (.clk(clk), .rst(rst), .step(step), .last(last));

    always_ff @(posedge clk) begin
      if (rst) m_tvalid <= 1'b0;
      else if (s_tready) m_tvalid <= s_tvalid;
    end

    always_ff @(posedge clk) begin
      if (s_tready) word_q <= s_tdata;
      else if (step) word_q <= {{OUT_BITS{1'b0}}, word_q[IN_BITS-1:OUT_BITS]};
    end
  end
endmodule

`default_nettype wire
