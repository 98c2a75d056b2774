// The logistic function, made of nothing but IEEE additions, multiplications and one division in double precision: every
// compiler, C library and the TypeScript reference (src/models/decoding/sigmoid.ts) give the same bits.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "detection/exponential.h"
#include "image/host_device.h"

namespace im::detection {

// e^-t for 0 <= t <= 110, error below 1e-15: t = k ln 2 + r, then the Taylor series of e^-r.
IM_HOST_DEVICE double ExpOfNegative(double t) {
  constexpr double kInverseFactorials[] = {1.6059043836821613e-10,
                                           2.08767569878681e-09,
                                           2.505210838544172e-08,
                                           2.755731922398589e-07,
                                           2.7557319223985893e-06,
                                           2.48015873015873e-05,
                                           0.0001984126984126984,
                                           0.001388888888888889,
                                           0.008333333333333333,
                                           0.041666666666666664,
                                           0.16666666666666666,
                                           0.5,
                                           1.0,
                                           1.0};
  const auto k = static_cast<std::int32_t>(t * kLog2E + 0.5);
  const double whole = k;
  const double r = (whole * kLn2High - t) + whole * kLn2Low;
  double sum = kInverseFactorials[0];
  for (int i = 1; i < 14; ++i) sum = sum * r + kInverseFactorials[i];
  return sum * PowerOfTwo(-k);
}

// NaN stays NaN. Beyond 110 the float32 result no longer changes.
IM_HOST_DEVICE float Sigmoid(float logit) {
  if (logit != logit) return logit;
  const double x = logit;
  const double size = fabs(x);
  const double e = ExpOfNegative(size < 110.0 ? size : 110.0);
  return static_cast<float>((x >= 0 ? 1.0 : e) / (1.0 + e));
}

// Cheap tests on logits stand in for exact ones on probabilities. Both functions leave a margin (0.01) far wider than the
// rounding of float32; from kFlatLogit on the curve is too flat for any margin, so nothing is concluded there.
constexpr float kMargin = 0.01f;
constexpr float kFlatLogit = 6.0f;

// Sigmoid(logit) > threshold implies logit >= LogitBound(threshold).
inline float LogitBound(float threshold) {
  if (!(threshold > 1e-6f)) return -std::numeric_limits<float>::infinity();
  const double p = std::min(static_cast<double>(threshold), 0.9975);  // logit(0.9975) is just below kFlatLogit
  return static_cast<float>(std::log(p / (1.0 - p))) - kMargin;
}

// factor * Sigmoid(x) == factor * Sigmoid(logit) == product implies x >= TieBound(logit, product); 0 <= factor <= 1.
inline float TieBound(float logit, float product) {
  if (!(product > 1e-30f)) return -std::numeric_limits<float>::infinity();  // where float32 loses precision to underflow
  return std::min(logit, kFlatLogit) - kMargin;
}

}  // namespace im::detection
