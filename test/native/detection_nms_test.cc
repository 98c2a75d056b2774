#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "detection/nms.h"

namespace im::detection {
namespace {

using Order = std::vector<std::int32_t>;

float Overlap(const Box& a, const Box& b) {
  const float width = std::max(0.0f, std::min(a.x2, b.x2) - std::max(a.x1, b.x1));
  const float height = std::max(0.0f, std::min(a.y2, b.y2) - std::max(a.y1, b.y1));
  const float both = width * height;
  return both / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - both);
}

// As the definition says it, without any cleverness.
Order Plain(const std::vector<Box>& boxes, const std::vector<float>& scores, const std::vector<std::int32_t>& classes, float threshold) {
  Order order(boxes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
  Order kept;
  for (const auto candidate : order) {
    const auto i = static_cast<std::size_t>(candidate);
    bool suppressed = false;
    for (const auto other : kept) {
      const auto k = static_cast<std::size_t>(other);
      suppressed = suppressed || (classes[k] == classes[i] && Overlap(boxes[k], boxes[i]) > threshold);
    }
    if (!suppressed) kept.push_back(candidate);
  }
  return kept;
}

TEST(NonMaximumSuppression, EqualsTheDefinitionOnRandomBoxes) {
  std::mt19937 random(7);
  for (int round = 0; round < 60; ++round) {
    const std::size_t count = random() % 1500;
    const int class_count = 1 + static_cast<int>(random() % 5);
    std::vector<Box> boxes;
    std::vector<float> scores;
    std::vector<std::int32_t> classes;
    for (std::size_t i = 0; i < count; ++i) {
      const auto x = static_cast<float>(random() % 100);
      const auto y = static_cast<float>(random() % 100);
      boxes.push_back({x, y, x + static_cast<float>(random() % 30), y + static_cast<float>(random() % 30)});
      scores.push_back(static_cast<float>(random() % 50) / 50.0f);  // many ties
      classes.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(class_count)) * (round % 2 == 0 ? 1 : -100000));
    }
    const Order expected = Plain(boxes, scores, classes, 0.4f);
    EXPECT_EQ(NonMaximumSuppression(boxes, scores, &classes, 0.4f, SIZE_MAX), expected);
    const std::size_t limit = expected.size() / 2;
    EXPECT_EQ(NonMaximumSuppression(boxes, scores, &classes, 0.4f, limit), Order(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(limit)));
  }
}

TEST(NonMaximumSuppression, KeepsEqualOverlapAndLeavesOutWhatIsNoNumber) {
  const std::vector<Box> boxes{{0, 0, 2, 2}, {0, 0, 2, 1}, {5, 5, 5, 5}, {5, 5, 5, 5}};
  const std::vector<float> scores{0.9f, 0.8f, 0.7f, NAN};
  EXPECT_EQ(NonMaximumSuppression(boxes, scores, nullptr, 0.5f, SIZE_MAX), (Order{0, 1, 2}));
  EXPECT_EQ(NonMaximumSuppression(boxes, scores, nullptr, 0.49f, SIZE_MAX), (Order{0, 2}));
  EXPECT_EQ(NonMaximumSuppression({}, {}, nullptr, 0.5f, SIZE_MAX), Order{});
}

}  // namespace
}  // namespace im::detection
