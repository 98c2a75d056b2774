#include "detection/key_points.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace im::detection {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// One query for each logit, of one class, with one point at (0.25, 0.5) that can be found as well as not, known to 1/32 both
// ways.
struct Queries {
  explicit Queries(std::vector<float> given) : logits(std::move(given)) {
    for (std::size_t i = 0; i < logits.size(); ++i) {
      boxes.insert(boxes.end(), {0.5f, 0.5f, 0.25f, 0.125f});
      const float log_factor = std::log(32.0f);
      points.insert(points.end(), {0.25f, 0.5f, 0.0f, 0.0f, log_factor, 0.0f, log_factor});
    }
  }

  KeyPointQueriesHead head() const {
    KeyPointQueriesHead head;
    head.queries = logits.size();
    head.classes = head.slots = 1;
    head.boxes = {boxes.data(), 4, 1};
    head.logits = {logits.data(), 1, 1};
    head.points = {points.data(), kNumbersAQueryPoint, 1};
    head.class_mapping = {7};
    head.scale = {640, 480, 64, 32};
    return head;
  }

  std::vector<float> boxes, logits, points;
};

TEST(KeyPointsTest, LowersScoresByTheUncertaintyOfPoints) {
  const Queries queries({0.0f});
  const Instances found = DecodeKeyPointQueries(queries.head(), Thresholds({0.0f}), SIZE_MAX);
  ASSERT_EQ(found.detections.size(), 1u);
  // The trace of the covariance is 2/1024.
  const double certain = 0.5 * std::pow(512.0, 0.2);
  EXPECT_NEAR(found.detections.scores[0], certain / (1 + certain), 1e-6);
  EXPECT_EQ(found.detections.class_ids[0], 7);
  EXPECT_EQ(found.key_points.positions, (std::vector<float>{160, 240}));
  EXPECT_EQ(found.key_points.confidence, std::vector<float>{0.5f});
  ASSERT_EQ(found.key_points.covariance.size(), 4u);
  EXPECT_NEAR(found.key_points.covariance[0], 4.0, 1e-5);
  EXPECT_EQ(found.key_points.covariance[1], 0.0f);
  EXPECT_EQ(found.key_points.covariance[2], 0.0f);
  EXPECT_NEAR(found.key_points.covariance[3], 1.0, 1e-5);
}

TEST(KeyPointsTest, PutsTheBestQueriesFirstUpToTheLimit) {
  const Queries queries({-2.0f, 3.0f, 1.0f, 3.0f});
  EXPECT_EQ(DecodeKeyPointQueries(queries.head(), Thresholds({0.0f}), SIZE_MAX).detections.indices,
            (std::vector<std::int32_t>{1, 3, 2, 0}));
  const Instances two = DecodeKeyPointQueries(queries.head(), Thresholds({0.0f}), 2);
  EXPECT_EQ(two.detections.indices, (std::vector<std::int32_t>{1, 3}));
  EXPECT_EQ(two.key_points.confidence.size(), 2u);
}

TEST(KeyPointsTest, PassesOverWhatIsNotANumberAndWhatIsNotReported) {
  Queries queries({0.0f, 0.0f, kNaN});
  queries.points[4] = kNaN;
  EXPECT_EQ(DecodeKeyPointQueries(queries.head(), Thresholds({0.0f}), SIZE_MAX).detections.indices, std::vector<std::int32_t>{1});
  KeyPointQueriesHead unreported = queries.head();
  unreported.class_mapping = {-1};
  EXPECT_EQ(DecodeKeyPointQueries(unreported, Thresholds({0.0f}), SIZE_MAX).detections.size(), 0u);
}

TEST(KeyPointsTest, SaysThatACovarianceIsNotFinite) {
  Queries queries({0.0f});
  queries.points[4] = -1000.0f;
  const Instances found = DecodeKeyPointQueries(queries.head(), Thresholds({-1.0f}), SIZE_MAX);
  ASSERT_EQ(found.key_points.covariance.size(), 4u);
  for (const float value : found.key_points.covariance) EXPECT_TRUE(std::isnan(value));
}

TEST(KeyPointsTest, GathersFromBothLayouts) {
  const std::vector<float> by_candidate{1, 2, 0.1f, 3, 4, 0.2f, 5, 6, 0.3f, 7, 8, 0.4f};
  const KeyPoints rows = GatherKeyPoints({by_candidate.data(), 6, 1}, {1, 0}, 2);
  EXPECT_EQ(rows.positions, (std::vector<float>{5, 6, 7, 8, 1, 2, 3, 4}));
  EXPECT_EQ(rows.confidence, (std::vector<float>{0.3f, 0.4f, 0.1f, 0.2f}));
  const std::vector<float> by_attribute{1, 5, 2, 6, 0.1f, 0.3f, 3, 7, 4, 8, 0.2f, 0.4f};
  const KeyPoints columns = GatherKeyPoints({by_attribute.data(), 1, 2}, {1, 0}, 2);
  EXPECT_EQ(columns.positions, rows.positions);
  EXPECT_EQ(columns.confidence, rows.confidence);
}

}  // namespace
}  // namespace im::detection
