// What threads of the kernels for queries with key points do, as detection::DecodeKeyPointQueries decodes them: of all (query,
// class) pairs that pass the best ones, with the points of each. Compiled like key_points_body.h, into the same file of kernels.
//
// Four launches, none of which needs to know on the host what the one before found:
//   weigh   a thread per point of every pair: its share of the score
//   gather  a thread per pair: its score, and who passes, in any order
//   place   a thread per pair that passed: its place is the number of those that are better
//   write   a thread per point of the pairs that stay, into memory of the host: no more than there are
#pragma once

#include <cstdint>

#include "detection/key_point_arithmetic.h"
#include "kernels/batch_matrix.h"
#include "kernels/found.h"
#include "kernels/gather.h"
#include "kernels/team.h"

namespace im::kernels {

// As devices write it in one piece.
struct alignas(8) PointPosition {
  float x, y;
};
struct alignas(16) StoredCovariance {
  detection::PointCovariance covariance;
};

// The only argument of each kernel.
struct KeyPointQueriesArguments {
  BatchMatrix boxes;   // center x, center y, width, height
  BatchMatrix logits;  // attribute stride 1, candidate stride = classes
  BatchMatrix points;  // a candidate is a point: classes x slots of them for each query
  // By column of the logits: the reported class, negative = none, and its threshold.
  const std::int32_t* class_ids = nullptr;
  const float* thresholds = nullptr;
  const detection::KeyPointScale* scales = nullptr;  // by picture
  // Working memory: for every point its share; for every pair, as they were gathered, key and score; for every place the pair.
  detection::PointShare* shares = nullptr;
  std::uint32_t* gathered = nullptr;  // one count per picture; 0 at the beginning
  std::uint64_t* keys = nullptr;
  float* scores = nullptr;
  std::int32_t* placed = nullptr;
  float* placed_scores = nullptr;
  // Results, in memory of the host: `limit` places for each picture, with `slots` points each, and how many of them are filled.
  std::uint32_t* found_count = nullptr;
  Found* found = nullptr;
  PointPosition* positions = nullptr;
  float* confidence = nullptr;
  StoredCovariance* covariance = nullptr;
  std::int32_t queries = 0;
  std::int32_t classes = 0;
  std::int32_t slots = 0;
  std::int32_t limit = 0;
};

IM_HOST_DEVICE std::uint32_t PairCount(const KeyPointQueriesArguments& arguments) {
  return static_cast<std::uint32_t>(arguments.queries) * static_cast<std::uint32_t>(arguments.classes);
}

IM_HOST_DEVICE void WeighPoint(const KeyPointQueriesArguments& arguments, unsigned point, unsigned picture) {
  const auto slots = static_cast<std::uint32_t>(arguments.slots);
  const std::uint32_t points = PairCount(arguments) * slots;
  if (point >= points) return;
  if (arguments.class_ids[point / slots % static_cast<std::uint32_t>(arguments.classes)] < 0) return;
  arguments.shares[static_cast<std::uint64_t>(picture) * points + point] =
      arguments.points.With(picture, [&](const auto& points) { return detection::ShareOf(points, point); });
}

template <typename Team>
IM_HOST_DEVICE void GatherKeyPointPairs(const Team& team, const KeyPointQueriesArguments& arguments, unsigned block,
                                        unsigned picture, PairsShared& shared) {
  const std::uint32_t pairs = PairCount(arguments);
  const std::uint64_t start = static_cast<std::uint64_t>(picture) * pairs;
  GatherPassing(
      team, arguments.gathered + picture, shared,
      [&](int i, GatheredPair& item) {
        const std::uint32_t pair = block * kGatherBlock + static_cast<std::uint32_t>(i);
        if (pair >= pairs) return false;
        const std::uint32_t column = pair % static_cast<std::uint32_t>(arguments.classes);
        if (arguments.class_ids[column] < 0) return false;
        const auto slots = static_cast<std::size_t>(arguments.slots);
        const float probability = detection::Sigmoid(arguments.logits.At(picture, 0, pair));
        item = {detection::FusedScore(probability, arguments.shares + (start + pair) * slots, slots), pair};
        return item.score > arguments.thresholds[column];
      },
      [&](std::uint32_t number, const GatheredPair& item) {
        arguments.keys[start + number] = detection::ScoreKey(item.score, item.pair);
        arguments.scores[start + number] = item.score;
      });
}

// Keys are all different, so are the places.
IM_HOST_DEVICE void PlaceKeyPointPair(const KeyPointQueriesArguments& arguments, unsigned gathered, unsigned picture) {
  const std::uint32_t count = arguments.gathered[picture];
  if (gathered >= count) return;
  const std::uint64_t start = static_cast<std::uint64_t>(picture) * PairCount(arguments);
  const std::uint64_t* keys = arguments.keys + start;
  const std::uint64_t key = keys[gathered];
  std::int32_t better = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (keys[i] < key && ++better >= arguments.limit) return;
  }
  if (better >= arguments.limit) return;
  const std::int64_t place = static_cast<std::int64_t>(picture) * arguments.limit + better;
  arguments.placed[place] = detection::PositionOf(key);
  arguments.placed_scores[place] = arguments.scores[start + gathered];
}

// Thread `thread` of `threads` that share a picture.
IM_HOST_DEVICE void WriteKeyPoints(const KeyPointQueriesArguments& arguments, std::uint32_t thread, std::uint32_t threads,
                                   unsigned picture) {
  const std::uint32_t gathered = arguments.gathered[picture];
  const auto limit = static_cast<std::uint32_t>(arguments.limit);
  const auto slots = static_cast<std::uint32_t>(arguments.slots);
  const auto classes = static_cast<std::uint32_t>(arguments.classes);
  const std::uint32_t count = gathered < limit ? gathered : limit;
  const detection::KeyPointScale scale = arguments.scales[picture];
  if (thread == 0) arguments.found_count[picture] = count;
  for (std::uint32_t i = thread; i < count * slots; i += threads) {
    const std::uint64_t place = static_cast<std::uint64_t>(picture) * limit + i / slots;
    const std::uint32_t slot = i % slots;
    const auto pair = static_cast<std::uint32_t>(arguments.placed[place]);
    if (slot == 0) {
      const std::uint32_t query = pair / classes;
      const Box box = arguments.boxes.With(
          picture, [&](const auto& boxes) { return BoxOf(boxes, detection::BoxFormat::kCenterSize, query); });
      arguments.found[place] = {box, arguments.placed_scores[place], arguments.class_ids[pair % classes],
                                static_cast<std::int32_t>(query), 0};
    }
    const std::size_t point = static_cast<std::size_t>(pair) * slots + slot;
    const std::uint64_t target = place * slots + slot;
    const detection::LocatedPoint located =
        arguments.points.With(picture, [&](const auto& points) { return detection::Locate(points, point, scale); });
    arguments.positions[target] = {located.x, located.y};
    arguments.confidence[target] = located.confidence;
    arguments.covariance[target] = {located.covariance};
  }
}

}  // namespace im::kernels
