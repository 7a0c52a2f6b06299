`default_nettype none

// Sliding window generator: line buffer, padding and replay in one ring RAM.
//
// In: frames of H x W pixels in raster order, FOLDS words per pixel. Out, for every output position
// (oy, ox) the words of its window, slowest index first:
//   DEPTHWISE = 0: REPLAY, ky, kx, fold       DEPTHWISE = 1: fold, REPLAY, ky, kx
// Words outside the map are PAD_WORD, made behind the RAM and never stored. Nothing of a frame goes
// out before its first word came in.
//
// The write side fills the ring whenever there is room. The read side addresses relative to `base`,
// the oldest word still needed, and frees whole rows at the end of an output row. The ring is large
// enough that the next rows and the next frame come in while these are read: behind a source of one
// word per cycle there is no bubble once the first window is there, as long as a frame has at most
// 80 % as many words in as out.
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
  localparam bit PADS_ROWS  = PAD_TOP > 0 || BOTTOM > H;
  localparam bit PADS_COLS  = PAD_LEFT > 0 || RIGHT > W;

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

  // -- Offsets from `base`: words of padding above and left of it are negative. Only offsets of
  // words in the map count, those of padding may wrap; all of them lie below RING_WORDS.
  localparam int OFFSET_BITS = $clog2(RING_WORDS + 1) + 1;
  localparam int ROW_BITS    = $clog2(H + PAD_TOP + PAD_BOTTOM + 1) + 1;
  localparam int COL_BITS    = $clog2(W + PAD_LEFT + PAD_RIGHT + 1) + 1;

  typedef logic signed [OFFSET_BITS-1:0] offset_t;
  typedef logic signed [ROW_BITS-1:0]    row_t;
  typedef logic signed [COL_BITS-1:0]    col_t;

  localparam offset_t TAP_STEP   = offset_t'(DEPTHWISE ? FOLDS : 1);
  localparam offset_t ROW_STEP   = offset_t'(ROW_WORDS);
  localparam offset_t WINDOW_ROW_STEP = offset_t'(SH * ROW_WORDS);
  // A depthwise window has moved on by FOLDS - 1 words when its pixel is done.
  localparam offset_t PIXEL_STEP = offset_t'(SW * FOLDS - (DEPTHWISE ? FOLDS - 1 : 0));
  localparam offset_t LEFT_EDGE  = offset_t'(-PAD_LEFT * FOLDS);
  localparam offset_t FIRST_LEAD = offset_t'(-PAD_TOP * ROW_WORDS);
  localparam offset_t FRAME_END_FREED = offset_t'((H - LAST_TOP) * ROW_WORDS);

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

  // -- Write side
  (* ram_style = RING_STYLE *) logic [WORD_BITS-1:0] ring [0:RING_WORDS-1];
  logic [ADDRESS_BITS-1:0] write_address_q;
  offset_t have_q;                  // words held from `base` on; negative: freed before they came
  offset_t freed;
  logic    write;

  assign s_tready = have_q < offset_t'(RING_WORDS);
  assign write    = s_tvalid && s_tready;

  always_ff @(posedge clk) if (write) ring[write_address_q] <= s_tdata;

  always_ff @(posedge clk) begin
    if (rst) begin
      write_address_q <= '0;
      have_q          <= '0;
    end else begin
      if (write) begin
        write_address_q <= write_address_q == ADDRESS_BITS'(RING_WORDS - 1)
                           ? '0 : write_address_q + 1'b1;
      end
      have_q <= have_q + offset_t'({1'b0, write}) - freed;
    end
  end

  // -- Loop nest of the read side: `end_x` is high with the last word of loop x
  logic emit;                       // one output word is fetched in this cycle
  logic last_inner_fold, last_kx, last_ky, last_replay, last_outer_fold, last_ox, last_oy;
  logic end_tap, end_tap_row, end_window, end_replay, end_pixel, end_row, end_frame;

  assign end_tap     = emit && last_inner_fold;
  assign end_tap_row = end_tap && last_kx;
  assign end_window  = end_tap_row && last_ky;
  assign end_replay  = end_window && last_replay;
  assign end_pixel   = end_replay && last_outer_fold;
  assign end_row     = end_pixel && last_ox;
  assign end_frame   = end_row && last_oy;

  loop_counter #(.COUNT(DEPTHWISE ? 1 : FOLDS)) u_inner_fold (
    .clk(clk), .rst(rst), .step(emit), .last(last_inner_fold)
  );
  loop_counter #(.COUNT(KW)) u_kx (.clk(clk), .rst(rst), .step(end_tap), .last(last_kx));
  loop_counter #(.COUNT(KH)) u_ky (.clk(clk), .rst(rst), .step(end_tap_row), .last(last_ky));
  loop_counter #(.COUNT(REPLAY)) u_replay (
    .clk(clk), .rst(rst), .step(end_window), .last(last_replay)
  );
  loop_counter #(.COUNT(DEPTHWISE ? FOLDS : 1)) u_outer_fold (
    .clk(clk), .rst(rst), .step(end_replay), .last(last_outer_fold)
  );
  loop_counter #(.COUNT(OW)) u_ox (.clk(clk), .rst(rst), .step(end_pixel), .last(last_ox));
  loop_counter #(.COUNT(OH)) u_oy (.clk(clk), .rst(rst), .step(end_row), .last(last_oy));

  // -- Where the window starts: `lead` is the (negative) offset of its first row while that lies
  // above the map; from then on the window starts at `base` and each output row frees what it left.
  offset_t lead_q;
  offset_t lead_moved;

  assign lead_moved = lead_q + WINDOW_ROW_STEP;

  always_comb begin
    freed = '0;
    if (end_frame) freed = FRAME_END_FREED;
    else if (end_row && lead_moved > 0) freed = lead_moved;
  end

  always_ff @(posedge clk) begin
    if (rst || end_frame) lead_q <= FIRST_LEAD;
    else if (end_row) lead_q <= lead_moved > 0 ? '0 : lead_moved;
  end

  // -- Offset of the word to fetch, and where to go back to
  offset_t offset_q;
  offset_t offset_d;
  offset_t tap_row_q;               // first word of this row of taps
  offset_t tap_row_d;
  offset_t window_q;                // first word of this window
  offset_t window_d;
  offset_t next_lead;

  always_comb begin
    next_lead = lead_moved > 0 ? '0 : lead_moved;
    if (last_oy) next_lead = FIRST_LEAD;
    window_d = window_q;
    if (end_row) window_d = next_lead + LEFT_EDGE;
    else if (end_pixel) window_d = window_q + PIXEL_STEP;
    else if (end_replay) window_d = window_q + offset_t'(1);
    tap_row_d = tap_row_q;
    if (end_window) tap_row_d = window_d;
    else if (end_tap_row) tap_row_d = tap_row_q + ROW_STEP;
    offset_d = end_tap_row ? tap_row_d : offset_q + TAP_STEP;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      window_q  <= FIRST_LEAD + LEFT_EDGE;
      tap_row_q <= FIRST_LEAD + LEFT_EDGE;
      offset_q  <= FIRST_LEAD + LEFT_EDGE;
    end else if (emit) begin
      window_q  <= window_d;
      tap_row_q <= tap_row_d;
      offset_q  <= offset_d;
    end
  end

  // -- Padding: is the word in the map?
  logic row_outside;
  logic col_outside;
  logic padding;

  if (PADS_ROWS) begin : gen_pad_rows
    row_t row_q;                    // of the word
    row_t window_row_q;             // of its window's first word

    assign row_outside = row_q < 0 || row_q >= row_t'(H);

    always_ff @(posedge clk) begin
      if (rst || end_frame) begin
        window_row_q <= row_t'(-PAD_TOP);
        row_q        <= row_t'(-PAD_TOP);
      end else if (end_row) begin
        window_row_q <= window_row_q + row_t'(SH);
        row_q        <= window_row_q + row_t'(SH);
      end else if (end_tap_row) begin
        row_q <= end_window ? window_row_q : row_q + row_t'(1);
      end
    end
  end else begin : gen_no_pad_rows
    assign row_outside = 1'b0;
  end

  if (PADS_COLS) begin : gen_pad_cols
    col_t col_q;
    col_t window_col_q;

    assign col_outside = col_q < 0 || col_q >= col_t'(W);

    always_ff @(posedge clk) begin
      if (rst || end_row) begin
        window_col_q <= col_t'(-PAD_LEFT);
        col_q        <= col_t'(-PAD_LEFT);
      end else if (end_pixel) begin
        window_col_q <= window_col_q + col_t'(SW);
        col_q        <= window_col_q + col_t'(SW);
      end else if (end_tap) begin
        col_q <= end_tap_row ? window_col_q : col_q + col_t'(1);
      end
    end
  end else begin : gen_no_pad_cols
    assign col_outside = 1'b0;
  end

  assign padding = row_outside || col_outside;

  // -- Fetch: ring RAM, then padding, each with its register
  logic [ADDRESS_BITS-1:0] base_q;
  logic [WORD_BITS-1:0]    data_s1;
  logic                    padding_s1;
  logic                    valid_s1;
  logic                    move_s1;
  logic                    move_s2;
  logic [ADDRESS_BITS-1:0] read_address;

  // base + step, in the ring; `step` is 0 to RING_WORDS for every word that is in the map
  function automatic logic [ADDRESS_BITS-1:0] advance(
    input logic [ADDRESS_BITS-1:0] base, input logic [ADDRESS_BITS:0] step
  );
    logic [ADDRESS_BITS:0] moved;
    moved = {1'b0, base} + step;
    if (moved >= (ADDRESS_BITS + 1)'(RING_WORDS)) moved -= (ADDRESS_BITS + 1)'(RING_WORDS);
    advance = moved[ADDRESS_BITS-1:0];
  endfunction

  assign move_s2      = !m_tvalid || m_tready;
  assign move_s1      = !valid_s1 || move_s2;
  // Padding waits for the window's first row too: nothing of a frame goes out before it came in.
  assign emit         = move_s1 && have_q > 0 && (padding || offset_q < have_q);
  assign read_address = advance(base_q, offset_q[ADDRESS_BITS:0]);

  always_ff @(posedge clk) begin
    if (rst) base_q <= '0;
    else if (end_row) base_q <= advance(base_q, freed[ADDRESS_BITS:0]);
  end

  always_ff @(posedge clk) if (emit) data_s1 <= ring[read_address];
  always_ff @(posedge clk) if (emit) padding_s1 <= padding;
  always_ff @(posedge clk) if (move_s2) m_tdata <= padding_s1 ? PAD_WORD : data_s1;

  always_ff @(posedge clk) begin
    if (rst) begin
      valid_s1 <= 1'b0;
      m_tvalid <= 1'b0;
    end else begin
      if (move_s1) valid_s1 <= emit;
      if (move_s2) m_tvalid <= valid_s1;
    end
  end
endmodule

`default_nettype wire
