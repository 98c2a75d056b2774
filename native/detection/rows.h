#pragma once

#include <cstddef>

#include "detections.h"

namespace im::detection {

// Rows x1, y1, x2, y2, score, class id, extras: suppression already happened in the network.
struct RowsHead {
  Matrix rows;  // at least 6 attributes
  std::size_t count = 0;
  bool inclusive = false;  // score >= threshold instead of score > threshold
};

// The first `limit` rows that pass (RowPasses), in their order.
Detections FilterRows(const RowsHead& head, const Thresholds& thresholds, std::size_t limit);

}  // namespace im::detection
