// float32 to float16 (IEEE binary16) and back, with the same bits whatever the compiler.
#pragma once

#include <cstdint>
#include <cstring>

#include "image/host_device.h"

namespace im::kernels {

struct Half {
  std::uint16_t bits;
};

// Rounded to nearest, ties to even.
IM_HOST_DEVICE Half ToHalf(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const auto sign = static_cast<std::uint16_t>(bits >> 16 & 0x8000u);
  const std::uint32_t magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return {static_cast<std::uint16_t>(sign | 0x7e00u)};   // no number
  if (magnitude >= 0x477ff000u) return {static_cast<std::uint16_t>(sign | 0x7c00u)};  // rounds to more than 65504
  std::uint32_t whole;                                                                // what is kept
  std::uint32_t rest;  // what is cut off, `half` being half of the last place
  std::uint32_t half;
  if (magnitude >= 0x38800000u) {
    const std::uint32_t rebased = magnitude - 0x38000000u;  // exponent 127 becomes 15
    whole = rebased >> 13;
    rest = rebased & 0x1fffu;
    half = 0x1000u;
  } else {
    // Subnormal: the leading one is written out and everything moves to the right.
    const std::uint32_t exponent = magnitude >> 23;
    if (exponent < 102) return {sign};  // less than half of the smallest
    const std::uint32_t shift = 126 - exponent;
    const std::uint32_t mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    whole = mantissa >> shift;
    rest = mantissa & ((1u << shift) - 1);
    half = 1u << (shift - 1);
  }
  // A carry out of the mantissa raises the exponent, as it should.
  if (rest > half || (rest == half && (whole & 1) != 0)) ++whole;
  return {static_cast<std::uint16_t>(sign | whole)};
}

// The same number. What is none becomes the NaN of float16ToFloat32 in src/engines/float16.ts.
IM_HOST_DEVICE float FromHalf(Half half) {
  const std::uint32_t magnitude = half.bits & 0x7fffu;
  // Exponent and mantissa where float32 has them: the number, times 2^-112. Scaling is exact, of subnormal numbers too.
  std::uint32_t bits = magnitude << 13;
  float value;
  memcpy(&value, &bits, sizeof value);
  value *= 5192296858534827628530496329220096.0f;  // 2^112
  memcpy(&bits, &value, sizeof bits);
  if (magnitude >= 0x7c00u) bits = magnitude == 0x7c00u ? 0x7f800000u : 0x7fc00000u;
  if (magnitude <= 0x7c00u) bits |= (half.bits & 0x8000u) << 16;
  memcpy(&value, &bits, sizeof value);
  return value;
}

}  // namespace im::kernels
