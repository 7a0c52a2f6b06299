// Layers that treat every element by itself, or repeat it; for beats and for whole arrays.
#ifndef SHIFT_POINTWISE_H_
#define SHIFT_POINTWISE_H_

#include "shift_arith.h"
#include "shift_types.h"

namespace shift {

// Requantises codes, sums or products with the constants of CONFIG, which are the same for all
// channels. CONFIG: acc_t and the types and constants of requantise(); BEATS of COUNT elements.
template <class CONFIG, int BEATS, class X, int COUNT>
void rescale(stream<vec<X, COUNT>> &x, stream<vec<typename CONFIG::y_t, COUNT>> &y) {
BEAT:
    for (int beat = 0; beat < BEATS; ++beat) {
#pragma HLS PIPELINE II=1
        const vec<X, COUNT> elements = x.read();
        vec<typename CONFIG::y_t, COUNT> codes;
    LANE:
        for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
            codes[i] = requantise<CONFIG>(typename CONFIG::acc_t(elements[i]));
        }
        y.write(codes);
    }
}

template <class CONFIG, int BEATS, class X, int SIZE>
void rescale(const X (&x)[SIZE], typename CONFIG::y_t (&y)[SIZE]) {
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS UNROLL
        y[i] = requantise<CONFIG>(typename CONFIG::acc_t(x[i]));
    }
}

// y = table[x - CONFIG::x_lo]. A beat reads COUNT entries at once: so many ports, or copies.
template <class CONFIG, int COUNT, class ENTRY, int ENTRIES>
void look_up(stream<vec<typename CONFIG::x0_t, COUNT>> &x,
             stream<vec<typename CONFIG::y_t, COUNT>> &y, const ENTRY (&table)[ENTRIES]) {
BEAT:
    for (int beat = 0; beat < CONFIG::beats; ++beat) {
#pragma HLS PIPELINE II=1
        const vec<typename CONFIG::x0_t, COUNT> elements = x.read();
        vec<typename CONFIG::y_t, COUNT> codes;
    LANE:
        for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
            codes[i] = typename CONFIG::y_t(table[int(elements[i]) - CONFIG::x_lo]);
        }
        y.write(codes);
    }
}

template <class CONFIG, int SIZE, class ENTRY, int ENTRIES>
void look_up(const typename CONFIG::x0_t (&x)[SIZE], typename CONFIG::y_t (&y)[SIZE],
             const ENTRY (&table)[ENTRIES]) {
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS PIPELINE II=1
        y[i] = typename CONFIG::y_t(table[int(x[i]) - CONFIG::x_lo]);
    }
}

// Every pixel CONFIG::rows x CONFIG::cols times. A row is kept from its first copy on.
template <class CONFIG, int FOLDS, int COUNT>
void repeat(stream<vec<typename CONFIG::y_t, COUNT>> &x,
            stream<vec<typename CONFIG::y_t, COUNT>> &y) {
    vec<typename CONFIG::y_t, COUNT> kept[CONFIG::in_cols][FOLDS];
#pragma HLS AGGREGATE variable=kept
ROW:
    for (int row = 0; row < CONFIG::in_rows * CONFIG::rows; ++row) {
    COLUMN:
        for (int col = 0; col < CONFIG::in_cols; ++col) {
        COPY:
            for (int copy = 0; copy < CONFIG::cols; ++copy) {
            FOLD:
                for (int fold = 0; fold < FOLDS; ++fold) {
#pragma HLS PIPELINE II=1
                    const bool is_new = row % CONFIG::rows == 0 && copy == 0;
                    const vec<typename CONFIG::y_t, COUNT> elements =
                        is_new ? x.read() : kept[col][fold];
                    if (is_new) kept[col][fold] = elements;
                    y.write(elements);
                }
            }
        }
    }
}

template <class CONFIG, int CHANNELS, int INPUTS, int OUTPUTS>
void repeat(const typename CONFIG::y_t (&x)[INPUTS], typename CONFIG::y_t (&y)[OUTPUTS]) {
    const int width = CONFIG::in_cols * CONFIG::cols;
ELEMENT:
    for (int i = 0; i < OUTPUTS; ++i) {
#pragma HLS UNROLL
        const int channel = i % CHANNELS, pixel = i / CHANNELS;
        const int row = pixel / width / CONFIG::rows, col = pixel % width / CONFIG::cols;
        y[i] = x[(row * CONFIG::in_cols + col) * CHANNELS + channel];
    }
}

} // namespace shift

#endif
