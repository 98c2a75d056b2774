// Inner loops, compiled for AVX2 and for the baseline of the platform; the CPU decides at run time. Both give the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

#include "detections.h"

namespace im::detection {

// Boxes in columns. Entries are read in groups of kBoxGroup, so the columns extend to a multiple of it.
struct BoxColumns {
  const float* x1;
  const float* y1;
  const float* x2;
  const float* y2;
  const float* area;
};
constexpr std::size_t kBoxGroup = 8;

struct Kernels {
  // maximum[i] = the greatest of rows[r * stride + i]; NaN is passed over, -infinity where there is nothing else.
  void (*column_maxima)(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count, float* maximum);
  // first[i] = the lowest r with rows[r * stride + i] == maximum[i], 0 if there is none.
  void (*first_rows)(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count, const float* maximum,
                     std::int32_t* first);
  // maximum[r] = the greatest of rows[r * stride + i] for i < count; NaN is passed over, -infinity where there is nothing else.
  void (*row_maxima)(const float* rows, std::size_t stride, std::size_t row_count, std::size_t count, float* maximum);
  // Whether one of the first `count` boxes, rounded up to whole groups, has an IoU with `box` that is greater than the threshold.
  bool (*overlaps_any)(const BoxColumns& boxes, std::size_t count, const Box& box, float area, float iou_threshold);
};

const Kernels& ChosenKernels();
const Kernels& BaselineKernels();

}  // namespace im::detection
