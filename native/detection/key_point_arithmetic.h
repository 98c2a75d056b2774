// The arithmetic of RF-DETR's key points, for the CPU and for the kernels of native/kernels alike.
#pragma once

#include <cmath>
#include <cstddef>

#include "detection/exponential.h"
#include "detection/sigmoid.h"

namespace im::detection {

// Where the numbers of a point stand: x, y, how well it can be found (a logit), how well it can be seen (not used), and the
// Cholesky factor of the precision of its position.
constexpr std::size_t kPointX = 0, kPointY = 1, kPointFindable = 2, kPointLogL11 = 4, kPointL21 = 5, kPointLogL22 = 6;

// What the fraction 1 is in a picture: in the positions, and in the covariance.
struct KeyPointScale {
  double width, height;
  double covariance_width, covariance_height;
};

// How much uncertain points lower the score of their instance.
constexpr double kFusionExponent = 0.2;

// What a point adds to the score of its instance, as logarithms.
struct PointShare {
  double weight;       // the probability that it can be found
  double uncertainty;  // the trace of its covariance, times the weight
};

// ln (e^value(0) + e^value(1) + ...) of `count` values; NaN where one of them is.
template <typename Value>
IM_HOST_DEVICE double LogSumExp(std::size_t count, Value value) {
  double greatest = -INFINITY;
  for (std::size_t i = 0; i < count; ++i) {
    const double candidate = value(i);
    if (candidate != candidate || candidate > greatest) greatest = candidate;
  }
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += Exp(value(i) - greatest);
  return greatest + Log(sum);
}

// Keeps NaN.
IM_HOST_DEVICE double AtLeastTiny(double value) {
  constexpr double kTiny = 1e-12;
  return value < kTiny ? kTiny : value;
}

template <typename AnyMatrix>
IM_HOST_DEVICE PointShare ShareOf(const AnyMatrix& points, std::size_t point) {
  const double a = points.At(point, kPointLogL11);
  const double b = points.At(point, kPointL21);
  const double c = points.At(point, kPointLogL22);
  const double trace[] = {-2 * a, -2 * c, 2 * Log(AtLeastTiny(fabs(b))) - 2 * a - 2 * c};
  const double weight = Log(AtLeastTiny(Sigmoid(points.At(point, kPointFindable))));
  return {weight, LogSumExp(3, [&](std::size_t i) { return trace[i]; }) + weight};
}

// The probability of a class, lowered by the mean uncertainty of its points, weighted by how well they can be found.
IM_HOST_DEVICE float FusedScore(float probability, const PointShare* shares, std::size_t slots) {
  const double mean = LogSumExp(slots, [&](std::size_t i) { return shares[i].uncertainty; }) -
                      LogSumExp(slots, [&](std::size_t i) { return shares[i].weight; });
  const double certain = probability * Exp(-kFusionExponent * mean);
  return static_cast<float>(certain == INFINITY ? 1 : certain / (1 + certain));
}

// 2 x 2, row by row.
struct PointCovariance {
  float values[4];
};

// NaN four times where something is not finite.
template <typename AnyMatrix>
IM_HOST_DEVICE PointCovariance CovarianceOf(const AnyMatrix& points, std::size_t point, const KeyPointScale& scale) {
  const double width = scale.covariance_width;
  const double height = scale.covariance_height;
  const double l11 = Exp(points.At(point, kPointLogL11));
  const double l21 = points.At(point, kPointL21);
  const double l22 = Exp(points.At(point, kPointLogL22));
  const double determinant = (l11 * l22) * (l11 * l22);
  const auto across = static_cast<float>(((-l11 * l21) / determinant) * width * height);
  const PointCovariance covariance{{static_cast<float>(((l21 * l21 + l22 * l22) / determinant) * (width * width)), across, across,
                                    static_cast<float>((l11 * l11 / determinant) * (height * height))}};
  for (const float value : covariance.values) {
    if (!(fabsf(value) < INFINITY)) return {{NAN, NAN, NAN, NAN}};
  }
  return covariance;
}

struct LocatedPoint {
  float x, y;
  float confidence;
  PointCovariance covariance;
};

template <typename AnyMatrix>
IM_HOST_DEVICE LocatedPoint Locate(const AnyMatrix& points, std::size_t point, const KeyPointScale& scale) {
  return {static_cast<float>(points.At(point, kPointX) * scale.width),
          static_cast<float>(points.At(point, kPointY) * scale.height), Sigmoid(points.At(point, kPointFindable)),
          CovarianceOf(points, point, scale)};
}

}  // namespace im::detection
