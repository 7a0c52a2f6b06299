`default_nettype none

// Multiply-accumulate array: the hand-written twin of the HLS accumulator. II = 1.
//
// Every step takes one word of x and one of w; after STEPS steps one word of PE sums goes out, PE 0
// at the LSB. Weights are signed. Sums are exact when they fit ACC_BITS, and modulo 2**ACC_BITS
// otherwise.
//   DEPTHWISE = 0: x holds SIMD elements for all PE; w holds PE*SIMD, order [pe][simd]
//   DEPTHWISE = 1: x and w hold one element for each PE; SIMD must be 1
module mac_array #(
  parameter int X_BITS = 8,
  parameter bit X_SIGNED = 1'b1,
  parameter int W_BITS = 8,
  parameter int PE = 1,
  parameter int SIMD = 1,
  parameter int STEPS = 1,
  parameter int ACC_BITS = 24,
  parameter bit DEPTHWISE = 1'b0,
  localparam int X_ELEMS = DEPTHWISE ? PE : SIMD,
  localparam int W_ELEMS = PE * SIMD
) (
  input  logic                      clk,
  input  logic                      rst,
  input  logic [X_ELEMS*X_BITS-1:0] x_tdata,
  input  logic                      x_tvalid,
  output logic                      x_tready,
  input  logic [W_ELEMS*W_BITS-1:0] w_tdata,
  input  logic                      w_tvalid,
  output logic                      w_tready,
  output logic [PE*ACC_BITS-1:0]    m_tdata,
  output logic                      m_tvalid,
  input  logic                      m_tready
);
  localparam int PRODUCT_BITS = X_BITS + W_BITS;
  localparam int STAGES = 2 + $clog2(SIMD);  // operands, products, tree levels

  if (DEPTHWISE && SIMD != 1) begin : gen_bad_simd
    $error("mac_array: a depthwise array has SIMD = 1");
  end

  logic              move;          // the whole pipeline moves unless a result is held up
  logic              accept;
  logic              last_step;
  logic [STAGES-1:0] valid_q;       // of the stages, oldest at the MSB
  logic [STAGES-1:0] last_q;
  logic              first_q;       // the next sum to accumulate starts a new result
  logic              sum_valid;
  logic              sum_last;

  assign move      = !m_tvalid || m_tready;
  assign accept    = x_tvalid && w_tvalid && move;
  assign x_tready  = w_tvalid && move;
  assign w_tready  = x_tvalid && move;
  assign sum_valid = valid_q[STAGES-1];
  assign sum_last  = last_q[STAGES-1];

  loop_counter #(.COUNT(STEPS)) u_step (.clk(clk), .rst(rst), .step(accept), .last(last_step));

  always_ff @(posedge clk) begin
    if (rst) begin
      valid_q  <= '0;
      first_q  <= 1'b1;
      m_tvalid <= 1'b0;
    end else if (move) begin
      valid_q  <= {valid_q[STAGES-2:0], accept};
      m_tvalid <= sum_valid && sum_last;
      if (sum_valid) first_q <= sum_last;
    end
  end

  always_ff @(posedge clk) if (move) last_q <= {last_q[STAGES-2:0], last_step};

  for (genvar p = 0; p < PE; p++) begin : gen_pe
    logic [SIMD*PRODUCT_BITS-1:0] products;
    logic [ACC_BITS-1:0]          sum;
    logic [ACC_BITS-1:0]          acc_q;
    logic [ACC_BITS-1:0]          total;
    logic [ACC_BITS-1:0]          result_q;

    for (genvar s = 0; s < SIMD; s++) begin : gen_product
      localparam int X_INDEX = DEPTHWISE ? p : s;

      logic                           sign;
      logic signed [X_BITS:0]         x_q;
      logic signed [W_BITS-1:0]       w_q;
      logic signed [PRODUCT_BITS-1:0] product_q;

      assign sign = X_SIGNED && x_tdata[X_INDEX*X_BITS+X_BITS-1];

      always_ff @(posedge clk) begin
        if (move) begin
          x_q <= {sign, x_tdata[X_INDEX*X_BITS +: X_BITS]};
          w_q <= w_tdata[(p*SIMD+s)*W_BITS +: W_BITS];
          // x * w of X_BITS (signed or not) and W_BITS always fits their sum
          product_q <= PRODUCT_BITS'(x_q) * PRODUCT_BITS'(w_q);
        end
      end

      assign products[s*PRODUCT_BITS +: PRODUCT_BITS] = product_q;
    end

    adder_tree #(.COUNT(SIMD), .IN_BITS(PRODUCT_BITS), .OUT_BITS(ACC_BITS)) u_tree (
      .clk(clk), .move(move), .elements(products), .sum(sum)
    );

    assign total = (first_q ? '0 : acc_q) + sum;

    always_ff @(posedge clk) begin
      if (move && sum_valid) acc_q <= total;
      if (move) result_q <= total;
    end

    assign m_tdata[p*ACC_BITS +: ACC_BITS] = result_q;
  end
endmodule

`default_nettype wire
