// Pools: sums of whole windows and one exact division by a constant, or the largest code.
//
// CONFIG: x_t, y_t; pixels, groups (channels / pe), steps (taps), pe; of an average also acc_t,
// numerator_t, reciprocal_t, product_t, out_t, out_rows, out_cols, col_classes, and average()'s
// constants.
#ifndef SHIFT_POOL_H_
#define SHIFT_POOL_H_

#include "shift_arith.h"
#include "shift_types.h"

namespace shift {

// `steps` beats of `pe` channels give one beat of averages. A window that reaches into the padding
// has fewer elements: `rows` and `cols` say to which class the window's row and column belong, and
// `divisions` what to divide by.
template <class CONFIG, class DIVISION, class ROW_CLASS, class COL_CLASS, int CLASSES, int ROWS,
          int COLS>
void pool(stream<vec<typename CONFIG::x_t, CONFIG::pe>> &x,
          stream<vec<typename CONFIG::y_t, CONFIG::pe>> &y,
          const DIVISION (&divisions)[CLASSES][4], const ROW_CLASS (&rows)[ROWS],
          const COL_CLASS (&cols)[COLS]) {
#pragma HLS ARRAY_PARTITION variable=divisions complete dim=2
    vec<typename CONFIG::acc_t, CONFIG::pe> sums;
#pragma HLS ARRAY_PARTITION variable=sums.data complete
ROW:
    for (int row = 0; row < ROWS; ++row) {
    COLUMN:
        for (int col = 0; col < COLS; ++col) {
        GROUP:
            for (int group = 0; group < CONFIG::groups; ++group) {
            STEP:
                for (int step = 0; step < CONFIG::steps; ++step) {
#pragma HLS PIPELINE II=1
                    const int window = int(rows[row]) * CONFIG::col_classes + int(cols[col]);
                    const vec<typename CONFIG::x_t, CONFIG::pe> beat = x.read();
                    vec<typename CONFIG::y_t, CONFIG::pe> codes;
                CHANNEL:
                    for (int p = 0; p < CONFIG::pe; ++p) {
#pragma HLS UNROLL
                        typedef typename CONFIG::acc_t acc_t;
                        sums[p] = (step == 0 ? acc_t(0) : sums[p]) + acc_t(beat[p]);
                        if (step == CONFIG::steps - 1) {
                            codes[p] = average<CONFIG>(sums[p], divisions[window]);
                        }
                    }
                    if (step == CONFIG::steps - 1) y.write(codes);
                }
            }
        }
    }
}

// `steps` beats of `pe` channels give one beat of the largest codes; the padding is the least code.
template <class CONFIG>
void largest(stream<vec<typename CONFIG::x_t, CONFIG::pe>> &x,
             stream<vec<typename CONFIG::y_t, CONFIG::pe>> &y) {
    vec<typename CONFIG::y_t, CONFIG::pe> codes;
#pragma HLS ARRAY_PARTITION variable=codes.data complete
WINDOW:
    for (int window = 0; window < CONFIG::pixels * CONFIG::groups; ++window) {
    STEP:
        for (int step = 0; step < CONFIG::steps; ++step) {
#pragma HLS PIPELINE II=1
            const vec<typename CONFIG::x_t, CONFIG::pe> beat = x.read();
        CHANNEL:
            for (int p = 0; p < CONFIG::pe; ++p) {
#pragma HLS UNROLL
                if (step == 0 || beat[p] > codes[p]) codes[p] = beat[p];
            }
            if (step == CONFIG::steps - 1) y.write(codes);
        }
    }
}

} // namespace shift

#endif
