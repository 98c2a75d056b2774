#include "key_points.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "exponential.h"
#include "sigmoid.h"

namespace im::detection {
namespace {

constexpr std::size_t kX = 0, kY = 1, kFindable = 2, kLogL11 = 4, kL21 = 5, kLogL22 = 6;
// How much uncertain points lower the score of their instance.
constexpr double kFusionExponent = 0.2;
constexpr double kTiny = 1e-12;

// NaN where one of them is.
double LogSumExp(const double* values, std::size_t count) {
  double greatest = -std::numeric_limits<double>::infinity();
  for (std::size_t i = 0; i < count; ++i) {
    if (values[i] != values[i] || values[i] > greatest) greatest = values[i];
  }
  double sum = 0;
  for (std::size_t i = 0; i < count; ++i) sum += Exp(values[i] - greatest);
  return greatest + Log(sum);
}

// Scores of instances; its memory is used again for the next one.
class Fusion {
 public:
  explicit Fusion(std::size_t slots) : weights_(slots), uncertainties_(slots) {}

  float Score(float probability, const Matrix& points, std::size_t first) {
    for (std::size_t i = 0; i < weights_.size(); ++i) {
      const double a = points.At(first + i, kLogL11);
      const double b = points.At(first + i, kL21);
      const double c = points.At(first + i, kLogL22);
      const std::array<double, 3> trace{-2 * a, -2 * c, 2 * Log(AtLeastTiny(std::abs(b))) - 2 * a - 2 * c};
      weights_[i] = Log(AtLeastTiny(Sigmoid(points.At(first + i, kFindable))));
      uncertainties_[i] = LogSumExp(trace.data(), trace.size()) + weights_[i];
    }
    const double mean = LogSumExp(uncertainties_.data(), uncertainties_.size()) - LogSumExp(weights_.data(), weights_.size());
    const double certain = probability * Exp(-kFusionExponent * mean);
    return static_cast<float>(std::isinf(certain) ? 1 : certain / (1 + certain));
  }

 private:
  // Keeps NaN.
  static double AtLeastTiny(double value) { return value < kTiny ? kTiny : value; }

  std::vector<double> weights_;
  std::vector<double> uncertainties_;
};

// The covariance in pixels from the precision's factor in fractions; NaN four times where something is not finite.
std::array<float, 4> Covariance(double log_l11, double l21, double log_l22, double width, double height) {
  const double l11 = Exp(log_l11);
  const double l22 = Exp(log_l22);
  const double determinant = (l11 * l22) * (l11 * l22);
  const auto across = static_cast<float>(((-l11 * l21) / determinant) * width * height);
  const std::array<float, 4> covariance{static_cast<float>(((l21 * l21 + l22 * l22) / determinant) * (width * width)), across,
                                        across, static_cast<float>((l11 * l11 / determinant) * (height * height))};
  const bool finite = std::all_of(covariance.begin(), covariance.end(), [](float value) { return std::isfinite(value); });
  if (finite) return covariance;
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  return {kNaN, kNaN, kNaN, kNaN};
}

struct Pair {
  float score;
  std::int32_t class_id;
  std::size_t query;
  std::size_t first_point;
};

void AddPoints(const KeyPointQueriesHead& head, std::size_t first, KeyPoints& key_points) {
  for (std::size_t point = first; point < first + head.slots; ++point) {
    const auto number = [&](std::size_t which) { return head.points.At(point, which); };
    key_points.positions.push_back(static_cast<float>(number(kX) * head.width));
    key_points.positions.push_back(static_cast<float>(number(kY) * head.height));
    key_points.confidence.push_back(Sigmoid(number(kFindable)));
    const std::array<float, 4> covariance =
        Covariance(number(kLogL11), number(kL21), number(kLogL22), head.covariance_width, head.covariance_height);
    key_points.covariance.insert(key_points.covariance.end(), covariance.begin(), covariance.end());
  }
}

}  // namespace

KeyPoints GatherKeyPoints(const Matrix& attributes, const std::vector<std::int32_t>& indices, std::size_t slots) {
  KeyPoints key_points;
  key_points.positions.reserve(2 * indices.size() * slots);
  key_points.confidence.reserve(indices.size() * slots);
  for (const std::int32_t index : indices) {
    const auto candidate = static_cast<std::size_t>(index);
    for (std::size_t attribute = 0; attribute < slots * kNumbersAPoint; attribute += kNumbersAPoint) {
      key_points.positions.push_back(attributes.At(candidate, attribute));
      key_points.positions.push_back(attributes.At(candidate, attribute + 1));
      key_points.confidence.push_back(attributes.At(candidate, attribute + 2));
    }
  }
  return key_points;
}

Instances DecodeKeyPointQueries(const KeyPointQueriesHead& head, const Thresholds& thresholds, std::size_t limit) {
  std::vector<Pair> pairs;
  Fusion fusion(head.slots);
  for (std::size_t query = 0; query < head.queries; ++query) {
    for (std::size_t column = 0; column < head.classes; ++column) {
      const std::int32_t class_id = head.class_mapping[column];
      if (class_id < 0) continue;
      const std::size_t first = (query * head.classes + column) * head.slots;
      const float score = fusion.Score(Sigmoid(head.logits.At(query, column)), head.points, first);
      if (thresholds.Above(score, class_id)) pairs.push_back({score, class_id, query, first});
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.score > b.score; });
  if (pairs.size() > limit) pairs.resize(limit);

  Instances instances;
  for (const Pair& pair : pairs) {
    const Box box = BoxOf(head.boxes, BoxFormat::kCenterSize, pair.query);
    instances.detections.Add(box, pair.score, pair.class_id, static_cast<std::int32_t>(pair.query));
    AddPoints(head, pair.first_point, instances.key_points);
  }
  return instances;
}

}  // namespace im::detection
