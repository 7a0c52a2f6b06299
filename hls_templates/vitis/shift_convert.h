// Streams of beats of other widths: ports of the network, and what lies between two units.
#ifndef SHIFT_CONVERT_H_
#define SHIFT_CONVERT_H_

#include "shift_types.h"

namespace shift {

// Words of the input port -> beats; a word holds its elements side by side, element 0 at the LSB.
template <class T, bool SIGNED, int COUNT, int BITS, int BEATS>
void unpack(hls::stream<ap_uint<COUNT * BITS>> &in, stream<vec<T, COUNT>> &out) {
WORD:
    for (int beat = 0; beat < BEATS; ++beat) {
#pragma HLS PIPELINE II=1
        const ap_uint<COUNT * BITS> word = in.read();
        vec<T, COUNT> elements;
    ELEMENT:
        for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
            const ap_uint<BITS> bits = word.range((i + 1) * BITS - 1, i * BITS);
            elements[i] = SIGNED ? T(ap_int<BITS>(bits)) : T(bits);
        }
        out.write(elements);
    }
}

// Beats -> words of the output port.
template <class T, int COUNT, int BITS, int BEATS>
void pack(stream<vec<T, COUNT>> &in, hls::stream<ap_uint<COUNT * BITS>> &out) {
BEAT:
    for (int beat = 0; beat < BEATS; ++beat) {
#pragma HLS PIPELINE II=1
        const vec<T, COUNT> elements = in.read();
        ap_uint<COUNT * BITS> word = 0;
    ELEMENT:
        for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
            word.range((i + 1) * BITS - 1, i * BITS) = ap_uint<BITS>(elements[i]);
        }
        out.write(word);
    }
}

// Joins TO / FROM beats into one; BEATS is the number of beats written per frame.
template <class T, int FROM, int TO, int BEATS>
void widen(stream<vec<T, FROM>> &in, stream<vec<T, TO>> &out) {
    static_assert(TO % FROM == 0, "a wide beat holds whole narrow beats");
WIDE:
    for (int beat = 0; beat < BEATS; ++beat) {
        vec<T, TO> wide;
#pragma HLS ARRAY_PARTITION variable=wide.data complete
    PART:
        for (int part = 0; part < TO / FROM; ++part) {
#pragma HLS PIPELINE II=1
            const vec<T, FROM> narrow = in.read();
        ELEMENT:
            for (int i = 0; i < FROM; ++i) {
#pragma HLS UNROLL
                wide[part * FROM + i] = narrow[i];
            }
            if (part == TO / FROM - 1) out.write(wide);
        }
    }
}

// Splits a beat into FROM / TO beats; BEATS is the number of beats read per frame.
template <class T, int FROM, int TO, int BEATS>
void narrow(stream<vec<T, FROM>> &in, stream<vec<T, TO>> &out) {
    static_assert(FROM % TO == 0, "a wide beat holds whole narrow beats");
WIDE:
    for (int beat = 0; beat < BEATS; ++beat) {
        vec<T, FROM> wide;
#pragma HLS ARRAY_PARTITION variable=wide.data complete
    PART:
        for (int part = 0; part < FROM / TO; ++part) {
#pragma HLS PIPELINE II=1
            if (part == 0) wide = in.read();
            vec<T, TO> slice;
        ELEMENT:
            for (int i = 0; i < TO; ++i) {
#pragma HLS UNROLL
                slice[i] = wide[part * TO + i];
            }
            out.write(slice);
        }
    }
}

} // namespace shift

#endif
