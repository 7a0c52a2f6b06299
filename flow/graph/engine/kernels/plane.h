// The input of a window: the map with its padding around it, cut into limbs where that is needed.
#pragma once

#include <algorithm>

#include "vectors.h"

namespace shift {

struct Plane {
  int32_t height, width, channels;  // of the map
  int32_t top, left;                // padding
  int32_t rows, cols;               // of the plane; what of the map lies beyond is not read
  int32_t pad;                      // stored code of real zero
  int32_t copied;                   // 0: the map itself is the plane
  int32_t limb_shift;               // 0: one limb, the stored code; else its low bits, and the rest

  int limbs() const { return limb_shift ? 2 : 1; }
  int64_t map_size() const { return int64_t(height) * width * channels; }
  int64_t size() const { return copied ? int64_t(rows) * cols * channels : map_size(); }
};

enum Limb { WHOLE, LOW, HIGH };

template <Limb LIMB>
inline int16_t limb_of(int16_t code, int shift) {
  if (LIMB == LOW) return int16_t(code & ((1 << shift) - 1));
  if (LIMB == HIGH) return int16_t(code >> shift);
  return code;
}

template <Limb LIMB>
void copy_plane(const Plane& plane, const int16_t* map, int16_t* to) {
  const int64_t row = int64_t(plane.cols) * plane.channels;
  const int64_t before = int64_t(plane.left) * plane.channels;
  const int64_t inside = int64_t(std::min(plane.width, plane.cols - plane.left)) * plane.channels;
  const int16_t pad = limb_of<LIMB>(int16_t(plane.pad), plane.limb_shift);
  for (int32_t y = 0; y < plane.rows; ++y, to += row) {
    int32_t from_y = y - plane.top;
    if (from_y < 0 || from_y >= plane.height) {
      std::fill(to, to + row, pad);
      continue;
    }
    const int16_t* from = map + int64_t(from_y) * plane.width * plane.channels;
    std::fill(to, to + before, pad);
    for (int64_t i = 0; i < inside; ++i)
      to[before + i] = limb_of<LIMB>(from[i], plane.limb_shift);
    std::fill(to + before + inside, to + row, pad);
  }
}

// The planes of one limb for `frames` maps, behind each other; made in `scratch` where copied.
inline const int16_t* make_planes(const Plane& plane, const int16_t* maps, int64_t frames, int limb,
                                  int16_t* scratch) {
  if (!plane.copied) return maps;
  for (int64_t i = 0; i < frames; ++i) {
    const int16_t* map = maps + i * plane.map_size();
    int16_t* to = scratch + i * plane.size();
    if (!plane.limb_shift) copy_plane<WHOLE>(plane, map, to);
    else if (limb == 0) copy_plane<LOW>(plane, map, to);
    else copy_plane<HIGH>(plane, map, to);
  }
  return scratch;
}

}  // namespace shift
