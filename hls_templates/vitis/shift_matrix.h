// Dense, convolution and depthwise layers: multiply-accumulate, then requantisation.
//
// CONFIG: x_t, weight_t, product_t, acc_t, const_t, mult_t, sum_t, out_t, y_t; pixels, groups
// (output channels / pe), steps, pe, simd, repeat, lanes, products_in_lut, and requantise()'s
// constants.
#ifndef SHIFT_MATRIX_H_
#define SHIFT_MATRIX_H_

#include "shift_arith.h"
#include "shift_types.h"

namespace shift {

// Adds one beat of products to the sums, or starts anew with them: pe outputs of simd products
// each. WEIGHTS is a row of the weight table, [pe][simd].
template <class CONFIG, class X, class WEIGHTS, class SUMS>
void accumulate(bool first, const X &x, const WEIGHTS &weights, SUMS &sums) {
#pragma HLS INLINE
    typedef typename CONFIG::acc_t acc_t;
OUTPUT:
    for (int p = 0; p < CONFIG::pe; ++p) {
#pragma HLS UNROLL
        acc_t sum = first ? acc_t(0) : sums[p];
    PRODUCT:
        for (int s = 0; s < CONFIG::simd; ++s) {
#pragma HLS UNROLL
            sum += multiplier<CONFIG::products_in_lut>::template multiply<
                typename CONFIG::product_t>(x[CONFIG::depthwise ? p : s],
                                            typename CONFIG::weight_t(weights[p][s]));
        }
        sums[p] = sum;
    }
}

// Requantises one channel with its entries of the tables.
template <class CONFIG, class CONSTANT, class DELTA, class MULT, class TIE>
typename CONFIG::y_t requantise_channel(typename CONFIG::acc_t acc, const CONSTANT &constant,
                                        const DELTA &delta, const MULT &mult, const TIE &tie) {
#pragma HLS INLINE
    return requantise<CONFIG>(acc, typename CONFIG::const_t(constant),
                              CONFIG::per_channel_shift ? int(delta) : 0,
                              typename CONFIG::mult_t(CONFIG::scaled ? mult : MULT(1)),
                              CONFIG::half_even && tie != 0);
}

// `steps` beats of x and of weights give one beat of `pe` accumulators. With `repeat` > 1, a beat
// of x is a whole window, read once and kept for so many groups of outputs: all that read the same
// channels.
template <class CONFIG, class WEIGHT, int BEATS, int PE, int SIMD>
void mac(stream<vec<typename CONFIG::x_t, CONFIG::x_elems>> &x,
         stream<vec<typename CONFIG::acc_t, CONFIG::pe>> &acc,
         const WEIGHT (&weights)[BEATS][PE][SIMD]) {
#pragma HLS ARRAY_RESHAPE variable=weights complete dim=2
#pragma HLS ARRAY_RESHAPE variable=weights complete dim=3
    static_assert(BEATS == CONFIG::groups * CONFIG::steps, "one row of weights per beat");
    static_assert(PE == CONFIG::pe && SIMD == CONFIG::simd, "the table is laid out for this fold");
    static_assert(CONFIG::repeat == 1 || CONFIG::steps == 1, "only a whole window can be kept");
    static_assert(CONFIG::groups % CONFIG::repeat == 0, "a window is kept for whole groups");
    vec<typename CONFIG::x_t, CONFIG::x_elems> beat;
    vec<typename CONFIG::acc_t, CONFIG::pe> sums;
#pragma HLS ARRAY_PARTITION variable=beat.data complete
#pragma HLS ARRAY_PARTITION variable=sums.data complete
PIXEL:
    for (int pixel = 0; pixel < CONFIG::pixels; ++pixel) {
    GROUP:
        for (int group = 0; group < CONFIG::groups; ++group) {
        STEP:
            for (int step = 0; step < CONFIG::steps; ++step) {
#pragma HLS PIPELINE II=1
                if (group % CONFIG::repeat == 0) beat = x.read();
                accumulate<CONFIG>(step == 0, beat, weights[group * CONFIG::steps + step], sums);
                if (step == CONFIG::steps - 1) acc.write(sums);
            }
        }
    }
}

// Requantises `pe` accumulators in pe / lanes beats. The tables hold each channel's constant, its
// own part of the shift, its factor, and whether half-even rounding can meet a tie; what CONFIG has
// no use for is never read.
template <class CONFIG, class CONSTANT, class DELTA, class MULT, class TIE, int BEATS, int LANES>
void requant(stream<vec<typename CONFIG::acc_t, CONFIG::pe>> &acc,
             stream<vec<typename CONFIG::y_t, CONFIG::lanes>> &y,
             const CONSTANT (&constants)[BEATS][LANES], const DELTA (&deltas)[BEATS][LANES],
             const MULT (&mults)[BEATS][LANES], const TIE (&ties)[BEATS][LANES]) {
#pragma HLS ARRAY_RESHAPE variable=constants complete dim=2
#pragma HLS ARRAY_RESHAPE variable=deltas complete dim=2
#pragma HLS ARRAY_RESHAPE variable=mults complete dim=2
#pragma HLS ARRAY_RESHAPE variable=ties complete dim=2
    const int parts = CONFIG::pe / CONFIG::lanes;
    static_assert(CONFIG::pe % CONFIG::lanes == 0, "a beat of sums holds whole output beats");
    static_assert(BEATS == CONFIG::groups * parts, "one row of constants per beat");
    static_assert(LANES == CONFIG::lanes, "the table is laid out for these lanes");
    vec<typename CONFIG::acc_t, CONFIG::pe> sums;
#pragma HLS ARRAY_PARTITION variable=sums.data complete
PIXEL:
    for (int pixel = 0; pixel < CONFIG::pixels; ++pixel) {
    BEAT:
        for (int beat = 0; beat < BEATS; ++beat) {
#pragma HLS PIPELINE II=1
            const int part = beat % parts;
            if (part == 0) sums = acc.read();
            vec<typename CONFIG::y_t, CONFIG::lanes> codes;
        LANE:
            for (int lane = 0; lane < CONFIG::lanes; ++lane) {
#pragma HLS UNROLL
                codes[lane] = requantise_channel<CONFIG>(
                    sums[part * CONFIG::lanes + lane], constants[beat][lane], deltas[beat][lane],
                    mults[beat][lane], ties[beat][lane]);
            }
            y.write(codes);
        }
    }
}

} // namespace shift

#endif
