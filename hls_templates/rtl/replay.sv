`default_nettype none

// Emits each accepted word COUNT times. A second word is fetched ahead, so that there is no bubble
// between words as long as the source brings one per COUNT cycles. Latency 2; a wire for COUNT = 1.
module replay #(
  parameter int WIDTH = 8,
  parameter int COUNT = 1
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
  if (COUNT < 1) begin : gen_bad_count
    $error("replay: COUNT must be at least 1");
  end

  if (COUNT == 1) begin : gen_wire
    logic unused_clocking;

    assign unused_clocking = clk && rst;
    assign m_tdata  = s_tdata;
    assign m_tvalid = s_tvalid;
    assign s_tready = m_tready;
  end else begin : gen_replay
    logic [WIDTH-1:0] next_q;
    logic             next_valid_q;
    logic             step;
    logic             last;
    logic             load;         // the prefetched word becomes the current one

    assign step     = m_tvalid && m_tready;
    assign load     = next_valid_q && (!m_tvalid || (step && last));
    assign s_tready = !next_valid_q;

    loop_counter #(.COUNT(COUNT)) u_copy (.clk(clk), .rst(rst), .step(step), .last(last));

    always_ff @(posedge clk) begin
      if (rst) begin
        m_tvalid     <= 1'b0;
        next_valid_q <= 1'b0;
      end else begin
        if (load) m_tvalid <= 1'b1;
        else if (step && last) m_tvalid <= 1'b0;
        if (load) next_valid_q <= 1'b0;
        else if (s_tvalid) next_valid_q <= 1'b1;
      end
    end

    always_ff @(posedge clk) if (s_tready) next_q <= s_tdata;
    always_ff @(posedge clk) if (load) m_tdata <= next_q;
  end
endmodule

`default_nettype wire
