// Nodes that treat every element by itself: sums, products, joined or shuffled channels, tables.
#pragma once

#include <algorithm>

#include "requant.h"

namespace shift {

// Tensors of one size added on their finest grid; one of them: a rescaling.
struct Merge {
  Requant requant;  // arrays of CHUNK equal elements
  const int32_t* shifts;  // [inputs]
  int32_t inputs;
  int32_t size;  // elements of one frame
};

// The second factor is a map like the first, or a vector that every pixel is multiplied by.
struct Product {
  Requant requant;  // arrays of CHUNK equal elements
  int64_t first_add, second_add;  // stored code to code less zero point
  int32_t rows, row;              // of one frame: pixels and channels, or 1 and all elements
};

// Channels behind each other, each requantised for itself.
struct Part {
  Requant requant;  // arrays of CHUNK equal elements
  int32_t channels;
};

struct Concat {
  const Part* parts;
  int32_t inputs, pixels, channels;
};

struct Lookup {
  const void* table;  // int64_t where `wide_output`, else int16_t
  int32_t first;      // stored code of its first entry
  int32_t size;       // elements of one frame
  int32_t wide_output;
};

// Channels as a matrix [groups, group_channels], transposed.
struct Shuffle {
  int32_t pixels, groups, group_channels;
};

template <class Int>
void merge_as(const Merge& m, const int16_t* const* x, void* y, int64_t total, Watch* watch) {
  const Requantiser<Int> requantise(m.requant, watch);
  for (int64_t start = 0; start < total; start += CHUNK) {
    Int acc[CHUNK] = {};
    for (int k = 0; k < m.inputs; ++k) {
      const int16_t* from = x[k] + start;
      const Int weight = Int(1) << m.shifts[k];
      for (int i = 0; i < CHUNK; ++i) acc[i] += Int(from[i]) * weight;
    }
    const int64_t count = std::min<int64_t>(CHUNK, total - start);
    requantise(acc, element(m.requant, y, start), one_row(count, count));
  }
}

inline void merge(const Merge& m, const int16_t* const* x, void* y, int64_t frames, Watch* watch) {
  m.requant.wide ? merge_as<int64_t>(m, x, y, frames * m.size, watch)
                 : merge_as<int32_t>(m, x, y, frames * m.size, watch);
}

template <class Int>
void product_as(const Product& m, const int16_t* first, const int16_t* second, void* y,
                int64_t frames, Watch* watch) {
  const Requantiser<Int> requantise(m.requant, watch);
  const Int first_add = Int(m.first_add), second_add = Int(m.second_add);
  int64_t at = 0;
  for (int64_t frame = 0; frame < frames; ++frame, second += m.row)
    for (int64_t row = 0; row < m.rows; ++row, at += m.row)
      for (int64_t start = 0; start < m.row; start += CHUNK) {
        Int acc[CHUNK];
        for (int i = 0; i < CHUNK; ++i)
          acc[i] = (first[at + start + i] + first_add) * (second[start + i] + second_add);
        const int64_t count = std::min<int64_t>(CHUNK, m.row - start);
        requantise(acc, element(m.requant, y, at + start), one_row(count, count));
      }
}

inline void product(const Product& m, const int16_t* first, const int16_t* second, void* y,
                    int64_t frames, Watch* watch) {
  m.requant.wide ? product_as<int64_t>(m, first, second, y, frames, watch)
                 : product_as<int32_t>(m, first, second, y, frames, watch);
}

template <class Int>
void join(const Part& part, const int16_t* x, void* y, Watch* watch) {
  const Requantiser<Int> requantise(part.requant, watch);
  for (int64_t start = 0; start < part.channels; start += LANES) {
    Int acc[LANES];
    for (int i = 0; i < LANES; ++i) acc[i] = x[start + i];
    requantise(acc, element(part.requant, y, start),
               one_row(LANES, std::min<int64_t>(LANES, part.channels - start)));
  }
}

// Pixel by pixel: what a part writes too much is overwritten by the next one.
inline void concat(const Concat& c, const int16_t* const* x, void* y, int64_t frames,
                   Watch* watch) {
  for (int64_t pixel = 0; pixel < frames * c.pixels; ++pixel) {
    int64_t at = pixel * c.channels;
    for (int k = 0; k < c.inputs; ++k) {
      const Part& part = c.parts[k];
      void* to = element(part.requant, y, at);
      const int16_t* from = x[k] + pixel * part.channels;
      part.requant.wide ? join<int64_t>(part, from, to, watch)
                        : join<int32_t>(part, from, to, watch);
      at += part.channels;
    }
  }
}

template <class Out>
void lookup_as(const Lookup& t, const int16_t* x, void* output, int64_t total) {
  const Out* table = static_cast<const Out*>(t.table) - t.first;
  Out* y = static_cast<Out*>(output);
  for (int64_t i = 0; i < total; ++i) y[i] = table[x[i]];
}

inline void lookup(const Lookup& t, const int16_t* x, void* y, int64_t frames) {
  t.wide_output ? lookup_as<int64_t>(t, x, y, frames * t.size)
                : lookup_as<int16_t>(t, x, y, frames * t.size);
}

inline void shuffle(const Shuffle& s, const int16_t* x, int16_t* y, int64_t frames) {
  const int groups = s.groups, group_channels = s.group_channels;
  for (int64_t pixel = 0; pixel < frames * s.pixels; ++pixel, y += groups * group_channels)
    for (int group = 0; group < groups; ++group, x += group_channels)
      for (int c = 0; c < group_channels; ++c) y[c * groups + group] = x[c];
}

}  // namespace shift
