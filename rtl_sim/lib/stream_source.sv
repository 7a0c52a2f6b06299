`default_nettype none

// Plays the first `words` words of a hexadecimal file on a stream.
//
// Before each word it idles with a probability of `stall`/256 per cycle; while it idles `m_tvalid`
// is low and `m_tdata` is noise, so that a unit which looks at an invalid word is found out. FILE is
// relative to the folder given as `+stimuli=FOLDER`, or else to the working folder of the run: new
// stimuli need no new build. `words`, `stall` and `seed` are sampled at run time; change them
// while `rst` is high.
module stream_source #(
  parameter int WIDTH = 8,
  parameter int MAX_WORDS = 1,
  parameter     FILE = "source.hex",
  parameter int SALT = 0                     // tells instances that share one seed apart
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [31:0]      words,
  input  logic [7:0]       stall,
  input  logic [31:0]      seed,
  output logic [WIDTH-1:0] m_tdata,
  output logic             m_tvalid,
  input  logic             m_tready,
  output logic [31:0]      sent,
  output logic             done
);
  localparam int NOISE_COPIES = (WIDTH + 31) / 32;
  localparam int INDEX_BITS = MAX_WORDS < 2 ? 1 : $clog2(MAX_WORDS);

  logic [WIDTH-1:0] memory [0:MAX_WORDS-1];
  logic [31:0]      sent_q /* verilator public_flat_rd */;
  logic             idle_q;
  logic             idle_hit;
  logic [31:0]      noise;

  initial begin : load
    string folder;
    if ($value$plusargs("stimuli=%s", folder)) $readmemh({folder, "/", FILE}, memory);
    else $readmemh(FILE, memory);
  end

  bench_random u_idle (
    .clk(clk), .rst(rst), .seed(seed + 32'(SALT)), .probability(stall),
    .hit(idle_hit), .noise(noise)
  );

  assign m_tvalid   = !done && !idle_q;
  assign m_tdata    = m_tvalid ? memory[sent_q[INDEX_BITS-1:0]] : WIDTH'({NOISE_COPIES{noise}});
  assign sent       = sent_q;
  assign done       = sent_q >= words;

  always_ff @(posedge clk) begin
    if (rst) begin
      sent_q <= '0;
      idle_q <= stall != '0;
    end else begin
      if (m_tvalid && m_tready) sent_q <= sent_q + 32'd1;
      if (!m_tvalid || m_tready) idle_q <= idle_hit;
    end
  end

  // Before the first reset the ports have random values.
  logic was_reset_q;
  initial was_reset_q = 1'b0;
  always_ff @(posedge clk) begin
    was_reset_q <= was_reset_q || rst;
    if (was_reset_q && !rst && words > 32'(MAX_WORDS)) begin
      $fatal(1, "%m: asked for %0d words, MAX_WORDS is %0d", words, MAX_WORDS);
    end
  end
endmodule

`default_nettype wire
