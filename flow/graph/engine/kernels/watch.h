// What a kernel notes on its way; set up and read by flow/graph/engine/_watch.py.
#pragma once

#include <algorithm>
#include <cstdint>

namespace shift {

// Notes add up from call to call. Accumulators are those of stored codes.
struct Watch {
  int64_t* least;        // [elements of a row]: the smallest accumulator; null: not asked for
  int64_t* most;         // [elements of a row]: the largest
  int64_t clipped_low;   // values below `lo`
  int64_t clipped_high;  // values above `hi`
};

template <class Int>
void note_sums(Watch& watch, const Int* acc, int64_t count) {
  for (int64_t i = 0; i < count; ++i) {
    watch.least[i] = std::min<int64_t>(watch.least[i], acc[i]);
    watch.most[i] = std::max<int64_t>(watch.most[i], acc[i]);
  }
}

}  // namespace shift
