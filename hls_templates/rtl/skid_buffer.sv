`default_nettype none

// Cuts both directions of a stream with registers, at full throughput: two words deep, latency 1.
module skid_buffer #(
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
  logic [WIDTH-1:0] spare_q;        // the word that came while the output was held up
  logic             spare_valid_q;
  logic             move;           // the output register takes a new word, or runs empty

  assign s_tready = !spare_valid_q;
  assign move     = !m_tvalid || m_tready;

  always_ff @(posedge clk) begin
    if (rst) begin
      m_tvalid      <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      if (move) m_tvalid <= spare_valid_q || s_tvalid;
      if (move) spare_valid_q <= 1'b0;
      else if (s_tvalid) spare_valid_q <= 1'b1;
    end
  end

  always_ff @(posedge clk) begin
    if (move) m_tdata <= spare_valid_q ? spare_q : s_tdata;
    if (s_tready) spare_q <= s_tdata;
  end
endmodule

`default_nettype wire
