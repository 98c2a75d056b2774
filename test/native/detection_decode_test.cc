#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

#include "detection/dense.h"
#include "detection/nms.h"
#include "detection/queries.h"
#include "detection/rows.h"
#include "detection/sigmoid.h"

namespace im::detection {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();
using Numbers = std::vector<float>;
using Ids = std::vector<std::int32_t>;

TEST(ViewMatrix, AcceptsWhatFitsExactlyAndNothingMore) {
  const Numbers numbers(20);
  const auto fits = [&](MatrixLayout layout, std::size_t candidates, std::size_t attributes) {
    return ViewMatrix(numbers.data(), numbers.size(), layout, candidates, attributes, "head").ok();
  };
  EXPECT_TRUE(fits({0, 1, 5}, 5, 4));
  EXPECT_TRUE(fits({0, 4, 1}, 5, 4));
  EXPECT_TRUE(fits({16, 4, 1}, 1, 4));
  EXPECT_TRUE(fits({19, 0, 0}, 1, 1));
  EXPECT_FALSE(fits({1, 1, 5}, 5, 4));
  EXPECT_FALSE(fits({0, 4, 1}, 6, 4));
  EXPECT_FALSE(fits({20, 1, 1}, 1, 1));
  EXPECT_FALSE(fits({0, 0, 1}, 2, 4)) << "elements would repeat";
  EXPECT_FALSE(fits({0, 4, 0}, 2, 4)) << "elements would repeat";
  EXPECT_FALSE(fits({0, 1, 1}, 12, 8)) << "more elements than the array has";
  EXPECT_TRUE(fits({0, 0, 0}, 0, 4));
}

TEST(ViewMatrix, DoesNotOverflow) {
  const Numbers numbers(20);
  constexpr std::size_t kHuge = std::numeric_limits<std::size_t>::max();
  for (const std::size_t a : {std::size_t{1}, kHuge / 4, kHuge / 2 + 1, kHuge}) {
    for (const std::size_t b : {std::size_t{1}, kHuge / 4, kHuge / 2 + 1, kHuge}) {
      EXPECT_FALSE(ViewMatrix(numbers.data(), numbers.size(), {0, a, b}, 21, 21, "head").ok());
      EXPECT_FALSE(ViewMatrix(numbers.data(), numbers.size(), {0, 1, 1}, a, 21 * b, "head").ok());
      EXPECT_FALSE(ViewMatrix(numbers.data(), numbers.size(), {kHuge, a, b}, 2, 2, "head").ok());
    }
    EXPECT_FALSE(ViewMatrix(numbers.data(), numbers.size(), {1, a, 1}, 21, 1, "head").ok());
  }
}

TEST(Sigmoid, IsTheLogisticFunctionRoundedToFloat) {
  for (float x = -110.0f; x < 110.0f; x += 0.37f) {
    const auto expected = static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(x))));
    EXPECT_NEAR(Sigmoid(x), expected, std::nextafter(expected, 1.0f) - expected) << x;
  }
  EXPECT_EQ(Sigmoid(0.0f), 0.5f);
  EXPECT_EQ(Sigmoid(kInfinity), 1.0f);
  EXPECT_EQ(Sigmoid(-kInfinity), 0.0f);
  EXPECT_TRUE(std::isnan(Sigmoid(kNan)));
}

TEST(Sigmoid, BoundsNeverExcludeWhatPasses) {
  std::mt19937 random(3);
  for (int i = 0; i < 200000; ++i) {
    const float logit = static_cast<float>(random()) / 4294967296.0f * 60.0f - 30.0f;
    const float p = Sigmoid(logit);
    ASSERT_GE(logit, LogitBound(std::nextafter(p, 0.0f))) << logit;
    ASSERT_GE(logit, TieBound(std::nextafter(logit, 100.0f), p)) << logit;
  }
  EXPECT_EQ(LogitBound(0.0f), -kInfinity);
  EXPECT_EQ(LogitBound(-1.0f), -kInfinity);
  EXPECT_LT(LogitBound(1.0f), 7.0f);
}

TEST(Thresholds, IdsWithoutThresholdNeverPass) {
  const Thresholds thresholds({0.5f, 0.2f});
  EXPECT_TRUE(thresholds.Above(0.3f, 1));
  EXPECT_FALSE(thresholds.Above(0.3f, 0));
  EXPECT_FALSE(thresholds.Above(1.0f, 2));
  EXPECT_FALSE(thresholds.AtLeast(1.0f, -1));
  EXPECT_FALSE(thresholds.Above(kNan, 0));
  EXPECT_EQ(thresholds.lowest(), 0.2f);
  EXPECT_TRUE(Thresholds({0.5f}).Above(0.6f, 1000));
}

DenseHead ChannelsFirst(const Numbers& data, std::size_t candidates, std::size_t classes) {
  DenseHead head;
  head.candidates = candidates;
  head.classes = classes;
  head.boxes = {data.data(), 1, candidates};
  head.scores = {data.data() + 4 * candidates, 1, candidates};
  return head;
}

TEST(GatherDense, TakesTheFirstOfEqualClassesStrictlyAboveTheThreshold) {
  const Numbers data{10,   10,   10,   10,    // cx
                     20,   20,   20,   20,    // cy
                     4,    4,    4,    4,     // width
                     8,    8,    8,    8,     // height
                     0.5f, 0.7f, kNan, kNan,  // class 0
                     0.4f, 0.7f, 0.6f, kNan};
  const Detections found = GatherDense(ChannelsFirst(data, 4, 2), Thresholds({0.5f}));
  EXPECT_EQ(found.indices, (Ids{1, 2}));
  EXPECT_EQ(found.class_ids, (Ids{0, 1}));
  EXPECT_EQ(found.scores, (Numbers{0.7f, 0.6f}));
  EXPECT_EQ(found.boxes[0].x1, 8);
  EXPECT_EQ(found.boxes[0].y1, 16);
  EXPECT_EQ(found.boxes[0].x2, 12);
  EXPECT_EQ(found.boxes[0].y2, 24);
}

TEST(GatherDense, GateJudgesObjectnessAndReportsTheClassScore) {
  const Numbers data{1, 1, 2, 2, 0.9f, 0.1f, 0.05f, 1, 1, 2, 2, 0.4f, 1.0f, 0.0f, 1, 1, 2, 2, 0.9f, kNan, -kInfinity};
  DenseHead head;
  head.candidates = 3;
  head.classes = 2;
  head.boxes = {data.data(), 7, 1};
  head.objectness = {data.data() + 4, 7, 1};
  head.scores = {data.data() + 5, 7, 1};
  head.objectness_use = ObjectnessUse::kGate;
  const Detections found = GatherDense(head, Thresholds({0.5f}));
  EXPECT_EQ(found.indices, (Ids{0}));
  EXPECT_EQ(found.scores, (Numbers{0.1f}));
}

TEST(GatherDense, ProductsThatRoundToOneValueGoToTheFirstClass) {
  // Both sigmoids are 1 in float32, though the second logit is greater.
  const Numbers boxes{0, 0, 1, 1}, scores{30, 40, 5}, objectness{2};
  DenseHead head{
      1, 3, {boxes.data(), 4, 1}, BoxFormat::kCorners, {scores.data(), 3, 1}, {objectness.data(), 1, 1}, ObjectnessUse::kProduct};
  const Detections found = GatherDense(head, Thresholds({0.5f}));
  EXPECT_EQ(found.class_ids, (Ids{0}));
  EXPECT_EQ(found.scores, (Numbers{Sigmoid(2.0f)}));
}

// Every layout and path (crowded and sparse blocks, several blocks) finds the same.
TEST(GatherDense, LayoutDoesNotMatter) {
  std::mt19937 random(4);
  for (const std::size_t candidates : {1, 7, 1023, 1024, 1025, 3000}) {
    for (const std::size_t classes : {1, 3, 17}) {
      for (const ObjectnessUse use : {ObjectnessUse::kNone, ObjectnessUse::kProduct, ObjectnessUse::kGate}) {
        for (const float threshold : {0.05f, 0.5f, 0.9f}) {
          const std::size_t attributes = 5 + classes;
          Numbers first(candidates * attributes), last(candidates * attributes), strided(candidates * attributes * 2 - 1);
          for (std::size_t i = 0; i < candidates; ++i) {
            for (std::size_t a = 0; a < attributes; ++a) {
              const float value = random() % 50 == 0 ? kNan : static_cast<float>(random() % 100) / 100.0f;
              first[a * candidates + i] = last[i * attributes + a] = strided[2 * (i * attributes + a)] = value;
            }
          }
          const auto decode = [&](const float* data, std::size_t candidate_stride, std::size_t attribute_stride) {
            const auto matrix = [&](std::size_t a) {
              return Matrix{data + a * attribute_stride, candidate_stride, attribute_stride};
            };
            return GatherDense({candidates, classes, matrix(0), BoxFormat::kCorners, matrix(5), matrix(4), use},
                               Thresholds({threshold}));
          };
          const Detections a = decode(first.data(), 1, candidates);
          const Detections b = decode(last.data(), attributes, 1);
          const Detections c = decode(strided.data(), 2 * attributes, 2);
          ASSERT_EQ(a.indices, b.indices);
          ASSERT_EQ(a.indices, c.indices);
          ASSERT_EQ(a.class_ids, b.class_ids);
          ASSERT_EQ(a.class_ids, c.class_ids);
          ASSERT_EQ(a.scores, b.scores);
          ASSERT_EQ(a.scores, c.scores);
        }
      }
    }
  }
}

TEST(GatherDense, MovesAndStretchesPriors) {
  // Two candidates with a class each: offsets, then the score.
  const Numbers data{0, 0, 0, 0, 0.9f, 1, -2, 5, -5, 0.8f};
  const Numbers priors{0.5f, 0.5f, 0.25f, 0.5f, 0.25f, 0.75f, 0.5f, 0.125f};
  DenseHead head;
  head.candidates = 2;
  head.classes = 1;
  head.boxes = {data.data(), 5, 1};
  head.box_format = BoxFormat::kOffsets;
  head.priors = {priors.data(), 4, 1};
  head.input_size = {64, 32};
  head.scores = {data.data() + 4, 5, 1};
  const Detections found = GatherDense(head, Thresholds({0.5f}));
  ASSERT_EQ(found.size(), 2u);
  const Box& still = found.boxes[0];
  EXPECT_EQ((Numbers{still.x1, still.y1, still.x2, still.y2}), (Numbers{24, 8, 40, 24}));
  const Box& moved = found.boxes[1];
  EXPECT_NEAR((moved.x1 + moved.x2) / 2, (0.25 + 0.1 * 1 * 0.5) * 64, 1e-4);
  EXPECT_NEAR((moved.y1 + moved.y2) / 2, (0.75 + 0.1 * -2 * 0.125) * 32, 1e-4);
  EXPECT_NEAR(moved.x2 - moved.x1, 0.5 * std::exp(1.0) * 64, 1e-4);
  EXPECT_NEAR(moved.y2 - moved.y1, 0.125 * std::exp(-1.0) * 32, 1e-4);
}

TEST(FilterRows, KeepsGraphOrderUpToTheLimit) {
  const Numbers data{0, 0, 1, 1, 0.5f, 0, 9, 0, 0, 1, 1, 0.9f, 1, 9, 0, 0, 1, 1, 0.4f, 0, 9, 0, 0, 1, 1, 0.6f, 0, 9};
  const RowsHead inclusive{{data.data(), 7, 1}, 4, true};
  EXPECT_EQ(FilterRows(inclusive, Thresholds({0.5f}), 100).indices, (Ids{0, 1, 3}));
  EXPECT_EQ(FilterRows(inclusive, Thresholds({0.5f}), 2).indices, (Ids{0, 1}));
  EXPECT_TRUE(FilterRows(inclusive, Thresholds({0.5f}), 0).indices.empty());
  const RowsHead exclusive{{data.data(), 7, 1}, 4, false};
  EXPECT_EQ(FilterRows(exclusive, Thresholds({0.5f}), 100).indices, (Ids{1, 3}));
}

TEST(FilterRows, ClassIdsThatAreNoIntegersDoNotPass) {
  for (const float id : {kNan, kInfinity, -kInfinity, 3e9f, -3e9f, 2147483648.0f}) {
    const Numbers data{0, 0, 1, 1, 1, id};
    EXPECT_EQ(FilterRows({{data.data(), 6, 1}, 1, true}, Thresholds({0.0f}), 100).size(), 0u) << id;
  }
  const Numbers data{0, 0, 1, 1, 0, -1};
  EXPECT_EQ(FilterRows({{data.data(), 6, 1}, 1, true}, Thresholds({0.0f}), 100).class_ids, (Ids{-1}));
}

QueriesHead Queries(const Numbers& boxes, const Numbers& logits, Ids mapping) {
  const std::size_t classes = mapping.size();
  return {{boxes.data(), 4, 1}, {logits.data(), classes, 1}, boxes.size() / 4, classes, std::move(mapping)};
}

TEST(SelectQueries, DroppedClassesTakePlaces) {
  const Numbers boxes(8, 0.5f);
  const Numbers logits{3, 5, 2, 4};  // the dropped class 1 holds both places
  EXPECT_EQ(SelectQueries(Queries(boxes, logits, {0, -1}), Thresholds({0.1f}), 100).size(), 0u);
  const Detections found = SelectQueries(Queries(boxes, logits, {-1, 7}), Thresholds({0.1f}), 100);
  EXPECT_EQ(found.indices, (Ids{0, 1}));
  EXPECT_EQ(found.class_ids, (Ids{7, 7}));
}

TEST(SelectQueries, EqualProbabilitiesGoByPosition) {
  const Numbers boxes(12, 0.5f);
  const Numbers logits{20, 60, 50, 40, 0, 70};  // all but one are 1 in float32
  const Detections found = SelectQueries(Queries(boxes, logits, {0, 1}), Thresholds({0.1f}), 100);
  EXPECT_EQ(found.indices, (Ids{0, 0, 1}));
  EXPECT_EQ(found.class_ids, (Ids{0, 1, 0}));
}

TEST(SelectQueries, NanTakesNoPlace) {
  const Numbers boxes(4, 0.5f);
  EXPECT_EQ(SelectQueries(Queries(boxes, {kNan, -2}, {0, 1}), Thresholds({0.0f}), 100).class_ids, (Ids{1}));
}

TEST(SelectBest, TruncatesOverAllClassesTogether) {
  Detections candidates;
  for (std::int32_t i = 0; i < 6; ++i) candidates.Add({0, 0, 1, 1}, static_cast<float>(i) / 10, i, i);
  EXPECT_EQ(SelectBest(candidates, {0.5f, false, 2}).indices, (Ids{5, 4}));
  EXPECT_EQ(SelectBest(candidates, {0.5f, true, 2}).indices, (Ids{5}));
  EXPECT_EQ(SelectBest(candidates, {std::nullopt, true, 3}).indices, (Ids{5, 4, 3}));
}

}  // namespace
}  // namespace im::detection
