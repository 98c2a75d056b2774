#pragma once

#include <cstddef>
#include <optional>

#include "detections.h"
#include "priors.h"

namespace im::detection {

// A head with one box and one score per class for every candidate (anchor).
struct DenseHead {
  std::size_t candidates = 0;
  std::size_t classes = 0;
  Matrix boxes;
  BoxFormat box_format = BoxFormat::kCenterSize;
  Matrix scores;
  Matrix objectness;  // unless kNone
  ObjectnessUse objectness_use = ObjectnessUse::kNone;
  Matrix priors = {};  // with kOffsets, four attributes
  InputSize input_size = {};
};

// Candidates whose best class (the first of equals; NaN is passed over) passes its threshold (strictly greater), in their order.
Detections GatherDense(const DenseHead& head, const Thresholds& thresholds);

}  // namespace im::detection
