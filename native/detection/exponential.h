// e^x and the natural logarithm in double precision, made of nothing but IEEE additions, multiplications and one division: every
// compiler, C library, GPU and the TypeScript reference (src/models/decoding/exponential.ts) give the same bits. Errors are below
// one unit in the last place. The reductions are the textbook ones, as in fdlibm (https://www.netlib.org/fdlibm/); the series
// are those of Taylor.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>

#include "image/host_device.h"

namespace im::detection {

constexpr double kLog2E = 1.4426950408889634;
// ln 2 in two parts. The first has few enough digits that its product with any exponent is exact.
constexpr double kLn2High = 0.6931471803691238;
constexpr double kLn2Low = 1.9082149292705877e-10;

// 2^k for -1022 <= k <= 1023.
IM_HOST_DEVICE double PowerOfTwo(std::int32_t k) {
  const std::uint64_t bits = static_cast<std::uint64_t>(1023 + k) << 52;
  double power;
  memcpy(&power, &bits, sizeof power);
  return power;
}

// NaN stays NaN; too large is infinity, too small 0.
IM_HOST_DEVICE double Exp(double x) {
  if (x != x) return x;
  if (x > 710.0) return INFINITY;
  if (x < -746.0) return 0.0;
  // x = k ln 2 + r with |r| <= ln 2 / 2, and r = high - low.
  const auto k = static_cast<std::int32_t>(x * kLog2E + (x < 0 ? -0.5 : 0.5));
  const double high = x - k * kLn2High;
  const double low = k * kLn2Low;
  const double r = high - low;
  // 1/13!, 1/12!, ..., 1/2!
  constexpr double kInverseFactorials[] = {1.6059043836821613e-10, 2.08767569878681e-09,   2.505210838544172e-08,
                                           2.755731922398589e-07,  2.7557319223985893e-06, 2.48015873015873e-05,
                                           0.0001984126984126984,  0.001388888888888889,   0.008333333333333333,
                                           0.041666666666666664,   0.16666666666666666,    0.5};
  double sum = kInverseFactorials[0];
  for (int i = 1; i < 12; ++i) sum = sum * r + kInverseFactorials[i];
  // e^r, the small parts first.
  const double power = 1.0 + (high - (low - r * r * sum));
  // In two steps, as 2^k alone may be too large or too small for a double. The first is exact.
  const std::int32_t half = k / 2;
  return power * PowerOfTwo(half) * PowerOfTwo(k - half);
}

// Of 0 it is minus infinity, of what is negative NaN; NaN stays NaN.
IM_HOST_DEVICE double Log(double x) {
  if (x != x || x == INFINITY) return x;
  if (x == 0) return -INFINITY;
  if (x < 0) return NAN;
  const bool subnormal = x < PowerOfTwo(-1022);
  const double normal = subnormal ? x * PowerOfTwo(54) : x;
  std::uint64_t bits;
  memcpy(&bits, &normal, sizeof bits);
  // x = 2^k m with sqrt(1/2) < m <= sqrt(2).
  auto k = static_cast<std::int32_t>(bits >> 52) - (subnormal ? 1023 + 54 : 1023);
  const std::uint64_t digits = (bits & 0xfffffffffffffu) | std::uint64_t{1023} << 52;
  double m;
  memcpy(&m, &digits, sizeof m);
  constexpr double kSqrt2 = 1.4142135623730951;
  if (m > kSqrt2) {
    m *= 0.5;
    k += 1;
  }
  // ln m = 2 artanh s = 2s + s (2/3 s^2 + 2/5 s^4 + ...), where s = f / (2 + f) and f = m - 1. As 2s = f - f^2/2 + s f^2/2, the
  // rounding of s weighs little.
  const double f = m - 1.0;
  const double s = f / (2.0 + f);
  const double square = s * s;
  // 2/23, 2/21, ..., 2/3
  constexpr double kCoefficients[] = {
      0.08695652173913043, 0.09523809523809523, 0.10526315789473684, 0.11764705882352941, 0.13333333333333333,
      0.15384615384615385, 0.18181818181818182, 0.2222222222222222,  0.2857142857142857,  0.4,
      0.6666666666666666};
  double sum = kCoefficients[0];
  for (int i = 1; i < 11; ++i) sum = sum * square + kCoefficients[i];
  const double half_square = 0.5 * f * f;
  const double rest = half_square - (s * (half_square + sum * square) + k * kLn2Low);
  return k * kLn2High - (rest - f);
}

}  // namespace im::detection
