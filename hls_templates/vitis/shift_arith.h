// Twin of flow/graph/arithmetic and of hls_templates/xls/arith.x: the only place in C++ where
// sums, rounding and scaling are defined. Everything is exact; the widths in the configurations
// are such that no value leaves them. A power-of-two scale needs no multiplier.
#ifndef SHIFT_ARITH_H_
#define SHIFT_ARITH_H_

#include "shift_types.h"

namespace shift {

// Exact product; PRODUCT holds every product of the two types.
template <class PRODUCT, class X, class W> PRODUCT product_of(X x, W w) {
#pragma HLS INLINE
#ifdef SHIFT_AP_TYPES
    return x * w;
#else
    return PRODUCT(x) * PRODUCT(w);
#endif
}

// The same product, in LUTs or in a DSP block: the planner decides.
template <bool IN_LUT> struct multiplier {
    template <class PRODUCT, class X, class W> static PRODUCT multiply(X x, W w) {
#pragma HLS INLINE
        const PRODUCT product = product_of<PRODUCT>(x, w);
#pragma HLS BIND_OP variable=product op=mul impl=dsp
        return product;
    }
};

template <> struct multiplier<true> {
    template <class PRODUCT, class X, class W> static PRODUCT multiply(X x, W w) {
#pragma HLS INLINE
        const PRODUCT product = product_of<PRODUCT>(x, w);
#pragma HLS BIND_OP variable=product op=mul impl=fabric
        return product;
    }
};

// floor(value / 2**by), also where `by` exceeds the width.
template <class T> T shift_right(T value, int by) {
#pragma HLS INLINE
#ifdef SHIFT_AP_TYPES
    return value >> by;
#else
    return static_cast<long long>(value) >> by;
#endif
}

// Limits `value` to lo..hi.
template <class T> T clip(T value, T lo, T hi) {
#pragma HLS INLINE
    return value > hi ? hi : value < lo ? lo : value;
}

// Whether the low `count` bits are all zero, also where `count` exceeds the width.
template <class T> bool low_bits_are_zero(T value, int count) {
#pragma HLS INLINE
#ifdef SHIFT_AP_TYPES
    return (value & ((T(1) << count) - T(1))) == 0;
#else
    return (static_cast<long long>(value) & ((1LL << count) - 1)) == 0;
#endif
}

// Accumulator -> code:
// clip((((acc * mult) << pre_shift) + constant >> (shift_min + delta)) + zero_point, lo, hi).
//
// Bias, rounding half up and the input zero point are inside `constant`, from which the sum
// starts; only a scale that is no power of two (`scaled`) needs the multiplication. With
// `half_even`, a channel with `tie` clears the last bit of the shifted sum where the dropped bits
// are zero. sum_t holds ((acc * mult) << pre_shift) + constant; out_t holds that shifted by
// shift_min, zero_point, lo, hi and the sum of the first two. The bits that shift_min drops never
// reach the variable shifter.
template <class CONFIG>
typename CONFIG::y_t requantise(typename CONFIG::acc_t acc, typename CONFIG::const_t constant,
                                int delta, typename CONFIG::mult_t mult, bool tie) {
#pragma HLS INLINE
    typedef typename CONFIG::sum_t sum_t;
    typedef typename CONFIG::out_t out_t;
    const sum_t product = CONFIG::scaled ? product_of<sum_t>(acc, mult) : sum_t(acc);
    const sum_t sum = sum_t(constant) + (product << CONFIG::pre_shift);
    out_t scaled = shift_right<out_t>(out_t(shift_right<sum_t>(sum, CONFIG::shift_min)), delta);
    if (CONFIG::half_even && tie && low_bits_are_zero<sum_t>(sum, CONFIG::shift_min + delta)) {
        scaled = scaled & out_t(-2);
    }
    const out_t moved = scaled + out_t(CONFIG::zero_point);
    return typename CONFIG::y_t(clip<out_t>(moved, out_t(CONFIG::lo), out_t(CONFIG::hi)));
}

// The same with one constant for all channels.
template <class CONFIG> typename CONFIG::y_t requantise(typename CONFIG::acc_t acc) {
#pragma HLS INLINE
    return requantise<CONFIG>(acc, typename CONFIG::const_t(CONFIG::constant), 0,
                              typename CONFIG::mult_t(1), CONFIG::tie);
}

// Sum over the elements of a window -> average:
// clip((((sum << pre_shift) + constant) * reciprocal >> shift) + offset, lo, hi).
//
// DIVISION is {constant, reciprocal, shift, offset}: they depend on the number of elements. The
// value that is divided is not negative and fits numerator_t, so its terms may wrap. `fold_pool` of
// flow/graph/arithmetic proves reciprocal and shift exact. With `half_even` the quotient loses its
// last bit where the division leaves no remainder: when the bits that the shift drops are below the
// reciprocal (docs/arithmetic.md, section 'Average pooling').
template <class CONFIG, class DIVISION>
typename CONFIG::y_t average(typename CONFIG::acc_t sum, const DIVISION &division) {
#pragma HLS INLINE
    typedef typename CONFIG::numerator_t numerator_t;
    typedef typename CONFIG::reciprocal_t reciprocal_t;
    typedef typename CONFIG::product_t product_t;
    typedef typename CONFIG::out_t out_t;
    const numerator_t numerator =
        (numerator_t(sum) << CONFIG::pre_shift) + numerator_t(division[0]);
    const reciprocal_t reciprocal = reciprocal_t(division[1]);
    const int shift = int(division[2]);
    const product_t product = product_of<product_t>(numerator, reciprocal);
    out_t quotient = out_t(product >> shift);
    const product_t dropped = product - ((product >> shift) << shift);
    if (CONFIG::half_even && dropped < product_t(reciprocal)) quotient = quotient & out_t(-2);
    const out_t moved = quotient + out_t(division[3]);
    return typename CONFIG::y_t(clip<out_t>(moved, out_t(CONFIG::lo), out_t(CONFIG::hi)));
}

// Product of two codes less their zero points; CONFIG: x0_t, x1_t, centred0_t, centred1_t, acc_t,
// zero_point0, zero_point1.
template <class CONFIG>
typename CONFIG::acc_t centred_product(typename CONFIG::x0_t first, typename CONFIG::x1_t second) {
#pragma HLS INLINE
    typedef typename CONFIG::centred0_t centred0_t;
    typedef typename CONFIG::centred1_t centred1_t;
    return multiplier<CONFIG::products_in_lut>::template multiply<typename CONFIG::acc_t>(
        centred0_t(centred0_t(first) - centred0_t(CONFIG::zero_point0)),
        centred1_t(centred1_t(second) - centred1_t(CONFIG::zero_point1)));
}

} // namespace shift

#endif
