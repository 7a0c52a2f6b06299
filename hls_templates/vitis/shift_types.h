// Types of the firmware: integers of an exact width, beats of several elements, streams.
//
// In synthesis, and with -DSHIFT_BIT_TRUE, they are ap_int, ap_uint and hls::stream: arithmetic
// wraps at exactly the declared width. In the default C simulation they are the narrowest C++
// integers that hold the width, and a plain FIFO: the values are the same as long as every value
// fits its declared width, and it runs about a hundred times as fast. Widths follow from the
// network's weights (flow/plan), and C simulation in both ways shows that they suffice.
#ifndef SHIFT_TYPES_H_
#define SHIFT_TYPES_H_

#include "ap_int.h"
#include "hls_stream.h"

#ifndef __SYNTHESIS__
#include <cstddef>
#include <type_traits>
#include <vector>
#endif

#if defined(__SYNTHESIS__) || defined(SHIFT_BIT_TRUE)
#define SHIFT_AP_TYPES
#endif

namespace shift {

#ifndef __SYNTHESIS__
// How often in this frame a stream had less than its reader wanted (hardware would wait for ever)
// or more than a frame has.
inline long &misfits() {
    static long count = 0;
    return count;
}
#endif

#ifndef SHIFT_AP_TYPES

// Narrowest C++ integer of at least BITS bits.
template <int BITS, bool SIGNED> struct native {
    static_assert(BITS >= 1 && BITS <= 128, "no C++ integer is that wide");
    template <class S, class U> using pick = std::conditional<SIGNED, S, U>;
    typedef typename std::conditional<
        (BITS <= 8), pick<signed char, unsigned char>,
        typename std::conditional<
            (BITS <= 16), pick<short, unsigned short>,
            typename std::conditional<
                (BITS <= 32), pick<int, unsigned int>,
                typename std::conditional<(BITS <= 64), pick<long long, unsigned long long>,
                                          pick<__int128, unsigned __int128>>::type>::type>::
            type>::type::type type;
};

template <int BITS> using sint = typename native<BITS, true>::type;
template <int BITS> using uint_ = typename native<BITS, false>::type;

#else

template <int BITS> using sint = ap_int<BITS>;
template <int BITS> using uint_ = ap_uint<BITS>;

#endif

// Elements of constant tables. Tables of ap_int would be filled element by element when a
// simulation starts, so they hold C++ integers there; what reads them converts to the exact width.
#ifdef __SYNTHESIS__
template <int BITS> using rom_sint = ap_int<BITS>;
template <int BITS> using rom_uint = ap_uint<BITS>;
#else
template <int BITS>
using rom_sint = typename std::conditional<
    (BITS <= 8), signed char,
    typename std::conditional<
        (BITS <= 16), short,
        typename std::conditional<(BITS <= 32), int, long long>::type>::type>::type;
template <int BITS> using rom_uint = typename std::conditional<
    (BITS <= 8), unsigned char,
    typename std::conditional<
        (BITS <= 16), unsigned short,
        typename std::conditional<(BITS <= 32), unsigned int, unsigned long long>::type>::type>::
    type;
#endif

// One beat of a stream: COUNT elements, element 0 first (at the LSB of a word).
template <class T, int COUNT> struct vec {
    typedef T element_t;
    static const int count = COUNT;
    T data[COUNT];

    T &operator[](int i) {
#pragma HLS INLINE
        return data[i];
    }
    const T &operator[](int i) const {
#pragma HLS INLINE
        return data[i];
    }
};

#ifdef SHIFT_AP_TYPES

template <class T> using stream = hls::stream<T>;

#else

// FIFO without a limit: in C simulation a process ends before the next one starts.
template <class T> class stream {
  public:
    explicit stream(const char *) : next_(0) {}

    void write(const T &beat) { beats_.push_back(beat); }

    T read() {
        if (empty()) {
            ++misfits();
            return T();
        }
        const T beat = beats_[next_++];
        if (next_ == beats_.size()) {
            beats_.clear();
            next_ = 0;
        }
        return beat;
    }

    bool empty() const { return next_ == beats_.size(); }
    std::size_t size() const { return beats_.size() - next_; }

  private:
    stream(const stream &);
    stream &operator=(const stream &);
    std::vector<T> beats_;
    std::size_t next_;
};

#endif

// Bits that hold 0..LARGEST.
template <int LARGEST> struct bits_for {
    static const int value = 1 + bits_for<LARGEST / 2>::value;
};
template <> struct bits_for<0> {
    static const int value = 0;
};

// Index whose absolute value is at most LARGEST.
template <int LARGEST> using index_t = sint<bits_for<LARGEST>::value + 1>;

// Counts 0..COUNT-1 again and again; the twin of loop_counter.sv.
template <int COUNT> class counter {
  public:
    counter() : value_(0) {}

    int value() const { return int(value_); }

    // Counts once; true where the count starts anew, so that `a.step() && b.step()` nests.
    bool step() {
#pragma HLS INLINE
        const bool end = value_ == COUNT - 1;
        value_ = end ? value_t(0) : value_t(value_ + 1);
        return end;
    }

  private:
    typedef index_t<COUNT> value_t;
    value_t value_;
};

} // namespace shift

#endif
