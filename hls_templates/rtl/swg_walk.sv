`default_nettype none

// Loop nest of the sliding window generator: the place of one word of a window after the other.
//
// Order, slowest index first: output row oy, output column ox, then
//   DEPTHWISE = 0: REPLAY, ky, kx, fold       DEPTHWISE = 1: fold, REPLAY, ky, kx
//
// `offset` counts words from the oldest one that the word's output row needs; it means nothing for
// a word of padding. With the last word of an output row, `frees` says how many words the next row
// needs no longer: one-hot, for the constants PARTIAL_ROWS, SH and END_ROWS (in rows of the map),
// all 0 for none. A window that starts above the map frees nothing until it has left the padding.
module swg_walk #(
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
  parameter int OFFSET_BITS = 8              // signed; holds every offset of a word in the map
) (
  input  logic                          clk,
  input  logic                          rst,
  input  logic                          step,
  output logic signed [OFFSET_BITS-1:0] offset,
  output logic                          padding,
  output logic                    [2:0] frees
);
  localparam int BOTTOM     = (OH - 1) * SH - PAD_TOP + KH;   // end of the last window, in rows
  localparam int RIGHT      = (OW - 1) * SW - PAD_LEFT + KW;  // end of the last window, in columns
  localparam int PAD_BOTTOM = BOTTOM > H ? BOTTOM - H : 0;
  localparam int PAD_RIGHT  = RIGHT > W ? RIGHT - W : 0;
  localparam bit PADS_ROWS  = PAD_TOP > 0 || PAD_BOTTOM > 0;
  localparam bit PADS_COLS  = PAD_LEFT > 0 || PAD_RIGHT > 0;
  localparam int LEAD_ROWS  = (PAD_TOP + SH - 1) / SH;   // output rows that start above the map
  localparam int ROW_BITS   = $clog2(H + PAD_TOP + PAD_BOTTOM + 1) + 1;
  localparam int COL_BITS   = $clog2(W + PAD_LEFT + PAD_RIGHT + 1) + 1;

  typedef logic signed [OFFSET_BITS-1:0] offset_t;
  typedef logic signed [ROW_BITS-1:0]    row_t;
  typedef logic signed [COL_BITS-1:0]    col_t;

  localparam offset_t TAP_STEP   = offset_t'(DEPTHWISE ? FOLDS : 1);
  localparam offset_t ROW_STEP   = offset_t'(W * FOLDS);
  // A depthwise window has moved on by FOLDS - 1 words when its pixel is done.
  localparam offset_t PIXEL_STEP = offset_t'(SW * FOLDS - (DEPTHWISE ? FOLDS - 1 : 0));
  localparam offset_t LEFT_EDGE  = offset_t'(-PAD_LEFT * FOLDS);
  localparam offset_t FIRST_WORD = offset_t'(-PAD_TOP * W * FOLDS - PAD_LEFT * FOLDS);

  // -- Loops: `at_x` is high with the last word of loop x
  logic last_inner_fold, last_kx, last_ky, last_replay, last_outer_fold, last_ox, last_oy;
  logic at_tap_row, at_window, at_replay, at_pixel, at_row, at_frame;

  assign at_tap_row = last_inner_fold && last_kx;
  assign at_window  = at_tap_row && last_ky;
  assign at_replay  = at_window && last_replay;
  assign at_pixel   = at_replay && last_outer_fold;
  assign at_row     = at_pixel && last_ox;
  assign at_frame   = at_row && last_oy;

  loop_counter #(.COUNT(DEPTHWISE ? 1 : FOLDS)) u_inner_fold (
    .clk(clk), .rst(rst), .step(step), .last(last_inner_fold)
  );
  loop_counter #(.COUNT(KW)) u_kx (
    .clk(clk), .rst(rst), .step(step && last_inner_fold), .last(last_kx)
  );
  loop_counter #(.COUNT(KH)) u_ky (
    .clk(clk), .rst(rst), .step(step && at_tap_row), .last(last_ky)
  );
  loop_counter #(.COUNT(REPLAY)) u_replay (
    .clk(clk), .rst(rst), .step(step && at_window), .last(last_replay)
  );
  loop_counter #(.COUNT(DEPTHWISE ? FOLDS : 1)) u_outer_fold (
    .clk(clk), .rst(rst), .step(step && at_replay), .last(last_outer_fold)
  );
  loop_counter #(.COUNT(OW)) u_ox (
    .clk(clk), .rst(rst), .step(step && at_pixel), .last(last_ox)
  );
  loop_counter #(.COUNT(OH)) u_oy (
    .clk(clk), .rst(rst), .step(step && at_row), .last(last_oy)
  );

  // -- Output rows that start above the map
  logic    leads;                   // the row after this one starts above the map, too
  logic    leaves;                  // this one does and the next does not
  offset_t next_row_word;           // first word of the next row of the same frame

  if (LEAD_ROWS > 1) begin : gen_leads
    localparam int BITS = $clog2(LEAD_ROWS + 1);
    localparam offset_t STRIDE      = offset_t'(SH * W * FOLDS);
    localparam offset_t SECOND_WORD = FIRST_WORD + STRIDE;

    logic [BITS-1:0] left_q;        // rows that start above the map, this one included
    offset_t         lead_word_q;

    assign leads         = left_q > BITS'(1);
    assign leaves        = left_q == BITS'(1);
    assign next_row_word = leads ? lead_word_q : LEFT_EDGE;

    always_ff @(posedge clk) begin
      if (rst || (step && at_frame)) begin
        left_q      <= BITS'(LEAD_ROWS);
        lead_word_q <= SECOND_WORD;
      end else if (step && at_row) begin
        if (left_q != '0) left_q <= left_q - 1'b1;
        lead_word_q <= lead_word_q + STRIDE;
      end
    end
  end else if (LEAD_ROWS == 1) begin : gen_lead
    logic first_row_q;

    assign leads         = 1'b0;
    assign leaves        = first_row_q;
    assign next_row_word = LEFT_EDGE;

    always_ff @(posedge clk) begin
      if (rst) first_row_q <= 1'b1;
      else if (step && at_row) first_row_q <= last_oy;
    end
  end else begin : gen_no_lead
    assign leads         = 1'b0;
    assign leaves        = 1'b0;
    assign next_row_word = LEFT_EDGE;
  end

  always_comb begin
    frees = '0;
    if (at_frame) frees[2] = 1'b1;
    else if (at_row && leaves) frees[0] = 1'b1;
    else if (at_row && !leads) frees[1] = 1'b1;
  end

  // -- Offset of the word, and where to go back to
  offset_t offset_q;
  offset_t tap_row_q;               // first word of this row of taps
  offset_t tap_row_d;
  offset_t window_q;                // first word of this window
  offset_t window_d;

  assign offset = offset_q;

  always_comb begin
    window_d = window_q;
    if (at_frame) window_d = FIRST_WORD;
    else if (at_row) window_d = next_row_word;
    else if (at_pixel) window_d = window_q + PIXEL_STEP;
    else if (at_replay) window_d = window_q + offset_t'(1);
    tap_row_d = at_window ? window_d : tap_row_q + ROW_STEP;
  end

  always_ff @(posedge clk) begin
    if (rst) begin
      window_q  <= FIRST_WORD;
      tap_row_q <= FIRST_WORD;
      offset_q  <= FIRST_WORD;
    end else if (step) begin
      if (at_window) window_q <= window_d;
      if (at_tap_row) tap_row_q <= tap_row_d;
      offset_q <= at_tap_row ? tap_row_d : offset_q + TAP_STEP;
    end
  end

  // -- Padding: is the word in the map?
  logic row_outside;
  logic col_outside;

  assign padding = row_outside || col_outside;

  if (PADS_ROWS) begin : gen_pad_rows
    row_t row_q;                    // of the word
    row_t window_row_q;             // of its window's first word

    assign row_outside = row_q < 0 || row_q >= row_t'(H);

    always_ff @(posedge clk) begin
      if (rst || (step && at_frame)) begin
        window_row_q <= row_t'(-PAD_TOP);
        row_q        <= row_t'(-PAD_TOP);
      end else if (step && at_row) begin
        window_row_q <= window_row_q + row_t'(SH);
        row_q        <= window_row_q + row_t'(SH);
      end else if (step && at_tap_row) begin
        row_q <= at_window ? window_row_q : row_q + row_t'(1);
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
      if (rst || (step && at_row)) begin
        window_col_q <= col_t'(-PAD_LEFT);
        col_q        <= col_t'(-PAD_LEFT);
      end else if (step && at_pixel) begin
        window_col_q <= window_col_q + col_t'(SW);
        col_q        <= window_col_q + col_t'(SW);
      end else if (step && last_inner_fold) begin
        col_q <= at_tap_row ? window_col_q : col_q + col_t'(1);
      end
    end
  end else begin : gen_no_pad_cols
    assign col_outside = 1'b0;
  end
endmodule

`default_nettype wire
