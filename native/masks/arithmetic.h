// The arithmetic of masks, for the CPU and for the kernels of native/kernels alike.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "detection/arithmetic.h"
#include "image/host_device.h"

namespace im::masks {

IM_HOST_DEVICE std::int32_t Lesser(std::int32_t a, std::int32_t b) { return b < a ? b : a; }
IM_HOST_DEVICE std::int32_t Larger(std::int32_t a, std::int32_t b) { return a < b ? b : a; }

// Cells from left and top up to, not including, right and bottom.
struct Region {
  std::int32_t left = 0;
  std::int32_t top = 0;
  std::int32_t right = 0;
  std::int32_t bottom = 0;

  IM_HOST_DEVICE std::int32_t width() const { return right - left; }
  IM_HOST_DEVICE std::int32_t height() const { return bottom - top; }
  IM_HOST_DEVICE bool empty() const { return right <= left || bottom <= top; }
};

// A corner on the cells' grid, rounded half to even: the default rounding mode.
IM_HOST_DEVICE std::int32_t CellOfCorner(float corner, float scale, std::int32_t limit) {
  const float cell = nearbyintf(corner * scale);
  if (!(cell > 0.0f)) return 0;
  const auto bound = static_cast<float>(limit);
  return static_cast<std::int32_t>(bound < cell ? bound : cell);
}

// Cells within a box, whose corners are scaled and rounded half to even; none where a corner is not a number.
IM_HOST_DEVICE Region RegionOfBox(const detection::Box& box, float scale, std::int32_t width, std::int32_t height) {
  if (box.x1 != box.x1 || box.y1 != box.y1 || box.x2 != box.x2 || box.y2 != box.y2) return {};
  return {CellOfCorner(box.x1, scale, width), CellOfCorner(box.y1, scale, height), CellOfCorner(box.x2, scale, width),
          CellOfCorner(box.y2, scale, height)};
}

// What trimming leaves of a region of a mask. Nothing may be read of a region without cells.
IM_HOST_DEVICE Region TrimmedRegion(const Region& within, const Region& trim, std::int32_t width, std::int32_t height) {
  Region region{Larger(within.left, trim.left), Larger(within.top, trim.top), 0, 0};
  region.right = Larger(region.left, Lesser(within.right, width - trim.right));
  region.bottom = Larger(region.top, Lesser(within.bottom, height - trim.bottom));
  if (region.empty()) return {region.left, region.top, region.left, region.top};
  return region;
}

// One cell: the weighted sum of its planes, in their order.
IM_HOST_DEVICE float CombineCell(const float* cell, std::size_t channel_stride, const float* weights, std::size_t channels) {
  float sum = 0.0f;
  IM_UNROLL
  for (std::size_t channel = 0; channel < channels; ++channel) sum += weights[channel] * cell[channel * channel_stride];
  return sum;
}

// Inputs of one output of an axis.
struct TapRange {
  std::int32_t begin;
  std::int32_t end;
};

// The inputs among those from `first` on, `count` of them. All others are 0.
IM_HOST_DEVICE TapRange Clipped(TapRange range, std::int32_t first, std::int32_t count) {
  return {Larger(range.begin, first), Lesser(range.end, first + count)};
}

// The sum of products, in the order of the taps, as everywhere. `cell(i)` is what the i-th weight belongs to.
template <typename Cell>
IM_HOST_DEVICE float WeightedSum(const float* weights, std::int32_t count, Cell cell) {
  float sum = 0.0f;
  for (std::int32_t i = 0; i < count; ++i) sum += weights[i] * cell(i);
  return sum;
}

// How far from the threshold numbers up to `greatest` have to be, so that weighted sums with `taps` weights, whose sum is 1, are
// on the same side: several times the rounding errors of as many float32 additions, and of products too small for float32.
IM_HOST_DEVICE float SafeDistance(float greatest, std::int32_t taps) {
  return greatest * (4e-7f * static_cast<float>(taps + 8)) + 1e-36f;
}

}  // namespace im::masks
