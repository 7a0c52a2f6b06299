// Accumulators to codes; the arithmetic is docs/arithmetic.md's, folded by fold_requant.
#pragma once

#include "vectors.h"

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

// Rows of accumulators, and where each one lies behind the one before, in elements.
struct Rows {
  int64_t count, rows, acc_step, output_step;
};

inline Rows one_row(int64_t count) { return {count, 1, 0, 0}; }

// A row of codes is written up to a multiple of LANES; the next one then overwrites what is too
// much of it.
template <class Int, class Out, bool FACTOR, bool EVEN>
void requantise(const Requant& requant, const Int* acc, void* output, Rows size) {
  const Int* constant = static_cast<const Int*>(requant.constant);
  const Int* shift = static_cast<const Int*>(requant.shift);
  const Int* factor = static_cast<const Int*>(requant.factor);
  const Int* below = static_cast<const Int*>(requant.below);
  const Int lo = Int(requant.lo), hi = Int(requant.hi), add = Int(requant.add);
  Out* y = static_cast<Out*>(output);
  for (int64_t row = 0; row < size.rows; ++row, acc += size.acc_step, y += size.output_step)
    for (int64_t start = 0; start < size.count; start += LANES)
      for (int64_t i = start; i < start + LANES; ++i) {
        Int value = acc[i];
        if (FACTOR) value *= factor[i];
        value += constant[i];
        Int shifted = value >> shift[i];
        if (EVEN) shifted -= shifted & Int((value & below[i]) == 0);
        shifted = shifted < lo ? lo : shifted;
        shifted = shifted > hi ? hi : shifted;
        y[i] = Out(shifted + add);
      }
}

template <class Int>
using Requantise = void (*)(const Requant&, const Int*, void*, Rows);

template <class Int, class Out>
Requantise<Int> choose(bool factor, bool even) {
  if (factor) return even ? requantise<Int, Out, true, true> : requantise<Int, Out, true, false>;
  return even ? requantise<Int, Out, false, true> : requantise<Int, Out, false, false>;
}

// The function for accumulators of type Int, which `requant.wide` must agree with.
template <class Int>
Requantise<Int> requantiser(const Requant& requant) {
  bool factor = requant.factor != nullptr, even = requant.below != nullptr;
  return requant.wide_output ? choose<Int, int64_t>(factor, even)
                             : choose<Int, int16_t>(factor, even);
}

// The type of the element `index` of an output, whatever it is.
inline void* element(const Requant& requant, void* output, int64_t index) {
  return static_cast<char*>(output) + index * (requant.wide_output ? 8 : 2);
}

// Sums of a layer with weights to codes: one or two limbs of int32 each.
class Finish {
 public:
  // `scratch`: int64_t for one row of accumulators, where `requant.wide`.
  Finish(const Requant& requant, int limb_shift, int64_t* scratch)
      : requant_(requant),
        limb_shift_(limb_shift),
        scratch_(scratch),
        narrow_(requantiser<int32_t>(requant)),
        wide_(requantiser<int64_t>(requant)) {}

  // Codes from element `index` of the output on. `high` is read where there are two limbs; it
  // counts 2^limb_shift.
  void operator()(const int32_t* low, const int32_t* high, void* output, int64_t index,
                  Rows size) const {
    void* to = element(requant_, output, index);
    if (!requant_.wide) return narrow_(requant_, low, to, size);
    for (int64_t row = 0; row < size.rows; ++row) {
      join(low + row * size.acc_step, high + row * size.acc_step, size.count);
      wide_(requant_, scratch_, element(requant_, to, row * size.output_step), one_row(size.count));
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
  Requantise<int32_t> narrow_;
  Requantise<int64_t> wide_;
};

}  // namespace shift
