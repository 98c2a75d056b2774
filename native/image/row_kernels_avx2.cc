// The row kernels for AVX2. Each loop handles whole vectors and leaves the end of the row, where a vector would reach past
// the picture, to the portable version.
#include "image/row_kernels.h"

#if (defined(__x86_64__) || defined(__i386__)) && (defined(__GNUC__) || defined(__clang__))

#include <immintrin.h>

#include <algorithm>
#include <cstring>

#include "image/interpolation.h"

// Only these functions may use the instructions: the rest of the binary has to start on any CPU.
#define IM_AVX2 __attribute__((target("avx2")))
#define IM_AVX2_INLINE __attribute__((target("avx2"), always_inline)) inline

namespace im {
namespace {

IM_AVX2_INLINE __m128i Load16(const void* address) { return _mm_loadu_si128(static_cast<const __m128i*>(address)); }
IM_AVX2_INLINE __m128i Load8(const void* address) { return _mm_loadl_epi64(static_cast<const __m128i*>(address)); }
IM_AVX2_INLINE __m256i Load32(const void* address) { return _mm256_loadu_si256(static_cast<const __m256i*>(address)); }
IM_AVX2_INLINE void Store32(void* address, __m256i value) { _mm256_storeu_si256(static_cast<__m256i*>(address), value); }
IM_AVX2_INLINE __m256i Combine(__m128i low, __m128i high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(low), high, 1);
}
IM_AVX2_INLINE __m256i BothLanes(__m128i value) { return _mm256_broadcastsi128_si256(value); }

// Eight pixels of 16-bit slots, four per vector, to 8-bit slots.
IM_AVX2_INLINE __m256i PackSlots(__m256i low, __m256i high) {
  return _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xD8);
}

// The same row from pixel `x` on.
SourceRow From(const SourceRow& row, int x) {
  return {row.pixels + std::ptrdiff_t{x} * row.channels, row.width - x, row.channels};
}

// ---- two neighbouring pixels ----

// Bytes that Neighbours reads.
template <int channels>
constexpr int kNeighbourBytes = channels == 1 ? 2 : 8;

template <int channels>
IM_AVX2_INLINE __m128i Neighbours(const std::uint8_t* pixel) {
  if constexpr (channels == 1) {
    std::uint16_t both;
    std::memcpy(&both, pixel, sizeof both);
    return _mm_cvtsi32_si128(both);
  } else {
    return Load8(pixel);
  }
}

// Pairs (left, right) of 16 bits for channels 0, 1, 2, and zero.
template <int channels>
IM_AVX2_INLINE __m128i NeighbourMask() {
  constexpr char next = channels;
  constexpr char one = channels == 1 ? 0 : 1;
  return _mm_setr_epi8(0, -1, next, -1, one, -1, one + next, -1, 2 * one, -1, 2 * one + next, -1, -1, -1, -1, -1);
}

// ---- kernels ----

template <int channels>
IM_AVX2_INLINE int ExpandVectors(const SourceRow& row, std::uint8_t* slots) {
  const int bytes = row.width * channels;
  int x = 0;
  if constexpr (channels == 1) {
    const __m256i mask = _mm256_setr_epi8(0, 0, 0, -1, 1, 1, 1, -1, 2, 2, 2, -1, 3, 3, 3, -1,  //
                                          4, 4, 4, -1, 5, 5, 5, -1, 6, 6, 6, -1, 7, 7, 7, -1);
    for (; x + 8 <= bytes; x += 8) Store32(slots + 4 * x, _mm256_shuffle_epi8(BothLanes(Load8(row.pixels + x)), mask));
  } else if constexpr (channels == 3) {
    const __m256i mask = BothLanes(_mm_setr_epi8(0, 1, 2, -1, 3, 4, 5, -1, 6, 7, 8, -1, 9, 10, 11, -1));
    for (; 3 * x + 28 <= bytes; x += 8) {
      const std::uint8_t* pixel = row.pixels + 3 * x;
      Store32(slots + 4 * x, _mm256_shuffle_epi8(Combine(Load16(pixel), Load16(pixel + 12)), mask));
    }
  } else {
    const __m256i mask = _mm256_set1_epi32(0x00FFFFFF);
    for (; 4 * x + 32 <= bytes; x += 8) Store32(slots + 4 * x, _mm256_and_si256(Load32(row.pixels + 4 * x), mask));
  }
  return x;
}

IM_AVX2 void Expand(const SourceRow& row, std::uint8_t* slots) {
  const int done = row.channels == 1   ? ExpandVectors<1>(row, slots)
                   : row.channels == 3 ? ExpandVectors<3>(row, slots)
                                       : ExpandVectors<4>(row, slots);
  BaselineKernels().expand(From(row, done), slots + std::ptrdiff_t{4} * done);
}

IM_AVX2 void GrayRow(const SourceRow& row, int red, std::uint8_t* gray) {
  const int channels = row.channels;
  const int bytes = row.width * channels;
  // Channels 0 and 1 go into one multiplication, channel 2 into another.
  const __m256i spread01 = BothLanes(channels == 3 ? _mm_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1)
                                                   : _mm_setr_epi8(0, -1, 1, -1, 4, -1, 5, -1, 8, -1, 9, -1, 12, -1, 13, -1));
  const __m256i spread2 = BothLanes(channels == 3 ? _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1)
                                                  : _mm_setr_epi8(2, -1, -1, -1, 6, -1, -1, -1, 10, -1, -1, -1, 14, -1, -1, -1));
  const __m256i weights01 = _mm256_set1_epi32((red == 0 ? kGrayRed : kGrayBlue) | (kGrayGreen << 16));
  const __m256i weight2 = _mm256_set1_epi32(red == 0 ? kGrayBlue : kGrayRed);
  const __m256i half = _mm256_set1_epi32(1 << 14);
  int x = 0;
  for (; x * channels + 4 * channels + 16 <= bytes; x += 8) {
    const std::uint8_t* pixel = row.pixels + std::ptrdiff_t{x} * channels;
    const __m256i eight = Combine(Load16(pixel), Load16(pixel + 4 * channels));
    const __m256i sum = _mm256_add_epi32(_mm256_madd_epi16(_mm256_shuffle_epi8(eight, spread01), weights01),
                                         _mm256_madd_epi16(_mm256_shuffle_epi8(eight, spread2), weight2));
    const __m256i value = _mm256_srli_epi32(_mm256_add_epi32(sum, half), 15);
    const __m256i words = _mm256_packs_epi32(value, value);
    const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0x08);
    const __m128i result = _mm_shuffle_epi32(_mm256_castsi256_si128(packed), 0x08);
    _mm_storel_epi64(reinterpret_cast<__m128i*>(gray + x), result);
  }
  BaselineKernels().gray(From(row, x), red, gray + x);
}

template <int channels>
IM_AVX2_INLINE int LinearColumnsVectors(const SourceRow& row, const LinearColumn* columns, int count, std::int16_t* slots) {
  // Offsets never fall, so those whose vector would reach past the row are at the end.
  const int last = row.width * channels - kNeighbourBytes<channels>;
  while (count > 0 && columns[count - 1].offset > last) --count;
  const __m256i mask = BothLanes(NeighbourMask<channels>());
  int x = 0;
  for (; x + 4 <= count; x += 4) {
    const auto pixels = [&](int column) IM_AVX2 { return Neighbours<channels>(row.pixels + columns[x + column].offset); };
    const __m256i entries = Load32(columns + x);  // offset, weights, offset, weights | ...
    const __m256i even =
        _mm256_madd_epi16(_mm256_shuffle_epi8(Combine(pixels(0), pixels(2)), mask), _mm256_shuffle_epi32(entries, 0x55));
    const __m256i odd =
        _mm256_madd_epi16(_mm256_shuffle_epi8(Combine(pixels(1), pixels(3)), mask), _mm256_shuffle_epi32(entries, 0xFF));
    Store32(slots + 4 * x, _mm256_packs_epi32(_mm256_srai_epi32(even, 4), _mm256_srai_epi32(odd, 4)));
  }
  return x;
}

IM_AVX2 void LinearColumns(const SourceRow& row, const LinearColumn* columns, int count, std::int16_t* slots) {
  const int done = row.channels == 1   ? LinearColumnsVectors<1>(row, columns, count, slots)
                   : row.channels == 3 ? LinearColumnsVectors<3>(row, columns, count, slots)
                                       : LinearColumnsVectors<4>(row, columns, count, slots);
  BaselineKernels().linear_columns(row, columns + done, count - done, slots + std::ptrdiff_t{4} * done);
}

IM_AVX2 void LinearRows(const std::int16_t* top, const std::int16_t* bottom, int first, int second, int count,
                        std::uint8_t* slots) {
  const __m256i first_weight = _mm256_set1_epi16(static_cast<std::int16_t>(first));
  const __m256i second_weight = _mm256_set1_epi16(static_cast<std::int16_t>(second));
  const __m256i two = _mm256_set1_epi16(2);
  const auto blend = [&](int i) IM_AVX2 {
    const __m256i upper = _mm256_mulhi_epi16(Load32(top + i), first_weight);
    const __m256i lower = _mm256_mulhi_epi16(Load32(bottom + i), second_weight);
    const __m256i sum = _mm256_add_epi16(upper, lower);
    return _mm256_srai_epi16(_mm256_add_epi16(sum, two), 2);
  };
  int x = 0;
  for (; x + 8 <= count; x += 8) Store32(slots + 4 * x, PackSlots(blend(4 * x), blend(4 * x + 16)));
  BaselineKernels().linear_rows(top + 4 * x, bottom + 4 * x, first, second, count - x, slots + 4 * x);
}

// Four pixels of half the size: sums of left and right neighbours, as 16-bit slots. Reads kHalveBytes.
template <int channels>
constexpr int kHalveBytes = channels == 1   ? 8
                            : channels == 3 ? 28
                                            : 32;

template <int channels>
IM_AVX2_INLINE __m256i SumNeighbours(const std::uint8_t* pixel) {
  __m256i bytes;
  if constexpr (channels == 1) {
    bytes = _mm256_shuffle_epi8(BothLanes(Load8(pixel)), _mm256_setr_epi8(0, 1, 0, 1, 0, 1, -1, -1, 2, 3, 2, 3, 2, 3, -1, -1,  //
                                                                          4, 5, 4, 5, 4, 5, -1, -1, 6, 7, 6, 7, 6, 7, -1, -1));
  } else if constexpr (channels == 3) {
    bytes = _mm256_shuffle_epi8(Combine(Load16(pixel), Load16(pixel + 12)),
                                BothLanes(_mm_setr_epi8(0, 3, 1, 4, 2, 5, -1, -1, 6, 9, 7, 10, 8, 11, -1, -1)));
  } else {
    bytes = _mm256_shuffle_epi8(Load32(pixel), BothLanes(_mm_setr_epi8(0, 4, 1, 5, 2, 6, -1, -1, 8, 12, 9, 13, 10, 14, -1, -1)));
  }
  return _mm256_maddubs_epi16(bytes, _mm256_set1_epi8(1));
}

template <int channels>
IM_AVX2_INLINE int HalveVectors(const SourceRow& top, const SourceRow& bottom, int count, std::uint8_t* slots) {
  const int bytes = top.width * channels;
  const __m256i two = _mm256_set1_epi16(2);
  const auto mean = [&](int offset) IM_AVX2 {
    const __m256i sum =
        _mm256_add_epi16(SumNeighbours<channels>(top.pixels + offset), SumNeighbours<channels>(bottom.pixels + offset));
    return _mm256_srli_epi16(_mm256_add_epi16(sum, two), 2);
  };
  int x = 0;
  for (; x + 8 <= count && (2 * x + 8) * channels + kHalveBytes<channels> <= bytes; x += 8) {
    Store32(slots + 4 * x, PackSlots(mean(2 * x * channels), mean((2 * x + 8) * channels)));
  }
  return x;
}

IM_AVX2 void Halve(const SourceRow& top, const SourceRow& bottom, int count, std::uint8_t* slots) {
  const int done = top.channels == 1   ? HalveVectors<1>(top, bottom, count, slots)
                   : top.channels == 3 ? HalveVectors<3>(top, bottom, count, slots)
                                       : HalveVectors<4>(top, bottom, count, slots);
  BaselineKernels().halve(From(top, 2 * done), From(bottom, 2 * done), count - done, slots + std::ptrdiff_t{4} * done);
}

// Sums of products with the high and the low halves of the weights, put together, rounded, as 32-bit values. Additions
// may wrap around; the whole sum fits again.
IM_AVX2_INLINE __m256i PillowSum(__m256i high, __m256i low) {
  const __m256i half = _mm256_set1_epi32(1 << (kPillowBits - 1));
  const __m256i sum = _mm256_add_epi32(_mm256_add_epi32(_mm256_slli_epi32(high, 11), low), half);
  return _mm256_srai_epi32(sum, kPillowBits);
}

template <int channels>
IM_AVX2_INLINE int PillowColumnsVectors(const SourceRow& row, const PillowTable& table, std::uint8_t* slots) {
  const int pairs = table.pairs_per_output;
  const int last = row.width * channels - 2 * channels * (pairs - 1) - kNeighbourBytes<channels>;
  int count = static_cast<int>(table.windows.size());
  while (count > 0 && table.windows[static_cast<std::size_t>(count) - 1].begin * channels > last) --count;
  const __m256i mask = BothLanes(NeighbourMask<channels>());
  const PillowTable::Window* windows = table.windows.data();
  // Two outputs at once, one per lane.
  const auto two_outputs = [&](int first, int second) IM_AVX2 {
    const std::uint8_t* first_pixel = row.pixels + windows[first].begin * channels;
    const std::uint8_t* second_pixel = row.pixels + windows[second].begin * channels;
    const PillowPair* first_weights = table.Pairs(static_cast<std::size_t>(first));
    const PillowPair* second_weights = table.Pairs(static_cast<std::size_t>(second));
    __m256i high = _mm256_setzero_si256();
    __m256i low = _mm256_setzero_si256();
    for (int pair = 0; pair < pairs; ++pair) {
      const __m256i values = _mm256_shuffle_epi8(Combine(Neighbours<channels>(first_pixel + 2 * pair * channels),
                                                         Neighbours<channels>(second_pixel + 2 * pair * channels)),
                                                 mask);
      const __m256i weights = Combine(Load8(first_weights + pair), Load8(second_weights + pair));
      high = _mm256_add_epi32(high, _mm256_madd_epi16(values, _mm256_shuffle_epi32(weights, 0x00)));
      low = _mm256_add_epi32(low, _mm256_madd_epi16(values, _mm256_shuffle_epi32(weights, 0x55)));
    }
    return PillowSum(high, low);
  };
  int x = 0;
  for (; x + 4 <= count; x += 4) {
    const __m256i words = _mm256_packs_epi32(two_outputs(x, x + 2), two_outputs(x + 1, x + 3));
    const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0x08);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(slots + 4 * x), _mm256_castsi256_si128(bytes));
  }
  return x;
}

IM_AVX2 void PillowColumns(const SourceRow& row, const PillowTable& table, int, std::uint8_t* slots) {
  const int done = row.channels == 1   ? PillowColumnsVectors<1>(row, table, slots)
                   : row.channels == 3 ? PillowColumnsVectors<3>(row, table, slots)
                                       : PillowColumnsVectors<4>(row, table, slots);
  BaselineKernels().pillow_columns(row, table, done, slots);
}

IM_AVX2 void PillowRows(const std::uint8_t* const* rows, const PillowPair* weights, int pairs, int, int count,
                        std::uint8_t* slots) {
  const __m256i zero = _mm256_setzero_si256();
  int x = 0;
  for (; x + 8 <= count; x += 8) {
    __m256i high[4] = {zero, zero, zero, zero};
    __m256i low[4] = {zero, zero, zero, zero};
    for (int pair = 0; pair < pairs; ++pair) {
      const __m256i first = Load32(rows[2 * pair] + 4 * x);
      const __m256i second = Load32(rows[2 * pair + 1] + 4 * x);
      const __m256i low_bytes = _mm256_unpacklo_epi8(first, second);
      const __m256i high_bytes = _mm256_unpackhi_epi8(first, second);
      const __m256i values[4] = {_mm256_unpacklo_epi8(low_bytes, zero), _mm256_unpackhi_epi8(low_bytes, zero),
                                 _mm256_unpacklo_epi8(high_bytes, zero), _mm256_unpackhi_epi8(high_bytes, zero)};
      std::int32_t halves[2];
      std::memcpy(halves, weights + pair, sizeof halves);
      const __m256i high_weights = _mm256_set1_epi32(halves[0]);
      const __m256i low_weights = _mm256_set1_epi32(halves[1]);
      for (int i = 0; i < 4; ++i) {
        high[i] = _mm256_add_epi32(high[i], _mm256_madd_epi16(values[i], high_weights));
        low[i] = _mm256_add_epi32(low[i], _mm256_madd_epi16(values[i], low_weights));
      }
    }
    // Unpacking and packing both stay within lanes, so that the order is restored.
    const __m256i front = _mm256_packs_epi32(PillowSum(high[0], low[0]), PillowSum(high[1], low[1]));
    const __m256i back = _mm256_packs_epi32(PillowSum(high[2], low[2]), PillowSum(high[3], low[3]));
    Store32(slots + 4 * x, _mm256_packus_epi16(front, back));
  }
  BaselineKernels().pillow_rows(rows, weights, pairs, x, count, slots);
}

template <bool has_factor, bool has_mean>
IM_AVX2_INLINE int ToPlanesVectors(const std::uint8_t* slots, int count, const Normalization& normalization, const int* channels,
                                   float* const* planes) {
  const __m256i byte = _mm256_set1_epi32(0xFF);
  const __m256 divisor = _mm256_set1_ps(normalization.divisor);
  const __m256 factor = _mm256_set1_ps(normalization.factor);
  __m256 mean[3];
  __m256 std[3];
  for (int channel = 0; channel < 3; ++channel) {
    mean[channel] = _mm256_set1_ps(normalization.mean[channels[channel]]);
    std[channel] = _mm256_set1_ps(normalization.std[channels[channel]]);
  }
  const auto store = [&](__m256i values, int channel, int x) IM_AVX2 {
    __m256 value = _mm256_div_ps(_mm256_cvtepi32_ps(values), divisor);
    if constexpr (has_factor) value = _mm256_mul_ps(value, factor);
    if constexpr (has_mean) value = _mm256_div_ps(_mm256_sub_ps(value, mean[channel]), std[channel]);
    _mm256_storeu_ps(planes[channel] + x, value);
  };
  int x = 0;
  for (; x + 8 <= count; x += 8) {
    const __m256i pixels = Load32(slots + 4 * x);
    store(_mm256_and_si256(pixels, byte), 0, x);
    store(_mm256_and_si256(_mm256_srli_epi32(pixels, 8), byte), 1, x);
    store(_mm256_and_si256(_mm256_srli_epi32(pixels, 16), byte), 2, x);
  }
  return x;
}

IM_AVX2 void ToPlanes(const std::uint8_t* slots, int count, const Normalization& normalization, const int* channels,
                      float* const* planes) {
  // Steps that change nothing are left out: a division costs more than everything else here together.
  const bool has_factor = normalization.factor != 1;
  bool has_mean = false;
  for (int channel = 0; channel < 3; ++channel)
    has_mean = has_mean || normalization.mean[channel] != 0 || normalization.std[channel] != 1;
  const int done = has_factor ? (has_mean ? ToPlanesVectors<true, true>(slots, count, normalization, channels, planes)
                                          : ToPlanesVectors<true, false>(slots, count, normalization, channels, planes))
                              : (has_mean ? ToPlanesVectors<false, true>(slots, count, normalization, channels, planes)
                                          : ToPlanesVectors<false, false>(slots, count, normalization, channels, planes));
  float* const rest[3] = {planes[0] + done, planes[1] + done, planes[2] + done};
  BaselineKernels().to_planes(slots + std::ptrdiff_t{4} * done, count - done, normalization, channels, rest);
}

}  // namespace

const RowKernels* Avx2Kernels() {
  static const RowKernels kernels{"avx2", Expand, GrayRow, LinearColumns, LinearRows, Halve, PillowColumns, PillowRows, ToPlanes};
  static const bool supported = __builtin_cpu_supports("avx2") != 0;
  return supported ? &kernels : nullptr;
}

}  // namespace im

#else

namespace im {

const RowKernels* Avx2Kernels() { return nullptr; }

}  // namespace im

#endif
