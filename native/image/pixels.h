// What happens to one pixel, apart from interpolation.
#pragma once

#include <cstdint>

#include "image/host_device.h"

namespace im {

// 15-bit luminance, as OpenCV's colour conversion does it. The weights add up to 2^15: gray stays what it is.
constexpr int kGrayRed = 9798;
constexpr int kGrayGreen = 19235;
constexpr int kGrayBlue = 3735;

IM_HOST_DEVICE std::uint8_t Gray(int red, int green, int blue) {
  return static_cast<std::uint8_t>((kGrayRed * red + kGrayGreen * green + kGrayBlue * blue + (1 << 14)) >> 15);
}

// Numbers after resizing. The defaults change nothing, not even a bit: x / 1, x * 1 and x - 0 are exact.
struct Normalization {
  float divisor = 1;
  float factor = 1;
  float mean[3] = {0, 0, 0};  // in the order of the network's channels
  float std[3] = {1, 1, 1};
};

// True divisions: multiplying by a reciprocal would change the last bit of every second value.
IM_HOST_DEVICE float Normalize(float value, const Normalization& normalization, int channel) {
  return (value / normalization.divisor * normalization.factor - normalization.mean[channel]) / normalization.std[channel];
}

}  // namespace im
