// Values of the cells of one mask, at the network's resolution.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "detection/detections.h"
#include "image/host_device.h"

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

// Cells from left and top up to, not including, right and bottom.
struct Region {
  std::int32_t left = 0;
  std::int32_t top = 0;
  std::int32_t right = 0;
  std::int32_t bottom = 0;

  std::int32_t width() const { return right - left; }
  std::int32_t height() const { return bottom - top; }
  bool empty() const { return right <= left || bottom <= top; }
};

// Cells within a box, whose corners are scaled and rounded half to even; none where a corner is not a number.
Region RegionOfBox(const detection::Box& box, float scale, std::int32_t width, std::int32_t height);

// One cell: the weighted sum of its planes, in their order.
IM_HOST_DEVICE float CombineCell(const float* cell, std::size_t channel_stride, const float* weights, std::size_t channels) {
  float sum = 0.0f;
  for (std::size_t channel = 0; channel < channels; ++channel) sum += weights[channel] * cell[channel * channel_stride];
  return sum;
}

// Values of a region, column by column: (x, y) at x * region.height() + y. `cells` is resized.
void ComputeCells(const MaskHead& head, std::size_t index, const Region& region, std::vector<float>& cells);

}  // namespace im::masks
