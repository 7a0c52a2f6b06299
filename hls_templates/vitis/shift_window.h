// Sliding window: line buffer, padding and replay in one process; the twin of rtl/swg.sv.
//
// Words come in raster order (row, column, fold of the channels) and go out in the order
// oy, ox, outer fold, replay, ky, kx, inner fold; folds that are summed by themselves (channels of
// a depthwise window, groups of channels) are outer ones, the words of one sum inner ones. Padding
// is a word of pad_value that is never stored.
//
// CONFIG: word_t; in_rows, in_cols, folds = outer_folds * inner_folds, out_rows, out_cols,
// kernel_rows, kernel_cols, stride_rows, stride_cols, pad_top, pad_left, replay, ring_rows,
// first_slot (ring row of the first window's top), pad_value, words_out.
#ifndef SHIFT_WINDOW_H_
#define SHIFT_WINDOW_H_

#include "shift_types.h"

namespace shift {

// Where the write side of the ring stands: `row` rows and a part of the next one have come in.
template <class CONFIG> struct window_writer {
    index_t<CONFIG::in_rows> row;
    index_t<CONFIG::ring_rows> slot;
    counter<CONFIG::folds> fold;
    counter<CONFIG::in_cols> col;

    window_writer() : row(0), slot(0) {}

    bool has(int r, int c, int f) const {
#pragma HLS INLINE
        if (r != row) return r < row;
        return c < col.value() || (c == col.value() && f < fold.value());
    }

    void advance() {
#pragma HLS INLINE
        if (fold.step() && col.step()) {
            row = row + 1;
            slot = slot == CONFIG::ring_rows - 1 ? 0 : int(slot) + 1;
        }
    }
};

// Where the read side stands: which window, and which word of it.
template <class CONFIG> struct window_reader {
    static const int max_row = CONFIG::out_rows * CONFIG::stride_rows + CONFIG::pad_top;
    static const int max_col = CONFIG::out_cols * CONFIG::stride_cols + CONFIG::pad_left;
    index_t<max_row> top;                  // first row of the window, negative in the padding
    index_t<max_col> left;                 // first column
    index_t<CONFIG::ring_rows> top_slot;   // ring row of `top`
    counter<CONFIG::inner_folds> inner_fold;
    counter<CONFIG::kernel_cols> kx;
    counter<CONFIG::kernel_rows> ky;
    counter<CONFIG::replay> replay;
    counter<CONFIG::outer_folds> outer_fold;
    counter<CONFIG::out_cols> ox;
    counter<CONFIG::out_rows> oy;

    window_reader()
        : top(-CONFIG::pad_top), left(-CONFIG::pad_left), top_slot(CONFIG::first_slot) {}

    int row() const { return int(top) + ky.value(); }
    int col() const { return int(left) + kx.value(); }
    int fold() const { return outer_fold.value() * CONFIG::inner_folds + inner_fold.value(); }
    int slot() const { return wrapped(int(top_slot) + ky.value()); }
    int oldest_row() const { return top > 0 ? int(top) : 0; }

    bool padding() const {
#pragma HLS INLINE
        return row() < 0 || row() >= CONFIG::in_rows || col() < 0 || col() >= CONFIG::in_cols;
    }

    // True at the last word of the frame.
    bool advance() {
#pragma HLS INLINE
        const bool pixel_ends = inner_fold.step() && kx.step() && ky.step() && replay.step() &&
                                outer_fold.step();
        if (!pixel_ends) return false;
        left = left + CONFIG::stride_cols;
        if (!ox.step()) return false;
        left = -CONFIG::pad_left;
        top = top + CONFIG::stride_rows;
        top_slot = wrapped(int(top_slot) + CONFIG::stride_rows % CONFIG::ring_rows);
        return oy.step();
    }

  private:
    static int wrapped(int slot) {
#pragma HLS INLINE
        return slot >= CONFIG::ring_rows ? slot - CONFIG::ring_rows : slot;
    }
};

// One iteration is one clock cycle: at most one word goes in and one goes out.
template <class CONFIG>
void slide(stream<typename CONFIG::word_t> &in, stream<typename CONFIG::word_t> &out,
           typename CONFIG::word_t (&ring)[CONFIG::ring_rows][CONFIG::in_cols][CONFIG::folds]) {
#pragma HLS INLINE
    static_assert(CONFIG::ring_rows >= CONFIG::kernel_rows, "the ring holds a whole window");
    static_assert(CONFIG::folds == CONFIG::outer_folds * CONFIG::inner_folds, "whole pixels");
    typename CONFIG::word_t padding;
PADDING:
    for (int i = 0; i < CONFIG::word_t::count; ++i) {
#pragma HLS UNROLL
        padding[i] = typename CONFIG::word_t::element_t(CONFIG::pad_value);
    }
    window_writer<CONFIG> writer;
    window_reader<CONFIG> reader;
    bool reading = true;
CYCLE:
    while (reading || writer.row < CONFIG::in_rows) {
#pragma HLS PIPELINE II=1
#pragma HLS LOOP_TRIPCOUNT min=CONFIG::words_out max=CONFIG::words_out
        const bool room =
            writer.row < CONFIG::in_rows &&
            (!reading || writer.row < reader.oldest_row() + CONFIG::ring_rows);
        const bool ready =
            reading &&
            (reader.padding() || writer.has(reader.row(), reader.col(), reader.fold()));
        if (ready) {
            out.write(reader.padding() ? padding
                                       : ring[reader.slot()][reader.col()][reader.fold()]);
            if (reader.advance()) reading = false;
        }
        if (room) {
            ring[int(writer.slot)][writer.col.value()][writer.fold.value()] = in.read();
            writer.advance();
        }
    }
}

template <class CONFIG>
void window_in_lutram(stream<typename CONFIG::word_t> &in, stream<typename CONFIG::word_t> &out) {
    typename CONFIG::word_t ring[CONFIG::ring_rows][CONFIG::in_cols][CONFIG::folds];
#pragma HLS AGGREGATE variable=ring
#pragma HLS BIND_STORAGE variable=ring type=ram_s2p impl=lutram
    slide<CONFIG>(in, out, ring);
}

template <class CONFIG>
void window_in_bram(stream<typename CONFIG::word_t> &in, stream<typename CONFIG::word_t> &out) {
    typename CONFIG::word_t ring[CONFIG::ring_rows][CONFIG::in_cols][CONFIG::folds];
#pragma HLS AGGREGATE variable=ring
#pragma HLS BIND_STORAGE variable=ring type=ram_s2p impl=bram
    slide<CONFIG>(in, out, ring);
}

} // namespace shift

#endif
