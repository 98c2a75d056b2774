#include "key_points.h"

#include <algorithm>
#include <iterator>

namespace im::detection {
namespace {

struct Pair {
  float score;
  std::int32_t class_id;
  std::size_t query;
  std::size_t first_point;
};

void AddPoints(const KeyPointQueriesHead& head, std::size_t first, KeyPoints& key_points) {
  for (std::size_t point = first; point < first + head.slots; ++point) {
    const LocatedPoint located = Locate(head.points, point, head.scale);
    key_points.positions.insert(key_points.positions.end(), {located.x, located.y});
    key_points.confidence.push_back(located.confidence);
    const auto& values = located.covariance.values;
    key_points.covariance.insert(key_points.covariance.end(), std::begin(values), std::end(values));
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
  std::vector<PointShare> shares(head.slots);
  for (std::size_t query = 0; query < head.queries; ++query) {
    for (std::size_t column = 0; column < head.classes; ++column) {
      const std::int32_t class_id = head.class_mapping[column];
      if (class_id < 0) continue;
      const std::size_t first = (query * head.classes + column) * head.slots;
      for (std::size_t i = 0; i < head.slots; ++i) shares[i] = ShareOf(head.points, first + i);
      const float score = FusedScore(Sigmoid(head.logits.At(query, column)), shares.data(), head.slots);
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
