// A quadrilateral of a picture as an upright picture of its own: perspective transform, bicubic (a = -0.75), border pixels
// repeated. The same operations in the same order as src/imaging/perspective.ts, so the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/status.h"
#include "image/steps.h"

namespace im {

struct Quadrilateral {
  double corners[8] = {};  // x, y of top left, top right, bottom right, bottom left; pixels of the picture, finite
  int width = 0;           // of the result
  int height = 0;
};

constexpr int kCropChannels = 3;

inline std::size_t ByteCount(const Quadrilateral& crop) {
  return static_cast<std::size_t>(crop.width) * static_cast<std::size_t>(crop.height) * kCropChannels;
}

// Writes ByteCount(crop) bytes; gray is repeated, alpha dropped. Sides are at least 1. Corners on a line give some pixels of the
// picture.
void CropQuadrilateral(const Image& image, const Quadrilateral& crop, std::uint8_t* target);

}  // namespace im
