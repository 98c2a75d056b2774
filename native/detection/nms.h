#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "detections.h"

namespace im::detection {

// Positions of the `limit` greatest scores, best first, equal scores in their order; those that are not numbers are left out.
std::vector<std::int32_t> OrderByScore(const std::vector<float>& scores, std::size_t limit = SIZE_MAX);

// Greedy non-maximum suppression: best first, a box stays unless a box of the same class that stays has a greater IoU with it
// than the threshold. IoU in float32, area (x2 - x1) * (y2 - y1); 0/0 suppresses nothing. Returns at most `limit` positions,
// best first. `class_ids` null: all boxes compete. Time is boxes times survivors per class at worst, memory is linear.
std::vector<std::int32_t> NonMaximumSuppression(const std::vector<Box>& boxes, const std::vector<float>& scores,
                                                const std::vector<std::int32_t>* class_ids, float iou_threshold,
                                                std::size_t limit);

// Best first, after suppression (if any) and the limit.
Detections SelectBest(const Detections& candidates, const Limits& limits);

}  // namespace im::detection
