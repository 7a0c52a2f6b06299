// The library of flow.graph.engine: one function for each kind of node, all of one form.
//
// A tensor is int16_t, its codes less an offset that Python chose, or int64_t codes where 16 bits
// do not hold them (outputs only). SLACK elements behind the end of each tensor may be read and
// written. `planes` and `sums` are scratch of the sizes that Python computed (_steps.py). `watch`
// is null, or takes notes of nodes that requantise.

#include "depthwise.h"
#include "elements.h"
#include "matrix.h"
#include "pools.h"

using namespace shift;

#define SHIFT_EXPORT extern "C" __attribute__((visibility("default")))
#define SHIFT_KERNEL(name)                                                                      \
  SHIFT_EXPORT void name(const void* node, const int16_t* const* x, void* y, int64_t frames, \
                         [[maybe_unused]] int16_t* planes, [[maybe_unused]] int32_t* sums,     \
                         [[maybe_unused]] Watch* watch)

namespace {
template <class Node>
const Node& as(const void* node) {
  return *static_cast<const Node*>(node);
}
}  // namespace

SHIFT_EXPORT int32_t shift_lanes() { return LANES; }
SHIFT_EXPORT void shift_pair_taps(int16_t* taps) { pair_taps(taps); }

SHIFT_KERNEL(shift_matrix) { matrix(as<Matrix>(node), x[0], y, frames, planes, sums, watch); }
SHIFT_KERNEL(shift_depthwise) {
  depthwise(as<Depthwise>(node), x[0], y, frames, planes, sums, watch);
}
SHIFT_KERNEL(shift_merge) { merge(as<Merge>(node), x, y, frames, watch); }
SHIFT_KERNEL(shift_product) { product(as<Product>(node), x[0], x[1], y, frames, watch); }
SHIFT_KERNEL(shift_concat) { concat(as<Concat>(node), x, y, frames, watch); }
SHIFT_KERNEL(shift_lookup) { lookup(as<Lookup>(node), x[0], y, frames); }
SHIFT_KERNEL(shift_average) { average(as<Average>(node), x[0], y, frames, sums, watch); }
SHIFT_KERNEL(shift_largest) {
  largest(as<Largest>(node), x[0], static_cast<int16_t*>(y), frames);
}
SHIFT_KERNEL(shift_repeat) { repeat(as<Repeat>(node), x[0], static_cast<int16_t*>(y), frames); }
SHIFT_KERNEL(shift_shuffle) { shuffle(as<Shuffle>(node), x[0], static_cast<int16_t*>(y), frames); }
