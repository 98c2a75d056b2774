// The arithmetic of maps, for the CPU and for the kernels of native/kernels alike.
#pragma once

#include <cstdint>
#include <cstring>

#include "image/host_device.h"

namespace im::maps {

// e^x for x <= 0 in float32 alone, relative error below 2e-7: x = k ln 2 + r, then a polynomial of degree 6. No branches, so that
// loops over it use whole registers; the TypeScript twin rounds after every operation and gets the same bits.
IM_HOST_DEVICE float ExpOfNegative(float x) {
  x = x < -87.0f ? -87.0f : x;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer
  const float shifted = x * 1.44269504f + kRounder;
  const float k = shifted - kRounder;
  const float r = (x - k * 0.693359375f) - k * -2.12194440e-4f;
  float sum = 1.0f / 720.0f;
  sum = sum * r + 1.0f / 120.0f;
  sum = sum * r + 1.0f / 24.0f;
  sum = sum * r + 1.0f / 6.0f;
  sum = sum * r + 0.5f;
  sum = sum * r + 1.0f;
  sum = sum * r + 1.0f;
  // The lowest bits of `shifted` hold k; moved into the exponent they make 2^k. Unsigned, so that NaN is no undefined behaviour.
  std::uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits - 0x4B400000u + 127u) << 23;
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return sum * scale;
}

}  // namespace im::maps
