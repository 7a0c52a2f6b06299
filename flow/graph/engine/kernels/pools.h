// Pools, and pixels repeated.
#pragma once

#include <algorithm>

#include "requant.h"

namespace shift {

struct Geometry {
  int32_t height, width, channels;  // of the map
  int32_t out_height, out_width;
  int32_t kernel_h, kernel_w, stride_h, stride_w, top, left;
};

// y = clip((sum * 2^pre_shift + constant) / divisor + offset, lo, hi), the division rounding down
// a numerator that is never negative; half-even clears bit 0 where it leaves no remainder.
struct Division {
  int64_t constant, divisor, offset;
};

struct Average {
  Geometry geometry;
  const Division* divisions;  // one for each number of elements that a window can have inside
  const int32_t* choices;     // [out_height * out_width]: the division of a window
  int64_t lo, hi, add;        // clipped, then added
  int32_t pre_shift, even, wide_output;
};

struct Largest {
  Geometry geometry;
  int32_t lo;  // stored code that padding has: it never wins
};

struct Repeat {
  int32_t height, width, channels, rows, cols;
};

// Calls each(position, first element, rows, elements of a row) for the part of every window that
// lies inside the map; a row's elements are pixels with all their channels.
template <class Each>
void windows(const Geometry& g, Each each) {
  int64_t position = 0;
  for (int oy = 0; oy < g.out_height; ++oy)
    for (int ox = 0; ox < g.out_width; ++ox, ++position) {
      const int y = oy * g.stride_h - g.top, x = ox * g.stride_w - g.left;
      const int first_y = std::max(y, 0), first_x = std::max(x, 0);
      const int rows = std::min(y + g.kernel_h, g.height) - first_y;
      const int cols = std::min(x + g.kernel_w, g.width) - first_x;
      each(position, (int64_t(first_y) * g.width + first_x) * g.channels, std::max(rows, 0),
           std::max(cols, 0));
    }
}

template <class Out>
void average_as(const Average& a, const int16_t* x, void* output, int64_t frames, int32_t* sums,
                Watch* watch) {
  const Geometry& g = a.geometry;
  const int channels = g.channels;
  Out* y = static_cast<Out*>(output);
  for (int64_t frame = 0; frame < frames; ++frame) {
    windows(g, [&](int64_t position, int64_t first, int rows, int cols) {
      std::fill(sums, sums + channels, 0);
      for (int row = 0; row < rows; ++row)
        for (int col = 0; col < cols; ++col) {
          const int16_t* from = x + first + (int64_t(row) * g.width + col) * channels;
          for (int c = 0; c < channels; ++c) sums[c] += from[c];
        }
      const Division& d = a.divisions[a.choices[position]];
      for (int c = 0; c < channels; ++c) {
        const int64_t numerator = int64_t(sums[c]) * (int64_t(1) << a.pre_shift) + d.constant;
        int64_t quotient = numerator / d.divisor;
        if (a.even) quotient -= quotient & int64_t(quotient * d.divisor == numerator);
        const int64_t value = quotient + d.offset;
        if (watch) watch->clipped_low += value < a.lo, watch->clipped_high += value > a.hi;
        y[position * channels + c] = Out(std::min(std::max(value, a.lo), a.hi) + a.add);
      }
    });
    x += int64_t(g.height) * g.width * channels;
    y += int64_t(g.out_height) * g.out_width * channels;
  }
}

// `sums`: one for each channel.
inline void average(const Average& a, const int16_t* x, void* y, int64_t frames, int32_t* sums,
                    Watch* watch) {
  a.wide_output ? average_as<int64_t>(a, x, y, frames, sums, watch)
                : average_as<int16_t>(a, x, y, frames, sums, watch);
}

inline void largest(const Largest& m, const int16_t* x, int16_t* y, int64_t frames) {
  const Geometry& g = m.geometry;
  const int channels = g.channels;
  for (int64_t frame = 0; frame < frames; ++frame) {
    windows(g, [&](int64_t position, int64_t first, int rows, int cols) {
      int16_t* to = y + position * channels;
      std::fill(to, to + channels, int16_t(m.lo));
      for (int row = 0; row < rows; ++row)
        for (int col = 0; col < cols; ++col) {
          const int16_t* from = x + first + (int64_t(row) * g.width + col) * channels;
          for (int c = 0; c < channels; ++c) to[c] = std::max(to[c], from[c]);
        }
    });
    x += int64_t(g.height) * g.width * channels;
    y += int64_t(g.out_height) * g.out_width * channels;
  }
}

inline void repeat(const Repeat& r, const int16_t* x, int16_t* y, int64_t frames) {
  const int64_t row = int64_t(r.width) * r.cols * r.channels;
  for (int64_t line = 0; line < frames * r.height; ++line) {
    int16_t* to = y;
    for (int col = 0; col < r.width; ++col, x += r.channels)
      for (int i = 0; i < r.cols; ++i, to += r.channels) std::copy(x, x + r.channels, to);
    for (int i = 1; i < r.rows; ++i) std::copy(y, y + row, y + i * row);
    y += r.rows * row;
  }
}

}  // namespace shift
