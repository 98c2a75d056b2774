// Contrast operations: on all pixels and all channels together, 8 bits in, 8 bits out, in place.
#pragma once

#include <cstdint>

#include "image/steps.h"

namespace im {

// Packed pixels of 1 channel (standing for three equal ones) or 3 channels.
struct PackedPicture {
  std::uint8_t* pixels;
  int width;
  int height;
  int channels;
};

// Contrast stretching and histogram equalization are exact; adaptive equalization (CLAHE, clip limit 0.03, 256 bins, 8 x 8 tiles)
// follows scikit-image to within two levels.
void ApplyContrast(Contrast contrast, const PackedPicture& picture);

}  // namespace im
