// Numbers in float16, for tests that hand them to a device.
#pragma once

#include <algorithm>
#include <vector>

#include "kernels/half.h"

namespace im::kernels {

inline std::vector<Half> ToHalves(const std::vector<float>& values) {
  std::vector<Half> halves(values.size());
  std::transform(values.begin(), values.end(), halves.begin(), ToHalf);
  return halves;
}

// What remains of them.
inline std::vector<float> RoundedToHalves(std::vector<float> values) {
  for (float& value : values) value = FromHalf(ToHalf(value));
  return values;
}

}  // namespace im::kernels
