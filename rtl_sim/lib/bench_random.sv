`default_nettype none

// Pseudo-random bench signal: `hit` is high in about `probability`/256 of the cycles.
//
// xorshift32 (Marsaglia 2003, "Xorshift RNGs"), seeded while `rst` is high.
module bench_random (
  input  logic        clk,
  input  logic        rst,
  input  logic [31:0] seed,
  input  logic [7:0]  probability,
  output logic        hit,
  output logic [31:0] noise
);
  function automatic logic [31:0] xorshift(input logic [31:0] state);
    logic [31:0] mixed;
    mixed = state;
    mixed ^= mixed << 13;
    mixed ^= mixed >> 17;
    mixed ^= mixed << 5;
    return mixed;
  endfunction

  logic [31:0] state_q;

  always_ff @(posedge clk) begin
    // Zero is the fixed point of xorshift, so the seed is kept odd; the product spreads seeds.
    if (rst) state_q <= xorshift((seed * 32'h9e37_79b1) | 32'd1);
    else     state_q <= xorshift(state_q);
  end

  assign noise = state_q;
  assign hit   = state_q[15:8] < probability;
endmodule

`default_nettype wire
