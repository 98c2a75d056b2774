// Rows of a map on its way to the picture: trimmed, extended and resized, one row of the result at a time, so that no map of the
// picture's size and all channels ever exists.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/antialias.h"
#include "maps/placement.h"

namespace im::maps {

class ResizedRows {
 public:
  // `fill` stands where the map was extended. Arguments must be valid.
  ResizedRows(const DenseMap& map, const Placement& placement, float fill, Kernel kernel = Kernel::kTriangle);

  // Row `y` of the resized map, one channel: placement.width values into `row`.
  void Read(std::size_t channel, std::size_t y, float* row);

  // Whether a row or column of the result takes anything from what the network saw, rather than from an extension alone.
  bool SeenRow(std::size_t y) const { return Seen(vertical_, y, trim_top_, height_); }
  bool SeenColumn(std::size_t x) const { return Seen(horizontal_, x, trim_left_, width_); }

 private:
  static bool Seen(const Taps& taps, std::size_t position, std::int64_t trim, std::size_t length);

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
