#include "rows.h"

namespace im::detection {

Detections FilterRows(const RowsHead& head, const Thresholds& thresholds, std::size_t limit) {
  Detections found;
  for (std::size_t i = 0; i < head.count && found.size() < limit; ++i) {
    const float score = head.rows.At(i, 4);
    const float class_number = head.rows.At(i, 5);
    if (!(class_number >= -2147483648.0f && class_number < 2147483648.0f)) continue;
    const auto class_id = static_cast<std::int32_t>(class_number);
    if (!(head.inclusive ? thresholds.AtLeast(score, class_id) : thresholds.Above(score, class_id))) continue;
    found.Add({head.rows.At(i, 0), head.rows.At(i, 1), head.rows.At(i, 2), head.rows.At(i, 3)}, score, class_id,
              static_cast<std::int32_t>(i));
  }
  return found;
}

}  // namespace im::detection
