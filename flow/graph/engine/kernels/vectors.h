// Vectors of int32 lanes, and the product that every layer with weights is made of: pairs of int16.
//
// One implementation is chosen when the file is compiled; all give the same integers. The last one
// needs no particular processor (SHIFT_PORTABLE forces it).
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__x86_64__) && !defined(SHIFT_PORTABLE)
#include <immintrin.h>
#if defined(__AVX512F__) && defined(__AVX512BW__)
#define SHIFT_LANES 16
#define SHIFT_REGISTERS 32
#elif defined(__AVX2__)
#define SHIFT_LANES 8
#define SHIFT_REGISTERS 16
#endif
#endif
#ifndef SHIFT_LANES
#define SHIFT_LANES 4
#define SHIFT_REGISTERS 16
#endif

namespace shift {

constexpr int LANES = SHIFT_LANES;
constexpr int SLACK = 64;  // elements that may be read or written behind the end of a tensor
constexpr int CHUNK = 64;  // elements that a kernel of single elements takes at a time

typedef int32_t sums_t __attribute__((vector_size(4 * LANES)));   // LANES sums
typedef int16_t pairs_t __attribute__((vector_size(4 * LANES)));  // LANES pairs of factors

template <class Vector>
inline Vector load(const void* from) {
  Vector value;
  std::memcpy(&value, from, sizeof value);
  return value;
}

template <class Vector>
inline void store(void* to, Vector value) {
  std::memcpy(to, &value, sizeof value);
}

// The pair at `from` in every lane.
inline pairs_t broadcast(const int16_t* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof word);
  return (pairs_t)(word - sums_t{});
}

// sums + first[0] * second[0] + first[1] * second[1] in every lane. Exact: the caller has proved
// that no sum of any of its products leaves int32 (flow/graph/engine/_proof.py).
inline sums_t dot(sums_t sums, pairs_t first, pairs_t second) {
#if SHIFT_LANES == 16
#if defined(__AVX512VNNI__)
  return (sums_t)_mm512_dpwssd_epi32((__m512i)sums, (__m512i)first, (__m512i)second);
#else
  return sums + (sums_t)_mm512_madd_epi16((__m512i)first, (__m512i)second);
#endif
#elif SHIFT_LANES == 8
#if defined(__AVXVNNI__)
  return (sums_t)_mm256_dpwssd_avx_epi32((__m256i)sums, (__m256i)first, (__m256i)second);
#else
  return sums + (sums_t)_mm256_madd_epi16((__m256i)first, (__m256i)second);
#endif
#elif defined(__SSE2__) && !defined(SHIFT_PORTABLE)
  return sums + (sums_t)_mm_madd_epi16((__m128i)first, (__m128i)second);
#else
  sums_t a = (sums_t)first, b = (sums_t)second;
  return sums + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}

// Pairs (first[i], second[i]) of half the elements, in the order that is quick on this processor;
// `in_order` undoes it. Weights of a depthwise layer are paired by the same functions.
inline void interleave(pairs_t first, pairs_t second, pairs_t& low, pairs_t& high) {
#if SHIFT_LANES == 16
  low = (pairs_t)_mm512_unpacklo_epi16((__m512i)first, (__m512i)second);
  high = (pairs_t)_mm512_unpackhi_epi16((__m512i)first, (__m512i)second);
#elif SHIFT_LANES == 8
  low = (pairs_t)_mm256_unpacklo_epi16((__m256i)first, (__m256i)second);
  high = (pairs_t)_mm256_unpackhi_epi16((__m256i)first, (__m256i)second);
#else
  low = __builtin_shuffle(first, second, pairs_t{0, 8, 1, 9, 2, 10, 3, 11});
  high = __builtin_shuffle(first, second, pairs_t{4, 12, 5, 13, 6, 14, 7, 15});
#endif
}

// Brings the sums of interleaved pairs into the order of the elements.
inline void in_order([[maybe_unused]] sums_t& low, [[maybe_unused]] sums_t& high) {
#if SHIFT_LANES == 16
  sums_t first = __builtin_shuffle(
      low, high, sums_t{0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23});
  high = __builtin_shuffle(
      low, high, sums_t{8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31});
  low = first;
#elif SHIFT_LANES == 8
  sums_t first = __builtin_shuffle(low, high, sums_t{0, 1, 2, 3, 8, 9, 10, 11});
  high = __builtin_shuffle(low, high, sums_t{4, 5, 6, 7, 12, 13, 14, 15});
  low = first;
#endif
}

}  // namespace shift
