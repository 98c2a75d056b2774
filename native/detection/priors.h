// Boxes as offsets from priors: boxes that belong to the candidates of a network, the same in every picture. As in SSD (Liu et
// al., "SSD: Single Shot MultiBox Detector", 2016), with its variances, and in YOLACT.
#pragma once

#include <cstddef>

#include "arithmetic.h"
#include "exponential.h"
#include "image/host_device.h"

namespace im::detection {

// Of a network, in pixels.
struct InputSize {
  float width = 0;
  float height = 0;
};

// A side of a prior, stretched.
IM_HOST_DEVICE float StretchedSide(float prior_side, float offset) {
  constexpr float kVariance = 0.2f;
  return prior_side * static_cast<float>(Exp(offset * kVariance));
}

// Where the side of a box begins whose prior has been moved and stretched.
IM_HOST_DEVICE float StartOfSide(float prior_centre, float prior_side, float offset, float side) {
  constexpr float kVariance = 0.1f;
  return (prior_centre + offset * kVariance * prior_side) - side * 0.5f;
}

// Corners in pixels. Priors are centre x, centre y, width, height as fractions of the input; so are the offsets, each for its
// own.
template <typename PriorMatrix, typename OffsetMatrix>
IM_HOST_DEVICE Box BoxFromPrior(const PriorMatrix& priors, const OffsetMatrix& offsets, std::size_t candidate,
                                const InputSize& input) {
  const float prior_width = priors.At(candidate, 2);
  const float prior_height = priors.At(candidate, 3);
  const float width = StretchedSide(prior_width, offsets.At(candidate, 2));
  const float height = StretchedSide(prior_height, offsets.At(candidate, 3));
  const float left = StartOfSide(priors.At(candidate, 0), prior_width, offsets.At(candidate, 0), width);
  const float top = StartOfSide(priors.At(candidate, 1), prior_height, offsets.At(candidate, 1), height);
  return {left * input.width, top * input.height, (left + width) * input.width, (top + height) * input.height};
}

}  // namespace im::detection
