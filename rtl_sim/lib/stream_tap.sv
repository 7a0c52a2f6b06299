`default_nettype none

// Passive probe: compares every accepted word of a stream with a hexadecimal file of golden words.
//
// Counts everything that the stream contract forbids: a differing word, a word beyond the first
// `words`, a valid word that is withdrawn or changes before it is taken. A clean run has
// received == words, mismatches == 0, protocol_errors == 0. Cycles count from the end of reset.
// FILE is found as in `stream_source`.
module stream_tap #(
  parameter int WIDTH = 8,
  parameter int MAX_WORDS = 1,
  parameter     FILE = "tap.hex",
  parameter int FRAME_WORDS = 1,             // words per frame, for `frame_end_cycle`
  parameter int MAX_FRAMES = 64,             // of later frames the cycle is not kept
  parameter int SKIP_FRAMES = 0              // stalls are counted once these have passed
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [31:0]      words,
  input  logic [WIDTH-1:0] tdata,
  input  logic             tvalid,
  input  logic             tready,
  output logic             done              // `words` words were accepted, right or wrong
);
  localparam int INDEX_BITS = MAX_WORDS < 2 ? 1 : $clog2(MAX_WORDS);
  localparam int FRAME_BITS = MAX_FRAMES < 2 ? 1 : $clog2(MAX_FRAMES);

  logic [WIDTH-1:0] memory [0:MAX_WORDS-1];

  // Results, read by name at the end of a run.
  logic [31:0]      received        /* verilator public_flat_rd */;
  logic [31:0]      mismatches      /* verilator public_flat_rd */;
  logic [31:0]      first_bad_index /* verilator public_flat_rd */;
  logic [31:0]      first_bad_cycle /* verilator public_flat_rd */;
  logic [WIDTH-1:0] first_expected  /* verilator public_flat_rd */;
  logic [WIDTH-1:0] first_got       /* verilator public_flat_rd */;
  logic [31:0]      protocol_errors /* verilator public_flat_rd */;
  logic [31:0]      first_cycle     /* verilator public_flat_rd */;
  logic [31:0]      last_cycle      /* verilator public_flat_rd */;
  logic [31:0]      starved_cycles  /* verilator public_flat_rd */; // ready, and no word
  logic [31:0]      blocked_cycles  /* verilator public_flat_rd */; // a word, and not ready
  logic [31:0]      frame_end_cycle [0:MAX_FRAMES-1] /* verilator public_flat_rd */;

  logic [31:0]      cycle_q;
  logic [31:0]      frame_q;
  logic [31:0]      frame_word_q;
  logic             pending_q;               // a valid word was on offer and not taken
  logic [WIDTH-1:0] pending_data_q;
  logic             accepted;
  logic             surplus;
  logic             differs;
  logic [WIDTH-1:0] expected;

  initial begin : load
    string folder;
    if ($value$plusargs("stimuli=%s", folder)) $readmemh({folder, "/", FILE}, memory);
    else $readmemh(FILE, memory);
  end

  assign accepted = tvalid && tready;
  assign surplus  = received >= words;
  assign expected = memory[received[INDEX_BITS-1:0]];
  assign differs  = surplus || tdata != expected;
  assign done     = surplus;

  always_ff @(posedge clk) begin : compare
    if (rst) begin
      received        <= '0;
      mismatches      <= '0;
      first_bad_index <= '0;
      first_bad_cycle <= '0;
      first_expected  <= '0;
      first_got       <= '0;
    end else if (accepted) begin
      received <= received + 32'd1;
      if (differs) begin
        mismatches <= mismatches + 32'd1;
        if (mismatches == '0) begin
          first_bad_index <= received;
          first_bad_cycle <= cycle_q;
          first_expected  <= surplus ? '0 : expected;
          first_got       <= tdata;
        end
      end
    end
  end

  always_ff @(posedge clk) begin : protocol
    if (rst) begin
      protocol_errors <= '0;
      pending_q       <= 1'b0;
    end else begin
      pending_q <= tvalid && !tready;
      if (pending_q && (!tvalid || tdata != pending_data_q)) begin
        protocol_errors <= protocol_errors + 32'd1;
      end
    end
    pending_data_q <= tdata;
  end

  always_ff @(posedge clk) begin : timing
    if (rst) begin
      cycle_q      <= '0;
      first_cycle  <= '0;
      last_cycle   <= '0;
      frame_q      <= '0;
      frame_word_q <= '0;
    end else begin
      cycle_q <= cycle_q + 32'd1;
      if (accepted) begin
        last_cycle <= cycle_q;
        if (received == '0) first_cycle <= cycle_q;
        if (frame_word_q == 32'(FRAME_WORDS - 1)) begin
          frame_word_q <= '0;
          frame_q      <= frame_q + 32'd1;
          if (frame_q < 32'(MAX_FRAMES)) frame_end_cycle[frame_q[FRAME_BITS-1:0]] <= cycle_q;
        end else begin
          frame_word_q <= frame_word_q + 32'd1;
        end
      end
    end
  end

  // Over the frames after SKIP_FRAMES, up to the word that ends the last one.
  always_ff @(posedge clk) begin : stalls
    if (rst) begin
      starved_cycles <= '0;
      blocked_cycles <= '0;
    end else if (frame_q + 32'd1 > 32'(SKIP_FRAMES) && !surplus) begin
      if (tready && !tvalid) starved_cycles <= starved_cycles + 32'd1;
      if (tvalid && !tready) blocked_cycles <= blocked_cycles + 32'd1;
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
