`default_nettype none

// One level of a loop nest: `last` is high in the last of COUNT steps. Vanishes for COUNT = 1.
//
// `last` is a register: a nest of these is one wide AND, not a chain of comparisons.
module loop_counter #(
  parameter int COUNT = 1
) (
  input  logic clk,
  input  logic rst,
  input  logic step,
  output logic last
);
  if (COUNT < 1) begin : gen_bad_count
    $error("loop_counter: COUNT must be at least 1");
  end

  if (COUNT == 1) begin : gen_single
    logic unused_clocking;

    assign unused_clocking = clk && rst && step;
    assign last = 1'b1;
  end else begin : gen_count
    localparam int BITS = $clog2(COUNT);

    logic [BITS-1:0] count_q;

    always_ff @(posedge clk) begin
      if (rst) begin
        count_q <= '0;
        last    <= 1'b0;
      end else if (step) begin
        count_q <= last ? '0 : count_q + 1'b1;
        last    <= count_q == BITS'(COUNT - 2);
      end
    end
  end
endmodule

`default_nettype wire
