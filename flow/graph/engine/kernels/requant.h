// Accumulators to codes; the arithmetic is docs/arithmetic.md's, folded by fold_requant.
#pragma once

#include "vectors.h"
#include "watch.h"

namespace shift {

// y = clip((acc * factor + constant) >> shift, lo, hi) + add, half-even where `below` is given.
// All arrays are as long as the accumulators that come, rounded up to LANES; their elements are
// int64_t where `wide`, else int32_t, and so are all values in between.
struct Requant {
  const void* constant;
  const void* shift;
  const void* factor;  // null: 1
  const void* below;   // null: half up; else the bits that the shift drops, all ones: no tie
  int64_t lo, hi;      // before `add`
  int64_t add;         // zero point, less what is stored less
  int32_t wide;
  int32_t wide_output;  // int64_t, else int16_t
};

// Rows of accumulators, and where each one lies behind the one before, in elements. The first
// `valid` ones of the `count` of a row are the tensor's.
struct Rows {
  int64_t count, valid, rows, acc_step, output_step;
};

inline Rows one_row(int64_t count, int64_t valid) { return {count, valid, 1, 0, 0}; }

// The value of a row's element `i`, before it is clipped.
template <class Int, bool FACTOR, bool EVEN>
struct Unclipped {
  explicit Unclipped(const Requant& requant)
      : constant(static_cast<const Int*>(requant.constant)),
        shift(static_cast<const Int*>(requant.shift)),
        factor(static_cast<const Int*>(requant.factor)),
        below(static_cast<const Int*>(requant.below)) {}

  Int operator()(Int value, int64_t i) const {
    if (FACTOR) value *= factor[i];
    value += constant[i];
    Int shifted = value >> shift[i];
    if (EVEN) shifted -= shifted & Int((value & below[i]) == 0);
    return shifted;
  }

  const Int *constant, *shift, *factor, *below;
};

// A row of codes is written up to a multiple of LANES; the next one then overwrites what is too
// much of it.
template <class Int, class Out, bool FACTOR, bool EVEN>
void requantise(const Requant& requant, const Int* acc, void* output, Rows size) {
  const Unclipped<Int, FACTOR, EVEN> unclipped(requant);
  const Int lo = Int(requant.lo), hi = Int(requant.hi), add = Int(requant.add);
  Out* y = static_cast<Out*>(output);
  for (int64_t row = 0; row < size.rows; ++row, acc += size.acc_step, y += size.output_step)
    for (int64_t start = 0; start < size.count; start += LANES)
      for (int64_t i = start; i < start + LANES; ++i) {
        Int shifted = unclipped(acc[i], i);
        shifted = shifted < lo ? lo : shifted;
        shifted = shifted > hi ? hi : shifted;
        y[i] = Out(shifted + add);
      }
}

// Counts what `requantise` clips.
template <class Int, bool FACTOR, bool EVEN>
void note_clips(const Requant& requant, const Int* acc, Rows size, Watch& watch) {
  const Unclipped<Int, FACTOR, EVEN> unclipped(requant);
  const Int lo = Int(requant.lo), hi = Int(requant.hi);
  for (int64_t row = 0; row < size.rows; ++row, acc += size.acc_step) {
    Int low = 0, high = 0;
    for (int64_t i = 0; i < size.valid; ++i) {
      const Int value = unclipped(acc[i], i);
      low += value < lo;
      high += value > hi;
    }
    watch.clipped_low += low;
    watch.clipped_high += high;
  }
}

template <class Int>
using Requantise = void (*)(const Requant&, const Int*, void*, Rows);
template <class Int>
using NoteClips = void (*)(const Requant&, const Int*, Rows, Watch&);

// Accumulators of type Int, which `requant.wide` must agree with, to codes; `watch` may be null.
template <class Int>
class Requantiser {
 public:
  Requantiser(const Requant& requant, Watch* watch) : requant_(requant), watch_(watch) {
    const bool even = requant.below != nullptr;
    requant.factor ? even ? choose<true, true>() : choose<true, false>()
                   : even ? choose<false, true>() : choose<false, false>();
  }

  void operator()(const Int* acc, void* output, Rows size) const {
    requantise_(requant_, acc, output, size);
    if (watch_) note(acc, size);
  }

 private:
  template <bool FACTOR, bool EVEN>
  void choose() {
    requantise_ = requant_.wide_output ? requantise<Int, int64_t, FACTOR, EVEN>
                                       : requantise<Int, int16_t, FACTOR, EVEN>;
    note_clips_ = note_clips<Int, FACTOR, EVEN>;
  }

  void note(const Int* acc, Rows size) const {
    note_clips_(requant_, acc, size, *watch_);
    if (watch_->least)
      for (int64_t row = 0; row < size.rows; ++row)
        note_sums(*watch_, acc + row * size.acc_step, size.valid);
  }

  const Requant& requant_;
  Watch* watch_;
  Requantise<Int> requantise_;
  NoteClips<Int> note_clips_;
};

// The type of the element `index` of an output, whatever it is.
inline void* element(const Requant& requant, void* output, int64_t index) {
  return static_cast<char*>(output) + index * (requant.wide_output ? 8 : 2);
}

// Sums of a layer with weights to codes: one or two limbs of int32 each.
class Finish {
 public:
  // `scratch`: int64_t for one row of accumulators, where `requant.wide`.
  Finish(const Requant& requant, int limb_shift, int64_t* scratch, Watch* watch)
      : requant_(requant),
        limb_shift_(limb_shift),
        scratch_(scratch),
        narrow_(requant, watch),
        wide_(requant, watch) {}

  // Codes from element `index` of the output on. `high` is read where there are two limbs; it
  // counts 2^limb_shift.
  void operator()(const int32_t* low, const int32_t* high, void* output, int64_t index,
                  Rows size) const {
    void* to = element(requant_, output, index);
    if (!requant_.wide) return narrow_(low, to, size);
    for (int64_t row = 0; row < size.rows; ++row) {
      join(low + row * size.acc_step, high + row * size.acc_step, size.count);
      wide_(scratch_, element(requant_, to, row * size.output_step),
            one_row(size.count, size.valid));
    }
  }

 private:
  void join(const int32_t* low, const int32_t* high, int64_t count) const {
    if (limb_shift_)
      for (int64_t i = 0; i < count; ++i)
        scratch_[i] = low[i] + int64_t(high[i]) * (int64_t(1) << limb_shift_);
    else
      for (int64_t i = 0; i < count; ++i) scratch_[i] = low[i];
  }

  const Requant& requant_;
  int limb_shift_;
  int64_t* scratch_;
  Requantiser<int32_t> narrow_;
  Requantiser<int64_t> wide_;
};

}  // namespace shift
