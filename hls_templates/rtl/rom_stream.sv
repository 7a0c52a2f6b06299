`default_nettype none

// Streams the DEPTH words of a `$readmemh` file over and over, one per cycle; reset restarts at 0.
//
// STYLE "auto" puts up to 128 words into LUTs (a LUT6 is a 64 x 1 ROM, two and a multiplexer make
// 128) and more into block RAM.
module rom_stream #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 1,
  parameter     FILE = "",
  parameter     STYLE = "auto"
) (
  input  logic             clk,
  input  logic             rst,
  output logic [WIDTH-1:0] m_tdata,
  output logic             m_tvalid,
  input  logic             m_tready
);
  localparam int LUT_ROM_WORDS = 128;
  localparam int ADDRESS_BITS  = DEPTH < 2 ? 1 : $clog2(DEPTH);
  localparam logic [95:0] STYLE_NAME = 96'(STYLE);  // one width for all comparisons
  localparam bit IN_BLOCK_RAM  = STYLE_NAME == 96'("block")
                                 || (STYLE_NAME == 96'("auto") && DEPTH > LUT_ROM_WORDS);
  localparam logic [ADDRESS_BITS-1:0] LAST_ADDRESS = ADDRESS_BITS'(DEPTH - 1);

  if (DEPTH < 1) begin : gen_bad_depth
    $error("rom_stream: DEPTH must be at least 1");
  end
  if (STYLE_NAME != 96'("auto") && STYLE_NAME != 96'("block")
      && STYLE_NAME != 96'("distributed")) begin : gen_bad_style
    $error("rom_stream: STYLE must be auto, block or distributed");
  end

  logic [ADDRESS_BITS-1:0] address_q;
  logic                    fetch;

  always_ff @(posedge clk) begin
    if (rst) address_q <= '0;
    else if (fetch) address_q <= address_q == LAST_ADDRESS ? '0 : address_q + 1'b1;
  end

  if (IN_BLOCK_RAM) begin : gen_block_ram
    (* rom_style = "block" *) logic [WIDTH-1:0] memory [0:DEPTH-1];
    logic [WIDTH-1:0] data_s1;
    logic             valid_s1;
    logic             move_s2;

    initial $readmemh(FILE, memory);

    assign move_s2 = !m_tvalid || m_tready;
    assign fetch   = !valid_s1 || move_s2;

    always_ff @(posedge clk) if (fetch) data_s1 <= memory[address_q];
    always_ff @(posedge clk) if (move_s2) m_tdata <= data_s1;

    always_ff @(posedge clk) begin
      if (rst) begin
        valid_s1 <= 1'b0;
        m_tvalid <= 1'b0;
      end else begin
        valid_s1 <= 1'b1;
        if (move_s2) m_tvalid <= valid_s1;
      end
    end
  end else begin : gen_luts
    lut_rom #(
      .WIDTH(WIDTH),
      .DEPTH(DEPTH),
      .FILE(FILE)
    ) u_rom (
      .clk(clk),
      .fetch(fetch),
      .address(address_q),
      .data(m_tdata)
    );

    assign fetch = !m_tvalid || m_tready;

    always_ff @(posedge clk) begin
      if (rst) m_tvalid <= 1'b0;
      else     m_tvalid <= 1'b1;
    end
  end
endmodule

`default_nettype wire
