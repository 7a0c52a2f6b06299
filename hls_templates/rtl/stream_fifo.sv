`default_nettype none

// First-word fall-through FIFO at full throughput. It holds at least DEPTH words. Both handshakes
// are registers: the neighbours' logic begins and ends here.
//
// Up to 64 words (the depth of one LUT RAM) the memory is read without a clock, which costs no
// latency; deeper ones go to block RAM, whose read is registered, behind an output register that
// keeps the slow clock-to-out of the RAM off the next unit (latency 3, DEPTH + 2 words).
module stream_fifo #(
  parameter int WIDTH = 8,
  parameter int DEPTH = 2
) (
  input  logic             clk,
  input  logic             rst,
  input  logic [WIDTH-1:0] s_tdata,
  input  logic             s_tvalid,
  output logic             s_tready,
  output logic [WIDTH-1:0] m_tdata,
  output logic             m_tvalid,
  input  logic             m_tready
);
  localparam int LUT_RAM_WORDS = 64;
  localparam int ADDRESS_BITS  = DEPTH < 2 ? 1 : $clog2(DEPTH);
  localparam int COUNT_BITS    = $clog2(DEPTH + 1);
  localparam logic [ADDRESS_BITS-1:0] LAST_ADDRESS = ADDRESS_BITS'(DEPTH - 1);

  if (DEPTH < 2) begin : gen_bad_depth
    $error("stream_fifo: DEPTH must be at least 2");
  end

  logic [ADDRESS_BITS-1:0] write_address_q;
  logic [ADDRESS_BITS-1:0] read_address_q;
  logic [COUNT_BITS-1:0]   count_q;          // words in the memory
  logic                    filled_q;         // there are any
  logic                    write;
  logic                    read;

  assign write = s_tvalid && s_tready;

  always_ff @(posedge clk) begin
    if (rst) begin
      write_address_q <= '0;
      read_address_q  <= '0;
      count_q         <= '0;
      filled_q        <= 1'b0;
      s_tready        <= 1'b1;
    end else begin
      if (write) write_address_q <= write_address_q == LAST_ADDRESS ? '0 : write_address_q + 1'b1;
      if (read) read_address_q <= read_address_q == LAST_ADDRESS ? '0 : read_address_q + 1'b1;
      count_q <= count_q + COUNT_BITS'(write) - COUNT_BITS'(read);
      if (write && !read) begin
        filled_q <= 1'b1;
        s_tready <= count_q != COUNT_BITS'(DEPTH - 1);
      end else if (read && !write) begin
        filled_q <= count_q != COUNT_BITS'(1);
        s_tready <= 1'b1;
      end
    end
  end

  if (DEPTH <= LUT_RAM_WORDS) begin : gen_lut_ram
    (* ram_style = "distributed" *) logic [WIDTH-1:0] memory [0:DEPTH-1];

    always_ff @(posedge clk) if (write) memory[write_address_q] <= s_tdata;

    assign m_tdata  = memory[read_address_q];
    assign m_tvalid = filled_q;
    assign read     = m_tvalid && m_tready;
  end else begin : gen_block_ram
    // A place is never written and read in one cycle (full or empty then): no bypass is needed.
    (* ram_style = "block", no_rw_check *) logic [WIDTH-1:0] memory [0:DEPTH-1];
    logic [WIDTH-1:0] data_s1;
    logic             valid_s1;
    logic             move_s1;
    logic             move_s2;

    assign move_s2 = !m_tvalid || m_tready;
    assign move_s1 = !valid_s1 || move_s2;
    assign read    = filled_q && move_s1;

    always_ff @(posedge clk) if (write) memory[write_address_q] <= s_tdata;
    always_ff @(posedge clk) if (read) data_s1 <= memory[read_address_q];
    always_ff @(posedge clk) if (move_s2) m_tdata <= data_s1;

    always_ff @(posedge clk) begin
      if (rst) begin
        valid_s1 <= 1'b0;
        m_tvalid <= 1'b0;
      end else begin
        if (move_s1) valid_s1 <= read;
        if (move_s2) m_tvalid <= valid_s1;
      end
    end
  end
endmodule

`default_nettype wire
