#include <gtest/gtest.h>

#include <cmath>
#include <limits>
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
Order Plain(const std::vector<Box>& boxes, const std::vector<float>& scores, const std::vector<std::int32_t>& classes,
            float threshold) {
  Order order(boxes.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(i);
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return scores[static_cast<std::size_t>(a)] > scores[static_cast<std::size_t>(b)]; });
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
      classes.push_back(static_cast<std::int32_t>(random() % static_cast<unsigned>(class_count)) *
                        (round % 2 == 0 ? 1 : -100000));
    }
    const Order expected = Plain(boxes, scores, classes, 0.4f);
    EXPECT_EQ(NonMaximumSuppression(boxes, scores, &classes, 0.4f, SIZE_MAX), expected);
    const std::size_t limit = expected.size() / 2;
    EXPECT_EQ(NonMaximumSuppression(boxes, scores, &classes, 0.4f, limit),
              Order(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(limit)));
  }
}

TEST(NonMaximumSuppression, KeepsEqualOverlapAndLeavesOutWhatIsNoNumber) {
  const std::vector<Box> boxes{{0, 0, 2, 2}, {0, 0, 2, 1}, {5, 5, 5, 5}, {5, 5, 5, 5}};
  const std::vector<float> scores{0.9f, 0.8f, 0.7f, NAN};
  EXPECT_EQ(NonMaximumSuppression(boxes, scores, nullptr, 0.5f, SIZE_MAX), (Order{0, 1, 2}));
  EXPECT_EQ(NonMaximumSuppression(boxes, scores, nullptr, 0.49f, SIZE_MAX), (Order{0, 2}));
  EXPECT_EQ(NonMaximumSuppression({}, {}, nullptr, 0.5f, SIZE_MAX), Order{});
}

TEST(OrderByScore, PutsTheGreatestFirstAndKeepsEqualScoresInOrder) {
  EXPECT_EQ(OrderByScore({0.5f, -1.0f, 0.5f, 0.9f, 0.0f, -0.0f}), (Order{3, 0, 2, 4, 5, 1}));
}

TEST(OrderByScore, LeavesOutWhatIsNotANumber) { EXPECT_EQ(OrderByScore({NAN, 0.1f, -NAN}), (Order{1})); }

TEST(OrderByScore, OrdersInfinities) {
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(OrderByScore({-infinity, 0.0f, infinity}), (Order{2, 1, 0}));
}

TEST(OrderByScore, GivesTheSameStartWhenLimited) {
  std::mt19937 random(1);
  std::vector<float> scores(1000);
  for (float& score : scores) score = static_cast<float>(random() % 50);
  Order all = OrderByScore(scores);
  all.resize(70);
  EXPECT_EQ(OrderByScore(scores, 70), all);
  EXPECT_TRUE(OrderByScore(scores, 0).empty());
}

TEST(NonMaximumSuppression, ClassesDoNotCompeteUnlessTold) {
  const std::vector<Box> boxes(3, Box{0, 0, 4, 4});
  const std::vector<std::int32_t> classes{std::numeric_limits<std::int32_t>::min(), 7, 7};
  EXPECT_EQ(NonMaximumSuppression(boxes, {0.1f, 0.2f, 0.3f}, &classes, 0.5f, SIZE_MAX), (Order{2, 0}));
  EXPECT_EQ(NonMaximumSuppression(boxes, {0.1f, 0.2f, 0.3f}, nullptr, 0.5f, SIZE_MAX), (Order{2}));
}

TEST(NonMaximumSuppression, BoxesWithoutAreaSuppressNothing) {
  const std::vector<Box> boxes(20, Box{5, 5, 5, 5});
  EXPECT_EQ(NonMaximumSuppression(boxes, std::vector<float>(20, 0.5f), nullptr, 0.0f, SIZE_MAX).size(), 20u);
}

TEST(NonMaximumSuppression, ABoxThatFellSuppressesNothing) {
  const std::vector<Box> boxes{{0, 0, 10, 1}, {4, 0, 14, 1}, {8, 0, 18, 1}};
  EXPECT_EQ(NonMaximumSuppression(boxes, {0.9f, 0.8f, 0.7f}, nullptr, 0.3f, SIZE_MAX), (Order{0, 2}));
}

TEST(NonMaximumSuppression, StopsAtTheLimit) {
  const std::vector<Box> boxes{{0, 0, 1, 1}, {2, 0, 3, 1}, {4, 0, 5, 1}};
  EXPECT_EQ(NonMaximumSuppression(boxes, {0.1f, 0.2f, 0.3f}, nullptr, 0.5f, 2), (Order{2, 1}));
  EXPECT_TRUE(NonMaximumSuppression(boxes, {0.1f, 0.2f, 0.3f}, nullptr, 0.5f, 0).empty());
}

TEST(NonMaximumSuppression, NegativeThresholdLeavesOneBoxPerClass) {
  // Also shows that unused places of the last group are never mistaken for boxes.
  const std::vector<Box> boxes{{0, 0, 1, 1}, {20, 20, 21, 21}, {40, 40, 41, 41}};
  const std::vector<std::int32_t> classes{0, 0, 1};
  EXPECT_EQ(NonMaximumSuppression(boxes, {0.3f, 0.2f, 0.1f}, &classes, -1.0f, SIZE_MAX), (Order{0, 2}));
}

}  // namespace
}  // namespace im::detection
