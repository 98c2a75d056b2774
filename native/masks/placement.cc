#include "masks/placement.h"

#include <algorithm>

namespace im::masks {
namespace {

Visible VisiblePart(std::int32_t position, std::int32_t length, std::int32_t limit, std::int32_t inputs) {
  const std::int32_t first = std::max(0, -position);
  const std::int32_t end = inputs > 0 ? std::min(length, limit - position) : first;
  return {first, std::max(0, end - first), std::max(0, position)};
}

std::vector<TapGroup> GroupByRange(const BilinearTaps& taps) {
  std::vector<TapGroup> groups;
  for (std::int32_t output = 0; output < taps.count(); ++output) {
    const TapRange range = taps.range(output);
    if (!groups.empty() && groups.back().range.begin == range.begin && groups.back().range.end == range.end) {
      groups.back().end = output + 1;
    } else {
      groups.push_back({output, output + 1, range});
    }
  }
  return groups;
}

}  // namespace

MaskAxes::MaskAxes(std::int32_t width, std::int32_t height, const MaskTarget& target)
    : horizontal(
          VisiblePart(target.left, target.resize.width, target.picture.width, width - target.trim.left - target.trim.right)),
      vertical(
          VisiblePart(target.top, target.resize.height, target.picture.height, height - target.trim.top - target.trim.bottom)),
      columns(width - target.trim.left - target.trim.right, target.resize.width, horizontal.first,
              vertical.count > 0 ? horizontal.count : 0),
      rows(height - target.trim.top - target.trim.bottom, target.resize.height, vertical.first,
           horizontal.count > 0 ? vertical.count : 0),
      row_groups(GroupByRange(rows)) {}

}  // namespace im::masks
