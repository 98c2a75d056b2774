#include "kernels.h"

#include <algorithm>
#include <cstring>
#include <limits>

// The bodies are written once, in plain loops that compilers vectorise, and inlined into one function per instruction set.
#if defined(__GNUC__)
#define IM_INLINE inline __attribute__((always_inline))
#else
#define IM_INLINE inline
#endif
#if defined(__GNUC__) && defined(__x86_64__)
#define IM_HAS_AVX2 1
#define IM_AVX2 __attribute__((target("avx2")))
#endif

namespace im::detection {
namespace {

constexpr float kNothing = -std::numeric_limits<float>::infinity();

IM_INLINE void ColumnMaximaBody(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count, float* maximum) {
  std::fill_n(maximum, count, kNothing);
  std::size_t row = 0;
  // Four rows at a time, to load and store the maxima less often.
  for (; row + 4 <= row_count; row += 4) {
    const float* a = rows + row * stride;
    const float* b = a + stride;
    const float* c = b + stride;
    const float* d = c + stride;
    for (std::size_t i = 0; i < count; ++i) {
      maximum[i] = Greater(d[i], Greater(c[i], Greater(b[i], Greater(a[i], maximum[i]))));
    }
  }
  for (; row < row_count; ++row) {
    const float* a = rows + row * stride;
    for (std::size_t i = 0; i < count; ++i) maximum[i] = Greater(a[i], maximum[i]);
  }
}

IM_INLINE void FirstRowsBody(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count,
                             const float* maximum, std::int32_t* first) {
  std::fill_n(first, count, 0);
  // Backwards, so that the lowest row has the last word.
  for (std::size_t row = row_count; row-- > 0;) {
    const float* a = rows + row * stride;
    const auto number = static_cast<std::int32_t>(row);
    for (std::size_t i = 0; i < count; ++i) first[i] = a[i] == maximum[i] ? number : first[i];
  }
}

// Eight numbers at once, spelled as vectors because compilers leave this reduction scalar.
#if defined(__GNUC__)
constexpr std::size_t kLanes = 8;
typedef float Lanes __attribute__((vector_size(kLanes * sizeof(float))));

IM_INLINE void MergeMaxima(const float* values, Lanes& maxima) {
  Lanes loaded;
  std::memcpy(&loaded, values, sizeof loaded);
  maxima = loaded > maxima ? loaded : maxima;
}

IM_INLINE float WideMaximum(const float* values, std::size_t count, std::size_t& done) {
  Lanes even, odd;  // two, so that one comparison need not wait for the other
  for (std::size_t lane = 0; lane < kLanes; ++lane) even[lane] = odd[lane] = kNothing;
  for (; done + 2 * kLanes <= count; done += 2 * kLanes) {
    MergeMaxima(values + done, even);
    MergeMaxima(values + done + kLanes, odd);
  }
  even = odd > even ? odd : even;
  float greatest = kNothing;
  for (std::size_t lane = 0; lane < kLanes; ++lane) greatest = Greater(even[lane], greatest);
  return greatest;
}
#else
IM_INLINE float WideMaximum(const float*, std::size_t, std::size_t&) { return kNothing; }
#endif

IM_INLINE void RowMaximaBody(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count, float* maximum) {
  for (std::size_t row = 0; row < row_count; ++row) {
    const float* values = rows + row * stride;
    std::size_t i = 0;
    float greatest = WideMaximum(values, count, i);
    for (; i < count; ++i) greatest = Greater(values[i], greatest);
    maximum[row] = greatest;
  }
}

IM_INLINE bool OverlapsAnyBody(const BoxColumns& boxes, std::size_t count, const Box& box, float area, float iou_threshold) {
  for (std::size_t group = 0; group < count; group += kBoxGroup) {
    std::int32_t overlaps[kBoxGroup];
    for (std::size_t lane = 0; lane < kBoxGroup; ++lane) {
      const std::size_t i = group + lane;
      const float iou = IntersectionOverUnion({boxes.x1[i], boxes.y1[i], boxes.x2[i], boxes.y2[i]}, boxes.area[i], box, area);
      overlaps[lane] = iou > iou_threshold ? 1 : 0;
    }
    std::int32_t any = 0;
    for (const std::int32_t overlap : overlaps) any |= overlap;
    if (any != 0) return true;
  }
  return false;
}

#define IM_DEFINE_KERNELS(Name, Attributes)                                                                                    \
  Attributes void ColumnMaxima##Name(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count,          \
                                     float* maximum) {                                                                         \
    ColumnMaximaBody(rows, stride, row_count, count, maximum);                                                                 \
  }                                                                                                                            \
  Attributes void FirstRows##Name(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count,             \
                                  const float* maximum, std::int32_t* first) {                                                 \
    FirstRowsBody(rows, stride, row_count, count, maximum, first);                                                             \
  }                                                                                                                            \
  Attributes void RowMaxima##Name(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count,             \
                                  float* maximum) {                                                                            \
    RowMaximaBody(rows, stride, row_count, count, maximum);                                                                    \
  }                                                                                                                            \
  Attributes bool OverlapsAny##Name(const BoxColumns& boxes, std::size_t count, const Box& box, float area, float threshold) { \
    return OverlapsAnyBody(boxes, count, box, area, threshold);                                                                \
  }                                                                                                                            \
  constexpr Kernels k##Name{ColumnMaxima##Name, FirstRows##Name, RowMaxima##Name, OverlapsAny##Name};

IM_DEFINE_KERNELS(Baseline, )
#ifdef IM_HAS_AVX2
IM_DEFINE_KERNELS(Avx2, IM_AVX2)
#endif

}  // namespace

const Kernels& BaselineKernels() { return kBaseline; }

const Kernels& ChosenKernels() {
#ifdef IM_HAS_AVX2
  static const bool has_avx2 = __builtin_cpu_supports("avx2") != 0;
  if (has_avx2) return kAvx2;
#endif
  return kBaseline;
}

}  // namespace im::detection
