// Convolutions and dense layers: tiles of a few pixels and up to four blocks of LANES channels.
#pragma once

#include "plane.h"
#include "requant.h"

namespace shift {

struct Matrix {
  Plane plane;
  Requant requant;        // arrays of `sums` elements
  const int16_t* weights;  // [groups][blocks][segments][pairs][LANES][2], 0 where there is none
  const int32_t* segments_at;  // [segments]: where a run of a window's elements starts in the plane
  const int32_t* pixels_at;    // [pixels]: where the window of an output pixel starts
  int32_t segments, pairs, blocks, groups;
  int32_t group_in, group_out;  // channels of one group
  int32_t pixels, channels;     // of the output
  int32_t sums;                 // int32 of one pixel's accumulators, a multiple of LANES
  int32_t frames_together;      // whose planes are made before they are used
};

// As many accumulators as there are registers for.
constexpr int MOST_BLOCKS = SHIFT_REGISTERS == 32 ? 4 : 2;
constexpr int FEW_ROWS = 6;   // beside MOST_BLOCKS
constexpr int MOST_ROWS = 8;  // beside half as many

// ROWS x BLOCKS accumulators over a whole window.
template <int ROWS, int BLOCKS>
inline void tile(const Matrix& m, const int16_t* const* rows, const int16_t* weights,
                 int32_t* sums) {
  const int64_t block_size = int64_t(m.segments) * m.pairs * 2 * LANES;
  sums_t acc[ROWS][BLOCKS] = {};
  for (int s = 0; s < m.segments; ++s) {
    const int64_t at = m.segments_at[s];
    for (int p = 0; p < m.pairs; ++p, weights += 2 * LANES) {
      pairs_t w[BLOCKS];
#pragma GCC unroll 8
      for (int b = 0; b < BLOCKS; ++b) w[b] = load<pairs_t>(weights + b * block_size);
#pragma GCC unroll 8
      for (int r = 0; r < ROWS; ++r) {
        pairs_t x = broadcast(rows[r] + at + 2 * p);
#pragma GCC unroll 8
        for (int b = 0; b < BLOCKS; ++b) acc[r][b] = dot(acc[r][b], x, w[b]);
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < ROWS; ++r)
#pragma GCC unroll 8
    for (int b = 0; b < BLOCKS; ++b) store(sums + int64_t(r) * m.sums + b * LANES, acc[r][b]);
}

// Accumulators of ROWS pixels, all channels. A group's last block may run into the next group's
// channels, which are written after it.
template <int ROWS>
void tiles(const Matrix& m, const int16_t* const* pixels, int32_t* sums) {
  const int64_t block_size = int64_t(m.segments) * m.pairs * 2 * LANES;
  const int16_t* weights = m.weights;
  for (int g = 0; g < m.groups; ++g) {
    const int16_t* rows[ROWS];
    for (int r = 0; r < ROWS; ++r) rows[r] = pixels[r] + int64_t(g) * m.group_in;
    int32_t* to = sums + int64_t(g) * m.group_out;
    int b = 0;
    for (; b + 4 <= m.blocks && MOST_BLOCKS == 4; b += 4)
      tile<ROWS, MOST_BLOCKS>(m, rows, weights + b * block_size, to + b * LANES);
    for (; b + 2 <= m.blocks; b += 2)
      tile<ROWS, 2>(m, rows, weights + b * block_size, to + b * LANES);
    if (b < m.blocks) tile<ROWS, 1>(m, rows, weights + b * block_size, to + b * LANES);
    weights += m.blocks * block_size;
  }
}

// `rows` pixels from `first` of the frames whose planes (of each limb) are given.
template <int ROWS>
void matrix_rows(const Matrix& m, const Finish& finish, const int16_t* const* planes,
                 int64_t rows, void* output, int64_t first, int32_t* sums) {
  const int64_t limb_sums = int64_t(ROWS) * m.sums;
  int64_t plane = 0, pixel = 0;  // of the next row; dividing for each would take as long as a tile
  for (int64_t start = 0; start < rows; start += ROWS) {
    int64_t windows_at[ROWS];
    for (int r = 0; r < ROWS; ++r) {
      windows_at[r] = plane + m.pixels_at[pixel];
      if (start + r + 1 >= rows) continue;  // behind the end: the last pixel again
      if (++pixel == m.pixels) pixel = 0, plane += m.plane.size();
    }
    for (int limb = 0; limb < m.plane.limbs(); ++limb) {
      const int16_t* windows[ROWS];
      for (int r = 0; r < ROWS; ++r) windows[r] = planes[limb] + windows_at[r];
      tiles<ROWS>(m, windows, sums + limb * limb_sums);
    }
    finish(sums, sums + limb_sums, output, (first + start) * m.channels,
           {m.sums, m.channels, std::min<int64_t>(ROWS, rows - start), m.sums, m.channels});
  }
}

// `scratch`: planes of each limb for `frames_together` frames, where copied; then, aligned, the
// accumulators of MOST_ROWS pixels for each limb, and int64_t for one pixel.
inline void matrix(const Matrix& m, const int16_t* x, void* y, int64_t frames, int16_t* planes,
                   int32_t* sums, Watch* watch) {
  int64_t* wide = reinterpret_cast<int64_t*>(sums + int64_t(m.plane.limbs()) * MOST_ROWS * m.sums);
  const Finish finish(m.requant, m.plane.limb_shift, wide, watch);
  const int64_t limb_size = m.frames_together * m.plane.size() + SLACK;
  for (int64_t first = 0; first < frames; first += m.frames_together) {
    const int64_t count = std::min<int64_t>(m.frames_together, frames - first);
    const int16_t* made[2];
    for (int limb = 0; limb < m.plane.limbs(); ++limb)
      made[limb] = make_planes(m.plane, x + first * m.plane.map_size(), count, limb,
                               planes + limb * limb_size);
    const auto run = m.blocks > MOST_BLOCKS / 2 ? matrix_rows<FEW_ROWS> : matrix_rows<MOST_ROWS>;
    run(m, finish, made, count * m.pixels, y, first * m.pixels, sums);
  }
}

}  // namespace shift
