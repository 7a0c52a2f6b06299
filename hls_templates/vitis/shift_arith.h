// Twin of flow/graph/arithmetic.py and of hls_templates/xls/arith.x: the only place in C++ where
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

// Accumulator -> code:
// clip((((acc << pre_shift) + constant) >> (shift_min + delta)) + zero_point, lo, hi).
//
// Bias, rounding half up and the input zero point are inside `constant`, from which the sum
// starts. sum_t holds (acc << pre_shift) + constant; out_t holds that shifted by shift_min,
// zero_point, lo, hi and the sum of the first two. The bits that shift_min drops never reach the
// variable shifter.
template <class CONFIG>
typename CONFIG::y_t requantise(typename CONFIG::acc_t acc, typename CONFIG::const_t constant,
                                int delta) {
#pragma HLS INLINE
    typedef typename CONFIG::sum_t sum_t;
    typedef typename CONFIG::out_t out_t;
    const sum_t sum = sum_t(constant) + (sum_t(acc) << CONFIG::pre_shift);
    const out_t scaled = shift_right<out_t>(out_t(shift_right<sum_t>(sum, CONFIG::shift_min)), delta);
    const out_t moved = scaled + out_t(CONFIG::zero_point);
    return typename CONFIG::y_t(clip<out_t>(moved, out_t(CONFIG::lo), out_t(CONFIG::hi)));
}

// Sum -> average: clip((((sum << pre_shift) + constant) * reciprocal >> shift) + offset, lo, hi).
//
// The value that is divided is not negative and fits numerator_t, so its terms may wrap.
// divide_constant in arithmetic.py proves reciprocal and shift exact.
template <class CONFIG> typename CONFIG::y_t average(typename CONFIG::acc_t sum) {
#pragma HLS INLINE
    typedef typename CONFIG::numerator_t numerator_t;
    typedef typename CONFIG::product_t product_t;
    typedef typename CONFIG::out_t out_t;
    const numerator_t numerator =
        (numerator_t(sum) << CONFIG::pre_shift) + numerator_t(CONFIG::constant);
    const product_t product =
        product_of<product_t>(numerator, typename CONFIG::reciprocal_t(CONFIG::reciprocal));
    const out_t moved = out_t(product >> CONFIG::shift) + out_t(CONFIG::offset);
    return typename CONFIG::y_t(clip<out_t>(moved, out_t(CONFIG::lo), out_t(CONFIG::hi)));
}

} // namespace shift

#endif
