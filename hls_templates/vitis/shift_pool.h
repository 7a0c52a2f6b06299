// Average pooling: sums of whole windows, then one exact division by a constant.
//
// CONFIG: x_t, acc_t, numerator_t, reciprocal_t, product_t, out_t, y_t; pixels, groups
// (channels / pe), steps (taps), pe, and average()'s constants.
#ifndef SHIFT_POOL_H_
#define SHIFT_POOL_H_

#include "shift_arith.h"
#include "shift_types.h"

namespace shift {

// `steps` beats of `pe` channels give one beat of averages.
template <class CONFIG>
void pool(stream<vec<typename CONFIG::x_t, CONFIG::pe>> &x,
          stream<vec<typename CONFIG::y_t, CONFIG::pe>> &y) {
    vec<typename CONFIG::acc_t, CONFIG::pe> sums;
#pragma HLS ARRAY_PARTITION variable=sums.data complete
WINDOW:
    for (int window = 0; window < CONFIG::pixels * CONFIG::groups; ++window) {
    STEP:
        for (int step = 0; step < CONFIG::steps; ++step) {
#pragma HLS PIPELINE II=1
            const vec<typename CONFIG::x_t, CONFIG::pe> beat = x.read();
            vec<typename CONFIG::y_t, CONFIG::pe> codes;
        CHANNEL:
            for (int p = 0; p < CONFIG::pe; ++p) {
#pragma HLS UNROLL
                typedef typename CONFIG::acc_t acc_t;
                sums[p] = (step == 0 ? acc_t(0) : sums[p]) + acc_t(beat[p]);
                if (step == CONFIG::steps - 1) codes[p] = average<CONFIG>(sums[p]);
            }
            if (step == CONFIG::steps - 1) y.write(codes);
        }
    }
}

} // namespace shift

#endif
