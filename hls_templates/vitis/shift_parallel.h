// io_parallel: layers that read and write whole arrays, [row][column][channel] in one dimension.
//
// All elements of a window are gathered at once; then pe * simd products are made per clock cycle,
// fan-in * outputs / (pe * simd) cycles per pixel: hls4ml's reuse factor. Arrays are registers, so
// this is for small networks; io_stream is for all others.
#ifndef SHIFT_PARALLEL_H_
#define SHIFT_PARALLEL_H_

#include "shift_arith.h"
#include "shift_matrix.h"
#include "shift_types.h"

namespace shift {

// Elements of the port -> elements of the first layer.
template <class T, class PORT, int COUNT>
void unpack_parallel(const PORT *in, T (&out)[COUNT]) {
ELEMENT:
    for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
        out[i] = T(in[i]);
    }
}

template <class PORT, class T, int COUNT>
void pack_parallel(const T (&in)[COUNT], PORT *out) {
ELEMENT:
    for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
        out[i] = PORT(in[i]);
    }
}

// The window of output pixel (oy, ox), in order [group of channels][ky][kx][channel of the group];
// padding reads pad_value.
template <class WINDOW, class T, int INPUTS, int TAPS>
void gather(const T (&x)[INPUTS], int oy, int ox, T (&taps)[TAPS]) {
#pragma HLS INLINE
    const int top = oy * WINDOW::stride_rows - WINDOW::pad_top;
    const int left = ox * WINDOW::stride_cols - WINDOW::pad_left;
KERNEL_ROW:
    for (int ky = 0; ky < WINDOW::kernel_rows; ++ky) {
#pragma HLS UNROLL
    KERNEL_COLUMN:
        for (int kx = 0; kx < WINDOW::kernel_cols; ++kx) {
#pragma HLS UNROLL
            const int row = top + ky, col = left + kx;
            const bool padding =
                row < 0 || row >= WINDOW::in_rows || col < 0 || col >= WINDOW::in_cols;
        CHANNEL:
            for (int c = 0; c < WINDOW::channels; ++c) {
#pragma HLS UNROLL
                const int group = c / WINDOW::group_channels, within = c % WINDOW::group_channels;
                const int tap = (group * WINDOW::kernel_rows + ky) * WINDOW::kernel_cols + kx;
                taps[tap * WINDOW::group_channels + within] =
                    padding ? T(WINDOW::pad_value)
                            : x[(row * WINDOW::in_cols + col) * WINDOW::channels + c];
            }
        }
    }
}

// Dense, convolution or depthwise layer. A window of a group of channels serves `window_groups`
// groups of outputs.
template <class CONFIG, class WINDOW, class WEIGHT, class CONSTANT, class DELTA, class MULT,
          class TIE, int INPUTS, int OUTPUTS, int BEATS, int PE, int SIMD, int GROUPS>
void matrix_parallel(const typename CONFIG::x_t (&x)[INPUTS], typename CONFIG::y_t (&y)[OUTPUTS],
                     const WEIGHT (&weights)[BEATS][PE][SIMD],
                     const CONSTANT (&constants)[GROUPS][PE], const DELTA (&deltas)[GROUPS][PE],
                     const MULT (&mults)[GROUPS][PE], const TIE (&ties)[GROUPS][PE]) {
#pragma HLS ARRAY_RESHAPE variable=weights complete dim=2
#pragma HLS ARRAY_RESHAPE variable=weights complete dim=3
#pragma HLS ARRAY_RESHAPE variable=constants complete dim=2
#pragma HLS ARRAY_RESHAPE variable=deltas complete dim=2
#pragma HLS ARRAY_RESHAPE variable=mults complete dim=2
#pragma HLS ARRAY_RESHAPE variable=ties complete dim=2
    static_assert(BEATS == CONFIG::groups * CONFIG::steps, "one row of weights per beat");
    static_assert(PE == CONFIG::pe && SIMD == CONFIG::simd, "the table is laid out for this fold");
    const int window_size = WINDOW::kernel_rows * WINDOW::kernel_cols * WINDOW::group_channels;
    typename CONFIG::x_t taps[WINDOW::kernel_rows * WINDOW::kernel_cols * WINDOW::channels];
    typename CONFIG::acc_t sums[PE];
#pragma HLS ARRAY_PARTITION variable=taps complete
#pragma HLS ARRAY_PARTITION variable=sums complete
PIXEL:
    for (int pixel = 0; pixel < CONFIG::pixels; ++pixel) {
        gather<WINDOW>(x, pixel / WINDOW::out_cols, pixel % WINDOW::out_cols, taps);
    GROUP:
        for (int group = 0; group < GROUPS; ++group) {
        STEP:
            for (int step = 0; step < CONFIG::steps; ++step) {
#pragma HLS PIPELINE II=1
                const int start = group / WINDOW::window_groups * window_size +
                                  step * CONFIG::x_elems;
                accumulate<CONFIG>(step == 0, &taps[start], weights[group * CONFIG::steps + step],
                                   sums);
                if (step == CONFIG::steps - 1) {
                LANE:
                    for (int p = 0; p < PE; ++p) {
#pragma HLS UNROLL
                        y[(pixel * GROUPS + group) * PE + p] = requantise_channel<CONFIG>(
                            sums[p], constants[group][p], deltas[group][p], mults[group][p],
                            ties[group][p]);
                    }
                }
            }
        }
    }
}

// Average pooling; the tables are those of `pool`.
template <class CONFIG, class WINDOW, class DIVISION, class ROW_CLASS, class COL_CLASS,
          int CLASSES, int INPUTS, int OUTPUTS, int ROWS, int COLS>
void pool_parallel(const typename CONFIG::x_t (&x)[INPUTS], typename CONFIG::y_t (&y)[OUTPUTS],
                   const DIVISION (&divisions)[CLASSES][4], const ROW_CLASS (&rows)[ROWS],
                   const COL_CLASS (&cols)[COLS]) {
#pragma HLS ARRAY_PARTITION variable=divisions complete dim=2
    typedef typename CONFIG::acc_t acc_t;
    typename CONFIG::x_t taps[CONFIG::steps * WINDOW::channels];
#pragma HLS ARRAY_PARTITION variable=taps complete
PIXEL:
    for (int pixel = 0; pixel < ROWS * COLS; ++pixel) {
        gather<WINDOW>(x, pixel / COLS, pixel % COLS, taps);
        const int window =
            int(rows[pixel / COLS]) * CONFIG::col_classes + int(cols[pixel % COLS]);
    GROUP:
        for (int group = 0; group < CONFIG::groups; ++group) {
#pragma HLS PIPELINE II=1
        CHANNEL:
            for (int p = 0; p < CONFIG::pe; ++p) {
#pragma HLS UNROLL
                acc_t sum = 0;
            STEP:
                for (int step = 0; step < CONFIG::steps; ++step) {
#pragma HLS UNROLL
                    sum += acc_t(taps[(group * CONFIG::steps + step) * CONFIG::pe + p]);
                }
                y[(pixel * CONFIG::groups + group) * CONFIG::pe + p] =
                    average<CONFIG>(sum, divisions[window]);
            }
        }
    }
}

// Max pooling.
template <class CONFIG, class WINDOW, int INPUTS, int OUTPUTS>
void largest_parallel(const typename CONFIG::x_t (&x)[INPUTS],
                      typename CONFIG::y_t (&y)[OUTPUTS]) {
    typename CONFIG::x_t taps[CONFIG::steps * WINDOW::channels];
#pragma HLS ARRAY_PARTITION variable=taps complete
PIXEL:
    for (int pixel = 0; pixel < CONFIG::pixels; ++pixel) {
        gather<WINDOW>(x, pixel / WINDOW::out_cols, pixel % WINDOW::out_cols, taps);
    GROUP:
        for (int group = 0; group < CONFIG::groups; ++group) {
#pragma HLS PIPELINE II=1
        CHANNEL:
            for (int p = 0; p < CONFIG::pe; ++p) {
#pragma HLS UNROLL
                typename CONFIG::y_t found = taps[group * CONFIG::steps * CONFIG::pe + p];
            STEP:
                for (int step = 1; step < CONFIG::steps; ++step) {
#pragma HLS UNROLL
                    const typename CONFIG::x_t next =
                        taps[(group * CONFIG::steps + step) * CONFIG::pe + p];
                    if (next > found) found = next;
                }
                y[(pixel * CONFIG::groups + group) * CONFIG::pe + p] = found;
            }
        }
    }
}

} // namespace shift

#endif
