// Streams and arrays of several layers: copies of one, sums, products and concatenations of two.
//
// Every operation comes for beats (io_stream) and for whole arrays (io_parallel). Sums and products
// are exact; `rescale` of shift_pointwise.h requantises them.
#ifndef SHIFT_MERGE_H_
#define SHIFT_MERGE_H_

#include "shift_arith.h"
#include "shift_types.h"

namespace shift {

// The same BEATS beats to two readers. Neither gets a beat before there is room for the other's.
template <int BEATS, class T, int COUNT>
void duplicate(stream<vec<T, COUNT>> &in, stream<vec<T, COUNT>> &first,
               stream<vec<T, COUNT>> &second) {
BEAT:
    for (int beat = 0; beat < BEATS; ++beat) {
#pragma HLS PIPELINE II=1
        const vec<T, COUNT> elements = in.read();
        first.write(elements);
        second.write(elements);
    }
}

template <class T, int SIZE>
void duplicate(const T (&in)[SIZE], T (&first)[SIZE], T (&second)[SIZE]) {
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS UNROLL
        first[i] = in[i];
        second[i] = in[i];
    }
}

// (a << A_SHIFT) + (b << B_SHIFT): codes of two tensors on the finer grid of the two, or of all.
template <class CONFIG, int A_SHIFT, int B_SHIFT, class A, class B>
typename CONFIG::acc_t sum_of(A a, B b) {
#pragma HLS INLINE
    typedef typename CONFIG::acc_t acc_t;
    return (acc_t(a) << A_SHIFT) + (acc_t(b) << B_SHIFT);
}

template <class CONFIG, int A_SHIFT, int B_SHIFT, class A, class B, int COUNT>
void plus(stream<vec<A, COUNT>> &a, stream<vec<B, COUNT>> &b,
          stream<vec<typename CONFIG::acc_t, COUNT>> &acc) {
BEAT:
    for (int beat = 0; beat < CONFIG::beats; ++beat) {
#pragma HLS PIPELINE II=1
        const vec<A, COUNT> left = a.read();
        const vec<B, COUNT> right = b.read();
        vec<typename CONFIG::acc_t, COUNT> sums;
    LANE:
        for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
            sums[i] = sum_of<CONFIG, A_SHIFT, B_SHIFT>(left[i], right[i]);
        }
        acc.write(sums);
    }
}

template <class CONFIG, int A_SHIFT, int B_SHIFT, class A, class B, int SIZE>
void plus(const A (&a)[SIZE], const B (&b)[SIZE], typename CONFIG::acc_t (&acc)[SIZE]) {
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS UNROLL
        acc[i] = sum_of<CONFIG, A_SHIFT, B_SHIFT>(a[i], b[i]);
    }
}

// Products of two tensors of one shape.
template <class CONFIG, int COUNT>
void times(stream<vec<typename CONFIG::x0_t, COUNT>> &a,
           stream<vec<typename CONFIG::x1_t, COUNT>> &b,
           stream<vec<typename CONFIG::acc_t, COUNT>> &acc) {
BEAT:
    for (int beat = 0; beat < CONFIG::beats; ++beat) {
#pragma HLS PIPELINE II=1
        const vec<typename CONFIG::x0_t, COUNT> left = a.read();
        const vec<typename CONFIG::x1_t, COUNT> right = b.read();
        vec<typename CONFIG::acc_t, COUNT> products;
    LANE:
        for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
            products[i] = centred_product<CONFIG>(left[i], right[i]);
        }
        acc.write(products);
    }
}

template <class CONFIG, int SIZE>
void times(const typename CONFIG::x0_t (&a)[SIZE], const typename CONFIG::x1_t (&b)[SIZE],
           typename CONFIG::acc_t (&acc)[SIZE]) {
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS UNROLL
        acc[i] = centred_product<CONFIG>(a[i], b[i]);
    }
}

// Products of every pixel and a vector of FOLDS beats, which is read first and kept for the frame.
template <class CONFIG, int FOLDS, int COUNT>
void times_vector(stream<vec<typename CONFIG::x0_t, COUNT>> &a,
                  stream<vec<typename CONFIG::x1_t, COUNT>> &b,
                  stream<vec<typename CONFIG::acc_t, COUNT>> &acc) {
    vec<typename CONFIG::x1_t, COUNT> kept[FOLDS];
#pragma HLS AGGREGATE variable=kept
VECTOR:
    for (int fold = 0; fold < FOLDS; ++fold) {
#pragma HLS PIPELINE II=1
        kept[fold] = b.read();
    }
PIXEL:
    for (int pixel = 0; pixel < CONFIG::beats / FOLDS; ++pixel) {
    FOLD:
        for (int fold = 0; fold < FOLDS; ++fold) {
#pragma HLS PIPELINE II=1
            const vec<typename CONFIG::x0_t, COUNT> left = a.read();
            const vec<typename CONFIG::x1_t, COUNT> right = kept[fold];
            vec<typename CONFIG::acc_t, COUNT> products;
        LANE:
            for (int i = 0; i < COUNT; ++i) {
#pragma HLS UNROLL
                products[i] = centred_product<CONFIG>(left[i], right[i]);
            }
            acc.write(products);
        }
    }
}

template <class CONFIG, int CHANNELS, int SIZE>
void times_vector(const typename CONFIG::x0_t (&a)[SIZE],
                  const typename CONFIG::x1_t (&b)[CHANNELS],
                  typename CONFIG::acc_t (&acc)[SIZE]) {
    static_assert(SIZE % CHANNELS == 0, "the vector has an element for every channel");
ELEMENT:
    for (int i = 0; i < SIZE; ++i) {
#pragma HLS UNROLL
        acc[i] = centred_product<CONFIG>(a[i], b[i % CHANNELS]);
    }
}

// The channels of two tensors behind each other: A_BEATS beats of one, then B_BEATS of the other
// for each pixel.
template <int PIXELS, int A_BEATS, int B_BEATS, class T, int COUNT>
void join(stream<vec<T, COUNT>> &a, stream<vec<T, COUNT>> &b, stream<vec<T, COUNT>> &y) {
PIXEL:
    for (int pixel = 0; pixel < PIXELS; ++pixel) {
    BEAT:
        for (int beat = 0; beat < A_BEATS + B_BEATS; ++beat) {
#pragma HLS PIPELINE II=1
            if (beat < A_BEATS) {
                y.write(a.read());
            } else {
                y.write(b.read());
            }
        }
    }
}

// The same with whole pixels as beats.
template <int PIXELS, class T, int A, int B>
void join_pixels(stream<vec<T, A>> &a, stream<vec<T, B>> &b, stream<vec<T, A + B>> &y) {
PIXEL:
    for (int pixel = 0; pixel < PIXELS; ++pixel) {
#pragma HLS PIPELINE II=1
        const vec<T, A> left = a.read();
        const vec<T, B> right = b.read();
        vec<T, A + B> both;
    LANE:
        for (int i = 0; i < A + B; ++i) {
#pragma HLS UNROLL
            both[i] = i < A ? left[i < A ? i : 0] : right[i < A ? 0 : i - A];
        }
        y.write(both);
    }
}

template <int PIXELS, class T, int A, int B>
void join_pixels(const T (&a)[A], const T (&b)[B], T (&y)[A + B]) {
    const int left = A / PIXELS, right = B / PIXELS;
PIXEL:
    for (int pixel = 0; pixel < PIXELS; ++pixel) {
#pragma HLS UNROLL
    CHANNEL:
        for (int i = 0; i < left + right; ++i) {
#pragma HLS UNROLL
            y[pixel * (left + right) + i] =
                i < left ? a[pixel * left + i] : b[pixel * right + i - left];
        }
    }
}

} // namespace shift

#endif
