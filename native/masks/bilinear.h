// Antialiased bilinear interpolation along one axis: which inputs an output is made of, and their weights.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/host_device.h"
#include "masks/arithmetic.h"

namespace im::masks {

// A triangle as wide as two inputs, or two outputs when shrinking, around the middle of each output. Positions are float32,
// as PyTorch's are: where an output lies exactly on an input, their rounding error gives the neighbour a weight of some
// millionths, and above a threshold of 0 that is what counts. The same as src/models/decoding/bilinear.ts.
struct BilinearAxis {
  std::int32_t inputs;
  float scale;
  float radius;
  float inverse;

  static BilinearAxis Between(std::int32_t inputs, std::int32_t outputs) {
    const auto scale = static_cast<float>(static_cast<double>(inputs) / static_cast<double>(outputs));
    const float radius = scale > 1.0f ? scale : 1.0f;
    return {inputs, scale, radius, static_cast<float>(1.0 / static_cast<double>(radius))};
  }

  IM_HOST_DEVICE float Centre(std::int32_t output) const {
    return static_cast<float>(static_cast<double>(scale) * (static_cast<double>(output) + 0.5));
  }

  IM_HOST_DEVICE TapRange Range(std::int32_t output) const {
    const float centre = Centre(output);
    const auto begin = static_cast<std::int64_t>(static_cast<double>(centre - radius) + 0.5);
    const auto end = static_cast<std::int64_t>(static_cast<double>(centre + radius) + 0.5);
    return {static_cast<std::int32_t>(begin > 0 ? begin : 0), static_cast<std::int32_t>(end < inputs ? end : inputs)};
  }

  // Not yet divided by the sum of the weights.
  IM_HOST_DEVICE float Weight(std::int32_t output, std::int32_t input) const {
    const float offset = static_cast<float>(input) - Centre(output);
    const auto signed_distance = static_cast<float>((static_cast<double>(offset) + 0.5) * static_cast<double>(inverse));
    const float distance = signed_distance < 0.0f ? -signed_distance : signed_distance;
    return distance < 1.0f ? static_cast<float>(1.0 - static_cast<double>(distance)) : 0.0f;
  }
};

// Weights of some neighbouring outputs, computed once.
class BilinearTaps {
 public:
  // Outputs from `first` on, `count` of them, of an axis with `inputs` (at least 1) resized to `outputs`.
  BilinearTaps(std::int32_t inputs, std::int32_t outputs, std::int32_t first, std::int32_t count);

  std::int32_t count() const { return static_cast<std::int32_t>(ranges_.size()); }
  TapRange range(std::int32_t output) const { return ranges_[static_cast<std::size_t>(output)]; }
  // Of the inputs range(output).begin to .end. Those of the next output follow.
  const float* weights(std::int32_t output) const { return weights_.data() + starts_[static_cast<std::size_t>(output)]; }

 private:
  std::vector<TapRange> ranges_;
  std::vector<std::size_t> starts_;
  std::vector<float> weights_;
};

}  // namespace im::masks
