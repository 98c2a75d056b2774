// Rows of a map on its way to the picture: trimmed, extended and resized, one row of the result at a time, so that no map of the
// picture's size and all channels ever exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/antialias.h"
#include "maps/placement.h"

namespace im::maps {

// Whether a position of a trimmed and resized axis takes anything from the `length` positions that the network saw, rather than
// from an extension alone.
bool IsSeen(const Taps& taps, const Tap& tap, std::int64_t trim, std::size_t length);

class ResizedRows {
 public:
  // `fill` stands where the map was extended. Arguments must be valid.
  ResizedRows(const DenseMap& map, const Placement& placement, float fill, Kernel kernel = Kernel::kTriangle);

  // Row `y` of the resized map, one channel: placement.width values into `row`.
  void Read(std::size_t channel, std::size_t y, float* row);

  bool SeenRow(std::size_t y) const { return IsSeen(vertical_, vertical_.taps[y], trim_top_, height_); }
  bool SeenColumn(std::size_t x) const { return IsSeen(horizontal_, horizontal_.taps[x], trim_left_, width_); }

 private:
  DenseMap map_;
  float fill_;
  std::int64_t trim_left_;
  std::int64_t trim_top_;
  std::size_t width_;  // of the map
  std::size_t height_;
  std::size_t extended_width_;  // after trimming
  std::size_t extended_height_;
  Taps horizontal_;
  Taps vertical_;
  std::vector<float> blended_;  // one row of the trimmed map, blended vertically
};

}  // namespace im::maps
