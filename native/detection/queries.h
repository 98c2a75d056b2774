#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "detections.h"

namespace im::detection {

// RF-DETR: a box and one logit per class for every query.
struct QueriesHead {
  Matrix boxes;   // center x, center y, width, height as fractions
  Matrix logits;  // attribute stride 1, candidate stride = classes
  std::size_t queries = 0;
  std::size_t classes = 0;
  std::vector<std::int32_t> class_mapping;  // per class: the reported id, negative = dropped
};

// Of all (query, class) pairs the `queries` most probable, equal ones by position; then those whose class is reported and whose
// probability is above its threshold, at most `limit`. Dropped classes take places, as in the reference. NaN takes none.
Detections SelectQueries(const QueriesHead& head, const Thresholds& thresholds, std::size_t limit);

}  // namespace im::detection
