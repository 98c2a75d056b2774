// Key points of instances: read from behind the attributes of a YOLO head, or decoded together with RF-DETR's queries.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "detections.h"
#include "key_point_arithmetic.h"

namespace im::detection {

// For each instance `slots` points, one after the other.
struct KeyPoints {
  std::vector<float> positions;   // x, y
  std::vector<float> confidence;  // 0 to 1
  std::vector<float> covariance;  // 2 x 2; empty where the network does not say
};

// What a YOLO head has for a point: x, y, confidence.
constexpr std::size_t kNumbersAPoint = 3;

// The points of the candidates `indices`, which must lie within `attributes`.
KeyPoints GatherKeyPoints(const Matrix& attributes, const std::vector<std::int32_t>& indices, std::size_t slots);

// What RF-DETR has for a point, at least; see key_point_arithmetic.h.
constexpr std::size_t kNumbersAQueryPoint = 7;

// RF-DETR with key points: every query has a box, a logit for each class, and for each class a block of points.
struct KeyPointQueriesHead {
  Matrix boxes;   // center x, center y, width, height as fractions
  Matrix logits;  // attribute stride 1, candidate stride = classes
  Matrix points;  // a candidate is a point: classes x slots of them for each query
  std::size_t queries = 0;
  std::size_t classes = 0;
  std::size_t slots = 0;
  std::vector<std::int32_t> class_mapping;  // per class: the reported id, negative = dropped
  KeyPointScale scale{1, 1, 1, 1};
};

struct Instances {
  Detections detections;
  KeyPoints key_points;
};

// All pairs of query and class that are reported and whose score is above its threshold, best first, equal ones by position, at
// most `limit`. The score is the class's probability, lowered by the uncertainty of the points that can be found.
Instances DecodeKeyPointQueries(const KeyPointQueriesHead& head, const Thresholds& thresholds, std::size_t limit);

}  // namespace im::detection
