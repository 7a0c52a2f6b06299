`default_nettype none

// Consumer of a stream: a `stream_tap` (as `u_tap`) that also drives `s_tready`, which is low with
// a probability of `stall`/256 per cycle, whatever `s_tvalid` does.
module stream_check #(
  parameter int WIDTH = 8,
  parameter int MAX_WORDS = 1,
  parameter     FILE = "check.hex",
  parameter int FRAME_WORDS = 1,
  parameter int MAX_FRAMES = 64,
  parameter int SALT = 0,                    // tells instances that share one seed apart
  parameter bit STOP = 1'b0                  // for endless streams: take no word beyond `words`
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [31:0]      words,
  input  logic [7:0]       stall,
  input  logic [31:0]      seed,
  input  logic [WIDTH-1:0] s_tdata,
  input  logic             s_tvalid,
  output logic             s_tready,
  output logic             done
);
  logic        stall_hit;
  logic        ready_q;
  logic [31:0] unused_noise;

  // Another sequence than a source with the same seed and salt.
  bench_random u_stall (
    .clk(clk), .rst(rst), .seed(~seed - 32'(SALT)), .probability(stall),
    .hit(stall_hit), .noise(unused_noise)
  );

  always_ff @(posedge clk) begin
    if (rst) ready_q <= 1'b0;
    else     ready_q <= !stall_hit;
  end

  assign s_tready = ready_q && !(STOP && done);

  stream_tap #(
    .WIDTH(WIDTH), .MAX_WORDS(MAX_WORDS), .FILE(FILE),
    .FRAME_WORDS(FRAME_WORDS), .MAX_FRAMES(MAX_FRAMES)
  ) u_tap (
    .clk(clk), .rst(rst), .words(words),
    .tdata(s_tdata), .tvalid(s_tvalid), .tready(s_tready), .done(done)
  );
endmodule

`default_nettype wire
