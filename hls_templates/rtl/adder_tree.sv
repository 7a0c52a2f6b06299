`default_nettype none

// Sum of COUNT signed elements, a binary tree with a register behind each level.
//
// Latency LEVELS = clog2(COUNT), 0 for one element; all stages move together on `move`.
module adder_tree #(
  parameter int COUNT = 2,
  parameter int IN_BITS = 8,
  parameter int OUT_BITS = IN_BITS + $clog2(COUNT)
) (
  input  logic                     clk,
  input  logic                     move,
  input  logic [COUNT*IN_BITS-1:0] elements,
  output logic [OUT_BITS-1:0]      sum
);
  localparam int LEVELS = $clog2(COUNT);

  // Each level is one bit wider than the one below it: no wider than it needs to be.
  for (genvar l = 0; l <= LEVELS; l++) begin : gen_level
    localparam int NODES = (COUNT + (1 << l) - 1) >> l;
    localparam int BITS  = IN_BITS + l;

    logic [NODES*BITS-1:0] nodes;

    if (l == 0) begin : gen_leaves
      assign nodes = elements;
    end else begin : gen_sums
      localparam int BELOW = (COUNT + (1 << (l - 1)) - 1) >> (l - 1);

      for (genvar n = 0; n < NODES; n++) begin : gen_node
        logic signed [BITS-2:0] left;
        logic signed [BITS-1:0] node_q;

        assign left = gen_level[l-1].nodes[2*n*(BITS-1) +: BITS-1];

        if (2 * n + 1 < BELOW) begin : gen_pair
          logic signed [BITS-2:0] right;

          assign right = gen_level[l-1].nodes[(2*n+1)*(BITS-1) +: BITS-1];
          always_ff @(posedge clk) if (move) node_q <= BITS'(left) + BITS'(right);
        end else begin : gen_single
          always_ff @(posedge clk) if (move) node_q <= BITS'(left);
        end

        assign nodes[n*BITS +: BITS] = node_q;
      end
    end
  end

  if (LEVELS == 0) begin : gen_no_register
    logic unused_clocking;

    assign unused_clocking = clk && move;
  end

  logic signed [IN_BITS+LEVELS-1:0] full;

  assign full = gen_level[LEVELS].nodes;
  assign sum  = OUT_BITS'(full);
endmodule

`default_nettype wire
