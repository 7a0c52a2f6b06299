// Depthwise convolutions: 2 * LANES channels at a time, two taps in each product.
#pragma once

#include <algorithm>

#include "plane.h"
#include "requant.h"

namespace shift {

// Narrow maps are taken several pixels at a time where the window moves by one: their elements lie
// behind each other as channels do, and `weights` and `requant` then repeat for each pixel.
struct Depthwise {
  Plane plane;
  Requant requant;             // arrays of blocks * 2 * LANES elements
  const int16_t* weights;      // [blocks][pairs][2 taps][2 * LANES], made by pair_taps of it
  const int32_t* taps_at;      // [pairs][2]: where a tap lies in the plane; weight 0 if it is none
  const int32_t* windows_at;   // [steps]: where the first pixel of a step has its window
  const int32_t* outputs_at;   // [steps]: its first element in the output, ascending
  int32_t steps, pairs, blocks;
  int32_t output_size;  // elements of one frame
};

// The weights of two taps [2][2 * LANES], interleaved in place.
inline void pair_taps(int16_t* taps) {
  pairs_t low, high;
  interleave(load<pairs_t>(taps), load<pairs_t>(taps + 2 * LANES), low, high);
  store(taps, low);
  store(taps + 2 * LANES, high);
}

// Accumulators of all channels at one window.
inline void depthwise_sums(const Depthwise& d, const int16_t* window, int32_t* sums) {
  const int16_t* weights = d.weights;
  for (int b = 0; b < d.blocks; ++b, window += 2 * LANES, sums += 2 * LANES) {
    sums_t low = {}, high = {};
    for (int p = 0; p < d.pairs; ++p, weights += 4 * LANES) {
      pairs_t x_low, x_high;
      interleave(load<pairs_t>(window + d.taps_at[2 * p]),
                 load<pairs_t>(window + d.taps_at[2 * p + 1]), x_low, x_high);
      low = dot(low, x_low, load<pairs_t>(weights));
      high = dot(high, x_high, load<pairs_t>(weights + 2 * LANES));
    }
    in_order(low, high);
    store(sums, low);
    store(sums + LANES, high);
  }
}

// `planes`: one for each limb; `sums`: accumulators of one window for each limb, then as int64_t.
inline void depthwise(const Depthwise& d, const int16_t* x, void* y, int64_t frames,
                      int16_t* planes, int32_t* sums, Watch* watch) {
  const int64_t count = int64_t(d.blocks) * 2 * LANES;
  const Finish finish(d.requant, d.plane.limb_shift,
                      reinterpret_cast<int64_t*>(sums + d.plane.limbs() * count), watch);
  for (int64_t frame = 0; frame < frames; ++frame) {
    const int16_t* made[2];
    for (int limb = 0; limb < d.plane.limbs(); ++limb)
      made[limb] = make_planes(d.plane, x + frame * d.plane.map_size(), 1, limb,
                               planes + limb * (d.plane.size() + SLACK));
    for (int64_t step = 0; step < d.steps; ++step) {
      for (int limb = 0; limb < d.plane.limbs(); ++limb)
        depthwise_sums(d, made[limb] + d.windows_at[step], sums + limb * count);
      const int64_t at = d.outputs_at[step];
      const int64_t next = step + 1 < d.steps ? d.outputs_at[step + 1] : d.output_size;
      finish(sums, sums + count, y, frame * d.output_size + at,
             one_row(count, std::min(count, next - at)));
    }
  }
}

}  // namespace shift
