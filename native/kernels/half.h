// float32 to float16 (IEEE binary16), rounded to nearest, ties to even: integers only, so that every compiler gives the same
// bits.
#pragma once

#include <cstdint>
#include <cstring>

#include "image/host_device.h"

namespace im::kernels {

struct Half {
  std::uint16_t bits;
};

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

}  // namespace im::kernels
