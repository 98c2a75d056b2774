#include "rows.h"

namespace im::detection {

Detections FilterRows(const RowsHead& head, const Thresholds& thresholds, std::size_t limit) {
  Detections found;
  for (std::size_t i = 0; i < head.count && found.size() < limit; ++i) {
    if (!RowPasses(head.rows, i, thresholds.list(), head.inclusive)) continue;
    found.Add(BoxOf(head.rows, BoxFormat::kCorners, i), head.rows.At(i, 4), static_cast<std::int32_t>(head.rows.At(i, 5)),
              static_cast<std::int32_t>(i));
  }
  return found;
}

}  // namespace im::detection
