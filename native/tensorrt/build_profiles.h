// Which shapes an engine is to take: what was asked for, completed and checked by what the network has.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "tensorrt/engine.h"

namespace im::trt {

struct BatchRange {
  std::int64_t minimum = 1;
  std::int64_t optimum = 1;
  std::int64_t maximum = 1;
};

struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

struct InputRange {
  std::string input;
  Tensor::Range range;
};

struct WantedShapes {
  // For inputs whose first size varies.
  std::optional<BatchRange> batch;
  // For inputs [pictures, channels, height, width] whose last two sizes vary: the only one that the engine takes.
  std::optional<ImageSize> image;
  // Several profiles of ranges by input; inputs of fixed shape need none.
  std::vector<std::vector<InputRange>> profiles;
};

// The profiles to build; none when no input varies and none was asked for.
Result<std::vector<std::vector<InputRange>>> ResolveProfiles(const std::vector<Tensor>& inputs, const WantedShapes& wanted);

// "[1, 3], [2, 3], [4, 3]".
std::string RangeText(const Tensor::Range& range);

}  // namespace im::trt
