// Values of the cells of one mask, at the network's resolution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "detection/detections.h"
#include "masks/arithmetic.h"

namespace im::masks {

// Planes that every instance weighs in its own way (prototypes), or one plane an instance.
struct MaskHead {
  std::int32_t width = 0;
  std::int32_t height = 0;
  std::size_t channels = 0;
  detection::Matrix planes;                       // cells (y * width + x) by channels
  std::optional<detection::Matrix> coefficients;  // none: an instance's index is its plane
  bool sigmoid = false;
};

// Values of a region, column by column: (x, y) at x * region.height() + y. `cells` is resized.
void ComputeCells(const MaskHead& head, std::size_t index, const Region& region, std::vector<float>& cells);

}  // namespace im::masks
