// Where a map of the network belongs in the picture: the C++ side of MaskGeometry in src/imaging/way-back.ts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"

namespace im::maps {

// `[channels, height, width]` logits or values; not owned.
struct DenseMap {
  const float* data = nullptr;
  std::size_t channels = 0;
  std::size_t width = 0;
  std::size_t height = 0;
};

struct Placement {
  // Cut from the map's sides; negative: the map is extended by so much.
  std::int64_t trim_left = 0;
  std::int64_t trim_top = 0;
  std::int64_t trim_right = 0;
  std::int64_t trim_bottom = 0;
  // Then resized to this, and put there on an empty canvas.
  std::size_t width = 0;
  std::size_t height = 0;
  std::size_t left = 0;
  std::size_t top = 0;
  std::size_t canvas_width = 0;
  std::size_t canvas_height = 0;
};

constexpr std::size_t kMaximumSide = 65535;
constexpr std::size_t kMaximumPixels = std::size_t{1} << 30;

// Everything in this folder relies on it: nothing empty, the resized map inside the canvas, sizes that can be computed with.
Status Validate(const DenseMap& map, const Placement& placement);

}  // namespace im::maps
