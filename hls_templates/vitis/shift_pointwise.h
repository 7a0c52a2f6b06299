// Layers that treat every element by itself, repeat it, or put it elsewhere; for beats and for
// whole arrays.
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

// Channels of a pixel in another order. While the beats of one pixel come, those of the one before
// go out. Every element of a beat is picked from a copy of its own: words[fold][element] is the
// number of the input beat that has it, places[fold][element] its place there.
template <class CONFIG, int COUNT, class WORD, class PLACE, int FOLDS>
void shuffle(stream<vec<typename CONFIG::x0_t, COUNT>> &x,
             stream<vec<typename CONFIG::y_t, COUNT>> &y, const WORD (&words)[FOLDS][COUNT],
             const PLACE (&places)[FOLDS][COUNT]) {
#pragma HLS ARRAY_RESHAPE variable=words complete dim=2
#pragma HLS ARRAY_RESHAPE variable=places complete dim=2
    static_assert(FOLDS * COUNT == CONFIG::channels, "a pixel is a number of whole beats");
    const int pixels = CONFIG::beats / FOLDS;
    vec<typename CONFIG::y_t, COUNT> kept[COUNT][2][FOLDS];
#pragma HLS AGGREGATE variable=kept
#pragma HLS ARRAY_PARTITION variable=kept complete dim=1
#pragma HLS BIND_STORAGE variable=kept type=ram_s2p impl=lutram
PIXEL:
    for (int pixel = 0; pixel <= pixels; ++pixel) {
    FOLD:
        for (int fold = 0; fold < FOLDS; ++fold) {
#pragma HLS PIPELINE II=1
            const int coming = pixel % 2;
            if (pixel < pixels) {
                const vec<typename CONFIG::y_t, COUNT> elements = x.read();
            COPY:
                for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
                    kept[i][coming][fold] = elements;
                }
            }
            if (pixel > 0) {
                vec<typename CONFIG::y_t, COUNT> codes;
            LANE:
                for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
                    codes[i] = kept[i][1 - coming][int(words[fold][i])][int(places[fold][i])];
                }
                y.write(codes);
            }
        }
    }
}

// The input channel of an output channel: a matrix of CONFIG::groups rows, transposed.
template <class CONFIG> int source_channel(int channel) {
#pragma HLS INLINE
    const int group_channels = CONFIG::channels / CONFIG::groups;
    return channel % CONFIG::groups * group_channels + channel / CONFIG::groups;
}

// The same with whole pixels as beats: wires.
template <class CONFIG, int CHANNELS>
void shuffle_pixels(stream<vec<typename CONFIG::x0_t, CHANNELS>> &x,
                    stream<vec<typename CONFIG::y_t, CHANNELS>> &y) {
    static_assert(CHANNELS == CONFIG::channels, "a beat is a whole pixel");
PIXEL:
    for (int pixel = 0; pixel < CONFIG::beats; ++pixel) {
#pragma HLS PIPELINE II=1
        const vec<typename CONFIG::x0_t, CHANNELS> elements = x.read();
        vec<typename CONFIG::y_t, CHANNELS> codes;
    LANE:
        for (int i = 0; i < CHANNELS; ++i) {
#pragma HLS UNROLL
            codes[i] = elements[source_channel<CONFIG>(i)];
        }
        y.write(codes);
    }
}

template <class CONFIG, int SIZE>
void shuffle_pixels(const typename CONFIG::x0_t (&x)[SIZE], typename CONFIG::y_t (&y)[SIZE]) {
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS UNROLL
        const int channel = i % CONFIG::channels;
        y[i] = x[i - channel + source_channel<CONFIG>(channel)];
    }
}

} // namespace shift

#endif
