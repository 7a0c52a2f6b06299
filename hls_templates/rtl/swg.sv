`default_nettype none

// Sliding window generator: line buffer, padding and replay in one ring RAM.
//
// In: frames of H x W pixels in raster order, FOLDS words per pixel. Out, for every output position
// (oy, ox) the words of its window, slowest index first:
//   DEPTHWISE = 0: REPLAY, ky, kx, fold       DEPTHWISE = 1: fold, REPLAY, ky, kx
// Words outside the map are PAD_WORD, made behind the RAM and never stored. Nothing of a frame goes
// out before its first word came in.
//
// The write side fills the ring whenever there is room. The read side asks `swg_walk` for one place
// after the other, relative to the oldest word still needed, and frees whole rows at the end of an
// output row. The ring is large enough that the next rows and the next frame come in while these
// are read: behind a source of one word per cycle there is no bubble once the first window is
// there, as long as a frame has at most 80 % as many words in as out.
//
// One step of the read side per register, so that no path holds two additions:
//   walk -> next (place known) -> wait (until it came in) -> ring address -> RAM -> register
//   -> padding
// The skid buffer at the end keeps the consumer's stalls out of all this.
module swg #(
  parameter int WORD_BITS = 8,
  parameter int H = 1,
  parameter int W = 1,
  parameter int KH = 1,
  parameter int KW = 1,
  parameter int SH = 1,
  parameter int SW = 1,
  parameter int PAD_TOP = 0,
  parameter int PAD_LEFT = 0,
  parameter int OH = 1,
  parameter int OW = 1,
  parameter int FOLDS = 1,
  parameter int REPLAY = 1,
  parameter bit DEPTHWISE = 1'b0,
  parameter logic [WORD_BITS-1:0] PAD_WORD = '0,
  parameter     RAM_STYLE = "auto"           // "auto", "block" or "distributed"
) (
  input  logic                 clk,
  input  logic                 rst,
  input  logic [WORD_BITS-1:0] s_tdata,
  input  logic                 s_tvalid,
  output logic                 s_tready,
  output logic [WORD_BITS-1:0] m_tdata,
  output logic                 m_tvalid,
  input  logic                 m_tready
);
  // -- Geometry
  localparam int BOTTOM     = (OH - 1) * SH - PAD_TOP + KH;   // end of the last window, in rows
  localparam int RIGHT      = (OW - 1) * SW - PAD_LEFT + KW;  // end of the last window, in columns
  localparam int PAD_BOTTOM = BOTTOM > H ? BOTTOM - H : 0;
  localparam int PAD_RIGHT  = RIGHT > W ? RIGHT - W : 0;
  localparam int IDLE_ROWS  = BOTTOM < H ? H - BOTTOM : 0;    // rows below the last window
  localparam int LAST_TOP   = (OH - 1) * SH > PAD_TOP ? (OH - 1) * SH - PAD_TOP : 0;

  // -- Ring: one window's rows, and behind them whichever is more: the rows of the next window, or
  // what the first window of the next frame needs beside the last window of this one.
  localparam int NEXT_FRAME_ROWS = KH - PAD_TOP - PAD_BOTTOM + IDLE_ROWS;
  localparam int RING_ROWS  = KH + (SH > NEXT_FRAME_ROWS ? SH : NEXT_FRAME_ROWS);
  localparam int ROW_WORDS  = W * FOLDS;
  localparam int RING_WORDS = RING_ROWS * ROW_WORDS;
  localparam int ADDRESS_BITS = RING_WORDS < 2 ? 1 : $clog2(RING_WORDS);
  localparam logic [95:0] STYLE_NAME = 96'(RAM_STYLE);  // one width for all comparisons
  // 2048 bits are about 45 LUTs; a block RAM holds nine times as much.
  localparam bit IS_SMALL   = RING_WORDS <= 64 || RING_WORDS * WORD_BITS <= 2048;
  localparam bit IN_LUT_RAM = STYLE_NAME == 96'("distributed")
                              || (STYLE_NAME == 96'("auto") && IS_SMALL);
  /* verilator lint_off UNUSEDPARAM */        // only synthesis reads attributes
  localparam RING_STYLE = IN_LUT_RAM ? "distributed" : "block";
  /* verilator lint_on UNUSEDPARAM */

  if (H < 1 || W < 1 || KH < 1 || KW < 1 || SH < 1 || SW < 1 || OH < 1 || OW < 1 || FOLDS < 1
      || REPLAY < 1) begin : gen_bad_size
    $error("swg: every size must be at least 1");
  end
  if (PAD_TOP < 0 || PAD_TOP >= KH || PAD_LEFT < 0 || PAD_LEFT >= KW || PAD_BOTTOM >= KH
      || PAD_RIGHT >= KW) begin : gen_bad_padding
    $error("swg: a window lies wholly outside the map");
  end
  if (STYLE_NAME != 96'("auto") && STYLE_NAME != 96'("block")
      && STYLE_NAME != 96'("distributed")) begin : gen_bad_style
    $error("swg: RAM_STYLE must be auto, block or distributed");
  end

  // -- Counts of words: -RING_WORDS to 2 * RING_WORDS
  localparam int OFFSET_BITS = $clog2(RING_WORDS + 1) + 2;
  localparam int LEAD_ROWS   = (PAD_TOP + SH - 1) / SH;

  typedef logic signed [OFFSET_BITS-1:0] offset_t;
  typedef logic [ADDRESS_BITS-1:0]       address_t;
  typedef logic [ADDRESS_BITS:0]         sum_t;          // of an address and at most RING_WORDS

  function automatic offset_t words(input logic [2:0] frees);  // see `swg_walk`
    words = (frees[0] ? offset_t'((LEAD_ROWS * SH - PAD_TOP) * ROW_WORDS) : '0)
            | (frees[1] ? offset_t'(SH * ROW_WORDS) : '0)
            | (frees[2] ? offset_t'((H - LAST_TOP) * ROW_WORDS) : '0);
  endfunction

  function automatic address_t wrap(input sum_t sum);
    wrap = sum[ADDRESS_BITS-1:0];
    if (sum >= sum_t'(RING_WORDS)) wrap -= address_t'(RING_WORDS);
  endfunction

  // -- Write side
  // No word is read in the cycle in which its place is written: it has come in before, and its place
  // is free after it. Without this promise Yosys builds a bypass behind the RAM of an ECP5.
  (* ram_style = RING_STYLE, no_rw_check *) logic [WORD_BITS-1:0] ring [0:RING_WORDS-1];
  address_t write_address_q;
  offset_t  room_q;                 // free words less one; those freed before they came count
  logic     write;
  offset_t  freed;                  // words that were read for the last time in this cycle

  assign s_tready = !room_q[OFFSET_BITS-1];
  assign write    = s_tvalid && s_tready;

  always_ff @(posedge clk) if (write) ring[write_address_q] <= s_tdata;

  always_ff @(posedge clk) begin
    if (rst) begin
      write_address_q <= '0;
      room_q          <= offset_t'(RING_WORDS - 1);
    end else begin
      if (write) begin
        write_address_q <= write_address_q == address_t'(RING_WORDS - 1)
                           ? '0 : write_address_q + 1'b1;
      end
      room_q <= room_q + freed - offset_t'({1'b0, write});
    end
  end

  // -- Next word: its place, as seen from its own row's oldest word and from the row before
  logic       load;                 // the waiting word goes, the next one waits
  offset_t    walk_offset;
  logic       walk_padding;
  logic [2:0] walk_frees;
  offset_t    walk_place;
  logic       next_valid_q;
  offset_t    next_place_q;
  offset_t    next_from_before_q;
  logic       next_padding_q;
  logic [2:0] next_frees_q;

  swg_walk #(
    .H(H), .W(W), .KH(KH), .KW(KW), .SH(SH), .SW(SW), .PAD_TOP(PAD_TOP), .PAD_LEFT(PAD_LEFT),
    .OH(OH), .OW(OW), .FOLDS(FOLDS), .REPLAY(REPLAY), .DEPTHWISE(DEPTHWISE),
    .OFFSET_BITS(OFFSET_BITS)
  ) u_walk (
    .clk(clk), .rst(rst), .step(load), .offset(walk_offset), .padding(walk_padding),
    .frees(walk_frees)
  );

  // Padding waits for the row's oldest word: nothing of a frame goes out before it came in.
  assign walk_place = walk_padding ? '0 : walk_offset;

  always_ff @(posedge clk) begin
    if (load) begin
      next_place_q       <= walk_place;
      next_from_before_q <= walk_place + words(next_frees_q);
      next_padding_q     <= walk_padding;
    end
  end

  // -- Waiting word: `there` when it has come in. A count that is one cycle old is never too large.
  logic       waiting_valid_q;
  offset_t    waiting_place_q;
  logic       waiting_padding_q;
  logic [2:0] waiting_frees_q;
  logic       there_q;
  offset_t    have_q;               // words from the row's oldest on; < 0: freed before they came
  address_t   base_q;               // of the row's oldest
  logic       take;                 // the waiting word goes on to the RAM
  logic       fetch_ready;

  assign take = there_q && fetch_ready;
  assign load = !waiting_valid_q || take;

  always_ff @(posedge clk) begin
    if (load) begin
      waiting_place_q   <= next_place_q;
      waiting_padding_q <= next_padding_q;
    end
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      next_valid_q    <= 1'b0;
      next_frees_q    <= '0;
      waiting_valid_q <= 1'b0;
      waiting_frees_q <= '0;
      there_q         <= 1'b0;
      have_q          <= '0;
      base_q          <= '0;
    end else begin
      if (load) begin
        next_valid_q    <= 1'b1;
        next_frees_q    <= walk_frees;
        waiting_valid_q <= next_valid_q;
        waiting_frees_q <= next_frees_q;
      end
      there_q <= load ? next_valid_q && next_from_before_q < have_q
                      : waiting_valid_q && waiting_place_q < have_q;
      have_q  <= have_q + offset_t'({1'b0, write}) - (take ? words(waiting_frees_q) : '0);
      if (take && waiting_frees_q != '0) begin
        base_q <= wrap(sum_t'(base_q) + sum_t'(words(waiting_frees_q)));
      end
    end
  end

  // -- Fetch: address, ring RAM, padding
  sum_t       sum_s1;
  logic       padding_s1;
  logic [2:0] frees_s1;
  logic       valid_s1;
  logic       move_s1;
  logic       fetch;
  logic [WORD_BITS-1:0] data_s2;    // of the RAM, whose clock-to-out takes most of a cycle
  logic                 padding_s2;
  logic                 valid_s2;
  logic                 move_s2;
  logic [WORD_BITS-1:0] data_s3;
  logic                 padding_s3;
  logic                 valid_s3;
  logic                 move_s3;
  logic                 out_ready;

  assign move_s3     = !valid_s3 || out_ready;
  assign move_s2     = !valid_s2 || move_s3;
  assign move_s1     = !valid_s1 || move_s2;
  assign fetch_ready = move_s1;
  assign fetch       = valid_s1 && move_s2;
  assign freed       = fetch ? words(frees_s1) : '0;

  always_ff @(posedge clk) begin
    if (move_s1) begin
      sum_s1     <= sum_t'(base_q) + sum_t'(waiting_place_q);
      padding_s1 <= waiting_padding_q;
      frees_s1   <= waiting_frees_q;
    end
  end

  always_ff @(posedge clk) if (move_s2) data_s2 <= ring[wrap(sum_s1)];
  always_ff @(posedge clk) if (move_s2) padding_s2 <= padding_s1;
  always_ff @(posedge clk) if (move_s3) data_s3 <= data_s2;
  always_ff @(posedge clk) if (move_s3) padding_s3 <= padding_s2;

  always_ff @(posedge clk) begin
    if (rst) begin
      valid_s1 <= 1'b0;
      valid_s2 <= 1'b0;
      valid_s3 <= 1'b0;
    end else begin
      if (move_s1) valid_s1 <= there_q;
      if (move_s2) valid_s2 <= valid_s1;
      if (move_s3) valid_s3 <= valid_s2;
    end
  end

  skid_buffer #(.WIDTH(WORD_BITS)) u_out (
    .clk(clk),
    .rst(rst),
    .s_tdata(padding_s3 ? PAD_WORD : data_s3),
    .s_tvalid(valid_s3),
    .s_tready(out_ready),
    .m_tdata(m_tdata),
    .m_tvalid(m_tvalid),
    .m_tready(m_tready)
  );
endmodule

`default_nettype wire
