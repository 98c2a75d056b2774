#include "maps/rows.h"

#include <algorithm>
#include <cstdint>

namespace im::maps {
namespace {

std::size_t Trimmed(std::size_t length, std::int64_t before, std::int64_t after) {
  return static_cast<std::size_t>(static_cast<std::int64_t>(length) - before - after);
}

}  // namespace

ResizedRows::ResizedRows(const DenseMap& map, const Placement& placement, float fill)
    : map_(map),
      fill_(fill),
      trim_left_(placement.trim_left),
      trim_top_(placement.trim_top),
      width_(map.width),
      height_(map.height),
      extended_width_(Trimmed(map.width, placement.trim_left, placement.trim_right)),
      extended_height_(Trimmed(map.height, placement.trim_top, placement.trim_bottom)),
      horizontal_(ComputeTaps(extended_width_, placement.width, Kernel::kTriangle)),
      vertical_(ComputeTaps(extended_height_, placement.height, Kernel::kTriangle)),
      blended_(extended_width_) {}

bool ResizedRows::Seen(const Taps& taps, std::size_t position, std::int64_t trim, std::size_t length) {
  const Tap& tap = taps.taps[position];
  for (std::size_t k = 0; k < tap.count; ++k) {
    const std::int64_t source = static_cast<std::int64_t>(tap.first + k) + trim;
    if (taps.weights[tap.weights + k] != 0.0f && source >= 0 && source < static_cast<std::int64_t>(length)) return true;
  }
  return false;
}

void ResizedRows::Read(std::size_t channel, std::size_t y, float* row) {
  const float* plane = map_.data + channel * width_ * height_;
  const Tap& down = vertical_.taps[y];
  // Columns of the trimmed row that lie in the map.
  const auto begin = static_cast<std::size_t>(std::max<std::int64_t>(-trim_left_, 0));
  const auto end = static_cast<std::size_t>(
      std::min<std::int64_t>(static_cast<std::int64_t>(extended_width_), static_cast<std::int64_t>(width_) - trim_left_));
  std::fill(blended_.begin(), blended_.end(), 0.0f);
  for (std::size_t k = 0; k < down.count; ++k) {
    const float weight = vertical_.weights[down.weights + k];
    const std::int64_t source = static_cast<std::int64_t>(down.first + k) + trim_top_;
    float* blended = blended_.data();
    if (source < 0 || source >= static_cast<std::int64_t>(height_)) {
      for (std::size_t x = 0; x < extended_width_; ++x) blended[x] += weight * fill_;
      continue;
    }
    const float* values = plane + static_cast<std::size_t>(source) * width_;
    for (std::size_t x = 0; x < begin; ++x) blended[x] += weight * fill_;
    const float* shifted = values + (static_cast<std::int64_t>(begin) + trim_left_);
    for (std::size_t x = begin; x < end; ++x) blended[x] += weight * shifted[x - begin];
    for (std::size_t x = end; x < extended_width_; ++x) blended[x] += weight * fill_;
  }
  const float* weights = horizontal_.weights.data();
  const std::size_t width = horizontal_.taps.size();
  for (std::size_t x = 0; x < width; ++x) {
    const Tap& across = horizontal_.taps[x];
    const float* source = blended_.data() + across.first;
    const float* own = weights + across.weights;
    float sum = 0.0f;
    for (std::size_t k = 0; k < across.count; ++k) sum += own[k] * source[k];
    row[x] = sum;
  }
}

}  // namespace im::maps
