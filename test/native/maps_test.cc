#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "image/antialias.h"
#include "maps/class_map.h"

namespace im::maps {
namespace {

Placement Filling(std::size_t width, std::size_t height) {
  Placement placement;
  placement.width = placement.canvas_width = width;
  placement.height = placement.canvas_height = height;
  return placement;
}

TEST(Antialias, WeightsAddUpToOneAndStayInTheInput) {
  for (const Kernel kernel : {Kernel::kTriangle, Kernel::kCubic, Kernel::kNearestCubic}) {
    for (std::size_t input = 1; input < 40; input += 3) {
      for (std::size_t output = 1; output < 40; output += 2) {
        const Taps taps = ComputeTaps(input, output, kernel);
        ASSERT_EQ(taps.taps.size(), output);
        for (const Tap& tap : taps.taps) {
          ASSERT_GE(tap.count, 1u);
          ASSERT_LE(tap.first + tap.count, input);
          double sum = 0;
          for (std::size_t k = 0; k < tap.count; ++k) sum += taps.weights[tap.weights + k];
          ASSERT_NEAR(sum, 1.0, 1e-5);
        }
      }
    }
  }
}

TEST(Antialias, KeepsWhatHasItsSizeAlready) {
  const Taps taps = ComputeTaps(5, 5, Kernel::kTriangle);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(taps.taps[i].first + (taps.weights[taps.taps[i].weights] == 1.0f ? 0 : 1), i);
  }
}

TEST(NearestCubic, LooksAtFourPositionsAlsoWhenShrinking) {
  const Taps taps = ComputeTaps(16, 4, Kernel::kNearestCubic);
  EXPECT_EQ(taps.taps[1].first, 4u);
  EXPECT_EQ(taps.taps[1].count, 4u);
  // Halfway between two positions: (-0.75 / 8, 0.5 + 0.75 / 8) on both sides.
  const float* weights = taps.weights.data() + taps.taps[1].weights;
  for (const float expected : {-0.09375f, 0.59375f, 0.59375f, -0.09375f}) EXPECT_FLOAT_EQ(*weights++, expected);
  // Beyond the end stands the outermost position.
  EXPECT_EQ(ComputeTaps(1, 3, Kernel::kNearestCubic).taps[0].count, 1u);
}

TEST(ValueMap, TakesTheFilterThatIsAskedFor) {
  const std::vector<float> map = {0, 0, 8, 8};
  std::vector<float> smooth(8);
  std::vector<float> cubic(8);
  ASSERT_TRUE(MakeValueMap({map.data(), 1, 4, 1}, Filling(8, 1), Kernel::kTriangle, smooth.data()).ok());
  ASSERT_TRUE(MakeValueMap({map.data(), 1, 4, 1}, Filling(8, 1), Kernel::kNearestCubic, cubic.data()).ok());
  EXPECT_GE(*std::min_element(smooth.begin(), smooth.end()), 0.0f);
  EXPECT_LT(*std::min_element(cubic.begin(), cubic.end()), 0.0f);  // the cubic overshoots
}

TEST(Placement, RefusesWhatCannotBe) {
  const std::vector<float> data(4, 0.0f);
  const DenseMap map{data.data(), 1, 2, 2};
  EXPECT_TRUE(Validate(map, Filling(3, 3)).ok());
  EXPECT_FALSE(Validate({data.data(), 0, 2, 2}, Filling(3, 3)).ok());
  EXPECT_FALSE(Validate({data.data(), 1, 70000, 1}, Filling(3, 3)).ok());
  EXPECT_FALSE(Validate(map, Filling(0, 3)).ok());
  EXPECT_FALSE(Validate(map, Filling(65535, 65535)).ok());  // more than 2^30 pixels
  Placement placement = Filling(3, 3);
  placement.trim_left = 2;
  EXPECT_FALSE(Validate(map, placement).ok());
  placement.trim_left = 5;
  placement.trim_right = -9;
  EXPECT_FALSE(Validate(map, placement).ok());
  placement = Filling(3, 3);
  placement.trim_top = std::numeric_limits<std::int64_t>::min();
  EXPECT_FALSE(Validate(map, placement).ok());
  placement = Filling(3, 3);
  placement.left = 1;
  EXPECT_FALSE(Validate(map, placement).ok());
}

TEST(ClassMap, ProbabilitiesAreASoftmax) {
  std::vector<float> logits;
  const std::size_t width = 400;
  for (std::size_t x = 0; x < width; ++x) logits.push_back(0.0f);
  for (std::size_t x = 0; x < width; ++x) logits.push_back(static_cast<float>(x) * 0.25f - 50.0f);
  std::vector<std::uint8_t> classes(width);
  std::vector<float> confidence(width);
  const ClassMapSettings settings{{0, 1}, 0, {0.0f}};
  ASSERT_TRUE(MakeClassMap({logits.data(), 2, width, 1}, Filling(width, 1), settings, classes.data(), confidence.data()).ok());
  for (std::size_t x = 0; x < width; ++x) {
    const double logit = static_cast<double>(x) * 0.25 - 50.0;
    EXPECT_NEAR(confidence[x], 1.0 / (1.0 + std::exp(-std::fabs(logit))), 1e-6) << logit;
    EXPECT_EQ(classes[x], logit > 0 ? 1 : 0);
  }
}

TEST(ClassMap, TakesNumbersThatAreNone) {
  constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  constexpr float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> logits = {nan, infinity, -infinity, infinity, 1, infinity, -infinity, 0};
  std::vector<std::uint8_t> classes(4, 9);
  std::vector<float> confidence(4, 9);
  const ClassMapSettings settings{{0, 1}, 0, {0.5f}};
  ASSERT_TRUE(MakeClassMap({logits.data(), 2, 4, 1}, Filling(4, 1), settings, classes.data(), confidence.data()).ok());
  for (const std::uint8_t id : classes) EXPECT_EQ(id, 0);
}

TEST(ClassMap, RefusesSettingsThatDoNotFit) {
  const std::vector<float> logits(2, 0.0f);
  std::uint8_t id = 0;
  float confidence = 0;
  const DenseMap map{logits.data(), 2, 1, 1};
  const auto make = [&](const ClassMapSettings& settings) {
    return MakeClassMap(map, Filling(1, 1), settings, &id, &confidence).ok();
  };
  EXPECT_TRUE(make({{0, 1}, 0, {0.5f}}));
  EXPECT_FALSE(make({{0}, 0, {0.5f}}));
  EXPECT_FALSE(make({{0, 1}, 0, {}}));
  EXPECT_FALSE(make({{0, 256}, 0, {0.5f}}));
  EXPECT_FALSE(make({{0, 1}, 300, {0.5f}}));
}

}  // namespace
}  // namespace im::maps
