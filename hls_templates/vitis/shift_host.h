// C simulation only: real values to codes and back, frames through the ports, values of layers.
#ifndef SHIFT_HOST_H_
#define SHIFT_HOST_H_

#ifndef __SYNTHESIS__

#include <cmath>
#include <cstddef>

#include "shift_types.h"

namespace shift {

// Real value -> code: clip(floor(v / 2**scale_exp + 1/2) + zero_point, lo, hi), as quantise_input
// of flow/graph/arithmetic.py. The half is compared, not added: v + 1/2 itself could round up.
template <class TENSOR> long long quantise(double value) {
    const double ratio = std::ldexp(value, -TENSOR::scale_exp);
    const double whole = std::floor(ratio);
    const double code = whole + (ratio - whole >= 0.5 ? 1 : 0) + TENSOR::zero_point;
    if (!(code > TENSOR::lo)) return TENSOR::lo;
    return code < TENSOR::hi ? static_cast<long long>(code) : TENSOR::hi;
}

// Code -> real value (code - zero_point) * 2**scale_exp.
inline double dequantise(long long code, int scale_exp, long long zero_point) {
    return std::ldexp(static_cast<double>(code - zero_point), scale_exp);
}

// Where each layer's codes of the current frame go; null where nobody asked for them.
inline long long **&taps() {
    static long long **places = nullptr;
    return places;
}

// Code of an element, whatever its type.
template <class T> long long code_of(const T &element) {
#ifdef SHIFT_AP_TYPES
    return element.to_int64();
#else
    return element;
#endif
}

// Copies what waits in a stream, `size` codes, to tap `index`.
template <class T, int COUNT> void tap(stream<vec<T, COUNT>> &beats, int index, int size) {
    if (beats.size() * COUNT != static_cast<std::size_t>(size)) {
        ++misfits();
        return;
    }
    if (taps() == nullptr || taps()[index] == nullptr) return;
    long long *place = taps()[index];
    for (int left = size; left > 0; left -= COUNT) {
        const vec<T, COUNT> beat = beats.read();
        for (int i = 0; i < COUNT; ++i) *place++ = code_of(beat[i]);
        beats.write(beat);
    }
}

// Copies a layer's array to tap `index`.
template <class T, int COUNT> void tap(const T (&elements)[COUNT], int index, int) {
    if (taps() == nullptr || taps()[index] == nullptr) return;
    for (int i = 0; i < COUNT; ++i) taps()[index][i] = code_of(elements[i]);
}

// One frame of codes into the input port of an io_stream network.
template <class TENSOR>
void send(const long long *codes, hls::stream<ap_uint<TENSOR::elems * TENSOR::bits>> &port) {
    for (int beat = 0; beat < TENSOR::beats; ++beat) {
        ap_uint<TENSOR::elems * TENSOR::bits> word = 0;
        for (int i = 0; i < TENSOR::elems; ++i) {
            word.range((i + 1) * TENSOR::bits - 1, i * TENSOR::bits) =
                ap_uint<TENSOR::bits>(codes[beat * TENSOR::elems + i]);
        }
        port.write(word);
    }
}

// One frame of codes out of the output port.
template <class TENSOR>
void receive(hls::stream<ap_uint<TENSOR::elems * TENSOR::bits>> &port, long long *codes) {
    for (int beat = 0; beat < TENSOR::beats; ++beat) {
        const ap_uint<TENSOR::elems * TENSOR::bits> word = port.read();
        for (int i = 0; i < TENSOR::elems; ++i) {
            const ap_uint<TENSOR::bits> bits =
                word.range((i + 1) * TENSOR::bits - 1, i * TENSOR::bits);
            codes[beat * TENSOR::elems + i] = TENSOR::is_signed
                                                  ? ap_int<TENSOR::bits>(bits).to_int64()
                                                  : bits.to_int64();
        }
    }
}

} // namespace shift

#endif

#endif
