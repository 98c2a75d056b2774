#include "nms.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "kernels.h"

namespace im::detection {
namespace {

// The boxes that stay, in columns, each class in a stretch of its own that is large enough for all its boxes.
class KeptBoxes {
 public:
  // `slots[i]` in [0, slot_count) is the class of box i.
  KeptBoxes(const std::vector<std::int32_t>& slots, std::size_t slot_count) : starts_(slot_count), counts_(slot_count, 0) {
    std::vector<std::size_t> members(slot_count, 0);
    for (const std::int32_t slot : slots) ++members[static_cast<std::size_t>(slot)];
    std::size_t total = 0;
    for (std::size_t slot = 0; slot < slot_count; ++slot) {
      starts_[slot] = total;
      total += (members[slot] + kBoxGroup - 1) / kBoxGroup * kBoxGroup;
    }
    for (auto& column : columns_) column.assign(total, 0.0f);
    // Entries in the last group that hold no box yet: an area that is not a number makes their IoU none either.
    std::fill(columns_[4].begin(), columns_[4].end(), std::numeric_limits<float>::quiet_NaN());
  }

  bool Overlap(std::size_t slot, const Box& box, float area, float iou_threshold) const {
    const std::size_t start = starts_[slot];
    const BoxColumns stretch{columns_[0].data() + start, columns_[1].data() + start, columns_[2].data() + start,
                             columns_[3].data() + start, columns_[4].data() + start};
    return kernels_.overlaps_any(stretch, counts_[slot], box, area, iou_threshold);
  }

  void Add(std::size_t slot, const Box& box, float area) {
    const std::size_t position = starts_[slot] + counts_[slot]++;
    columns_[0][position] = box.x1;
    columns_[1][position] = box.y1;
    columns_[2][position] = box.x2;
    columns_[3][position] = box.y2;
    columns_[4][position] = area;
  }

 private:
  const Kernels& kernels_ = ChosenKernels();
  std::vector<std::size_t> starts_;
  std::vector<std::size_t> counts_;
  std::vector<float> columns_[5];
};

// Larger ids than any class list has are told apart by sorting.
constexpr std::int32_t kDirectIds = 1 << 16;

// Class ids are any integers; slots count from 0.
std::vector<std::int32_t> SlotsOf(const std::vector<std::int32_t>& class_ids, std::size_t& slot_count) {
  const auto [least, greatest] = std::minmax_element(class_ids.begin(), class_ids.end());
  if (class_ids.empty() || (*least >= 0 && *greatest < kDirectIds)) {
    slot_count = class_ids.empty() ? 1 : static_cast<std::size_t>(*greatest) + 1;
    return class_ids;
  }
  std::vector<std::int32_t> distinct = class_ids;
  std::sort(distinct.begin(), distinct.end());
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  slot_count = distinct.size();
  std::vector<std::int32_t> slots(class_ids.size());
  std::transform(class_ids.begin(), class_ids.end(), slots.begin(), [&](std::int32_t id) {
    return static_cast<std::int32_t>(std::lower_bound(distinct.begin(), distinct.end(), id) - distinct.begin());
  });
  return slots;
}

// Positions in the keys make an unstable sort stable.
std::vector<std::uint64_t> ScoreKeys(const std::vector<float>& scores) {
  std::vector<std::uint64_t> keys;
  keys.reserve(scores.size());
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (!std::isnan(scores[i])) keys.push_back(ScoreKey(scores[i], i));
  }
  return keys;
}

// Positions best first, put in order only as far as they are asked for: suppression with a limit rarely gets to the end.
class BestFirst {
 public:
  explicit BestFirst(const std::vector<float>& scores) : keys_(ScoreKeys(scores)) {}

  // False at the end.
  bool Next(std::int32_t& position) {
    if (next_ == keys_.size()) return false;
    if (next_ == ordered_) OrderMore();
    position = PositionOf(keys_[next_++]);
    return true;
  }

 private:
  void OrderMore() {
    const std::size_t portion = std::max(kPortion, ordered_);
    const auto begin = keys_.begin() + static_cast<std::ptrdiff_t>(ordered_);
    ordered_ = std::min(keys_.size(), ordered_ + portion);
    const auto end = keys_.begin() + static_cast<std::ptrdiff_t>(ordered_);
    if (end != keys_.end()) std::nth_element(begin, end, keys_.end());
    std::sort(begin, end);
  }

  static constexpr std::size_t kPortion = 512;
  std::vector<std::uint64_t> keys_;
  std::size_t ordered_ = 0;
  std::size_t next_ = 0;
};

}  // namespace

std::vector<std::int32_t> OrderByScore(const std::vector<float>& scores, std::size_t limit) {
  std::vector<std::uint64_t> keys = ScoreKeys(scores);
  if (limit < keys.size()) {
    std::nth_element(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(limit), keys.end());
    keys.resize(limit);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::int32_t> order(keys.size());
  std::transform(keys.begin(), keys.end(), order.begin(), PositionOf);
  return order;
}

std::vector<std::int32_t> NonMaximumSuppression(const std::vector<Box>& boxes, const std::vector<float>& scores,
                                                const std::vector<std::int32_t>* class_ids, float iou_threshold,
                                                std::size_t limit) {
  std::size_t slot_count = 1;
  const std::vector<std::int32_t> slots =
      class_ids == nullptr ? std::vector<std::int32_t>(boxes.size(), 0) : SlotsOf(*class_ids, slot_count);
  KeptBoxes kept(slots, slot_count);
  std::vector<std::int32_t> survivors;
  BestFirst best_first(scores);
  std::int32_t position;
  while (survivors.size() < limit && best_first.Next(position)) {
    const auto i = static_cast<std::size_t>(position);
    const auto slot = static_cast<std::size_t>(slots[i]);
    const Box& box = boxes[i];
    const float area = Area(box);
    if (kept.Overlap(slot, box, area, iou_threshold)) continue;
    kept.Add(slot, box, area);
    survivors.push_back(position);
  }
  return survivors;
}

Detections SelectBest(const Detections& candidates, const Limits& limits) {
  std::vector<std::int32_t> order;
  if (limits.iou_threshold) {
    order = NonMaximumSuppression(candidates.boxes, candidates.scores, limits.class_agnostic ? nullptr : &candidates.class_ids,
                                  *limits.iou_threshold, limits.max_detections);
  } else {
    order = OrderByScore(candidates.scores, limits.max_detections);
  }
  Detections best;
  for (const std::int32_t position : order) {
    const auto i = static_cast<std::size_t>(position);
    best.Add(candidates.boxes[i], candidates.scores[i], candidates.class_ids[i], candidates.indices[i]);
  }
  return best;
}

}  // namespace im::detection
