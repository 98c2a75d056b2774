#include "maps/rows.h"

#include <algorithm>
#include <cstdint>

namespace im::maps {
namespace {

std::size_t Trimmed(std::size_t length, std::int64_t before, std::int64_t after) {
  return static_cast<std::size_t>(static_cast<std::int64_t>(length) - before - after);
}

void AddScaled(const float* IM_RESTRICT values, float weight, float* IM_RESTRICT sum, std::size_t count) {
  for (std::size_t x = 0; x < count; ++x) sum[x] += weight * values[x];
}

void AddConstant(float value, float* sum, std::size_t count) {
  for (std::size_t x = 0; x < count; ++x) sum[x] += value;
}

void ResizeRow(const float* IM_RESTRICT source, const Taps& taps, float* IM_RESTRICT row) {
  const float* weights = taps.weights.data();
  const std::size_t width = taps.taps.size();
  const Tap* tap = taps.taps.data();
  for (std::size_t x = 0; x < width; ++x, ++tap) {
    const float* values = source + tap->first;
    const float* own = weights + tap->weights;
    float sum = 0.0f + own[0] * values[0];
    // Nearly all of them, when enlarging.
    if (tap->count == 2) {
      sum += own[1] * values[1];
    } else {
      for (std::size_t k = 1; k < tap->count; ++k) sum += own[k] * values[k];
    }
    row[x] = sum;
  }
}

}  // namespace

bool IsSeen(const Taps& taps, const Tap& tap, std::int64_t trim, std::size_t length) {
  for (std::size_t k = 0; k < tap.count; ++k) {
    const std::int64_t source = static_cast<std::int64_t>(tap.first + k) + trim;
    if (taps.weights[tap.weights + k] != 0.0f && source >= 0 && source < static_cast<std::int64_t>(length)) return true;
  }
  return false;
}

ResizedRows::ResizedRows(const DenseMap& map, const Placement& placement, float fill, Kernel kernel)
    : map_(map),
      fill_(fill),
      trim_left_(placement.trim_left),
      trim_top_(placement.trim_top),
      width_(map.width),
      height_(map.height),
      extended_width_(Trimmed(map.width, placement.trim_left, placement.trim_right)),
      extended_height_(Trimmed(map.height, placement.trim_top, placement.trim_bottom)),
      horizontal_(ComputeTaps(extended_width_, placement.width, kernel)),
      vertical_(ComputeTaps(extended_height_, placement.height, kernel)),
      blended_(extended_width_) {}

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
      AddConstant(weight * fill_, blended, extended_width_);
      continue;
    }
    AddConstant(weight * fill_, blended, begin);
    AddScaled(plane + static_cast<std::size_t>(source) * width_ + (static_cast<std::int64_t>(begin) + trim_left_), weight,
              blended + begin, end - begin);
    AddConstant(weight * fill_, blended + end, extended_width_ - end);
  }
  ResizeRow(blended_.data(), horizontal_, row);
}

}  // namespace im::maps
