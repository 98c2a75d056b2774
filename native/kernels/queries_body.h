// What threads of the kernels for query heads do: of all (query, class) pairs the most probable ones, as detection::SelectQueries
// chooses them. Compiled like detection_body.h, into the same file of kernels.
//
// Two launches, the second of which need not know on the host what the first found:
//   gather  a thread per pair: who could be among the best, in any order
//   place   a thread per pair that is to be reported: how many are better, and how many of those are reported
#pragma once

#include <cstdint>

#include "detection/sigmoid.h"
#include "kernels/batch_matrix.h"
#include "kernels/found.h"
#include "kernels/gather.h"
#include "kernels/team.h"

namespace im::kernels {

// The only argument of each kernel.
struct QueriesArguments {
  BatchMatrix boxes;   // center x, center y, width, height
  BatchMatrix logits;  // attribute stride 1, candidate stride = classes
  const RunSettings* settings = nullptr;
  // By column of the logits: the reported class, negative = none, and its threshold.
  const std::int32_t* class_ids = nullptr;
  const float* thresholds = nullptr;
  // Working memory, as many as there are pairs for each picture, as they were gathered: the key, the class to be reported or -1,
  // the probability.
  std::uint32_t* gathered = nullptr;  // one count per picture; 0 at the beginning
  std::uint64_t* keys = nullptr;
  std::int32_t* reported = nullptr;
  float* scores = nullptr;
  // Results: `limit` per picture, and how many of them there are.
  Found* found = nullptr;
  std::uint32_t* found_count = nullptr;
  std::int32_t queries = 0;
  std::int32_t classes = 0;
  std::int32_t limit = 0;
};

// Pairs that no class lets pass need not compete: every better pair is still there.
template <typename Team>
IM_HOST_DEVICE void GatherPairs(const Team& team, const QueriesArguments& arguments, unsigned block, unsigned picture,
                                PairsShared& shared) {
  const auto pairs = static_cast<std::uint32_t>(arguments.queries * arguments.classes);
  const std::uint64_t start = static_cast<std::uint64_t>(picture) * pairs;
  GatherPassing(
      team, arguments.gathered + picture, shared,
      [&](int i, GatheredPair& item) {
        const std::uint32_t pair = block * kGatherBlock + static_cast<std::uint32_t>(i);
        if (pair == 0) arguments.found_count[picture] = 0;
        if (pair >= pairs) return false;
        const float logit = arguments.logits.At(picture, 0, pair);
        // Most pairs are background, and the exact function is dear. NaN ends here too.
        if (!(logit >= arguments.settings->logit_bound)) return false;
        item = {detection::Sigmoid(logit), pair};
        return item.score > arguments.settings->lowest;
      },
      [&](std::uint32_t number, const GatheredPair& item) {
        const std::uint64_t place = start + number;
        const std::uint32_t column = item.pair % static_cast<std::uint32_t>(arguments.classes);
        const std::int32_t class_id = arguments.class_ids[column];
        arguments.keys[place] = detection::ScoreKey(item.score, item.pair);
        arguments.reported[place] = class_id >= 0 && item.score > arguments.thresholds[column] ? class_id : -1;
        arguments.scores[place] = item.score;
      });
}

// Keys are all different, so are the places. Classes that are not reported take places among the best all the same.
IM_HOST_DEVICE void PlacePair(const QueriesArguments& arguments, unsigned gathered, unsigned picture) {
  const std::uint32_t count = arguments.gathered[picture];
  if (gathered >= count) return;
  const std::int64_t start = static_cast<std::int64_t>(picture) * arguments.queries * arguments.classes;
  const std::uint64_t* keys = arguments.keys + start;
  const std::int32_t* reported = arguments.reported + start;
  if (reported[gathered] < 0) return;
  const std::uint64_t key = keys[gathered];
  std::int32_t better = 0;
  std::int32_t better_reported = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    if (keys[i] >= key) continue;
    better_reported += reported[i] >= 0 ? 1 : 0;
    if (++better >= arguments.queries) return;
  }
  if (better_reported >= arguments.limit) return;
  const std::int32_t query = detection::PositionOf(key) / arguments.classes;
  const Box box = BoxOf(arguments.boxes.Of(picture), detection::BoxFormat::kCenterSize, static_cast<std::size_t>(query));
  // Which of them is the last nobody knows without asking all once more.
  CountUp(arguments.found_count + picture);
  arguments.found[static_cast<std::int64_t>(picture) * arguments.limit + better_reported] = {
      box, arguments.scores[start + gathered], reported[gathered], query, 0};
}

}  // namespace im::kernels
