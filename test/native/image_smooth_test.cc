#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "image/preprocess.h"
#include "image/steps.h"

namespace im {
namespace {

std::vector<float> Resized(int width, int height, Filter filter, int to_width, int to_height, Canvas canvas) {
  std::vector<std::uint8_t> pixels;
  for (int i = 0; i < width * height * 3; ++i) pixels.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  const Image image{pixels.data(), width, height, 3, ColorFormat::kRgb};
  PreprocessSteps steps;
  steps.source = {width, height};
  steps.crop = {0, 0, width, height};
  steps.geometry = {ResizeStep{filter, to_width, to_height, canvas}};
  steps.output = {canvas.width, canvas.height};
  std::vector<float> target(OutputLength(steps), std::nanf(""));
  EXPECT_TRUE(Preprocess(image, steps, target.data(), BestKernels()).ok());
  return target;
}

// Under the sanitizers: no size reads a row that was not resized.
TEST(Smooth, WritesEveryValueAtEverySize) {
  for (const Filter filter : {Filter::kTriangle, Filter::kCubic, Filter::kGaussian}) {
    for (int size = 1; size < 9; ++size) {
      for (int to = 1; to < 70; to += 3) {
        for (const int offset : {0, -to / 2, -to, 2}) {
          for (const float value : Resized(size, 9 - size, filter, to, to + 1, {5, 6, offset, offset, 7.0f}))
            ASSERT_TRUE(std::isfinite(value));
        }
      }
    }
  }
}

TEST(Smooth, FillsBesideThePicture) {
  const std::vector<float> values = Resized(4, 4, Filter::kTriangle, 4, 4, {6, 4, 1, 0, 9.5f});
  EXPECT_EQ(values[0], 9.5f);
  EXPECT_EQ(values[1], 0.0f);
  EXPECT_EQ(values[5], 9.5f);
}

TEST(Smooth, ResizesTheSquareAroundThePicture) {
  const std::vector<float> values = Resized(2, 6, Filter::kGaussian, 3, 3, {3, 3, 0, 0, 100.0f});
  for (const std::size_t row : {0u, 1u, 2u}) {
    // The blur reaches two positions: the second column sees the picture, the third does not.
    EXPECT_NE(values[row * 3 + 1], 100.0f);
    EXPECT_NEAR(values[row * 3 + 2], 100.0f, 1e-4f);
  }
}

TEST(Smooth, HasToBeTheLastStep) {
  std::vector<std::uint8_t> pixels(3);
  PreprocessSteps steps;
  steps.source = steps.output = {1, 1};
  steps.crop = {0, 0, 1, 1};
  const ResizeStep smooth{Filter::kCubic, 1, 1, {1, 1, 0, 0, 0}};
  const ResizeStep plain{Filter::kLinear, 1, 1, {1, 1, 0, 0, 0}};
  steps.geometry = {smooth, plain};
  EXPECT_FALSE(Validate({pixels.data(), 1, 1, 3, ColorFormat::kRgb}, steps).ok());
  steps.geometry = {plain, smooth};
  EXPECT_TRUE(Validate({pixels.data(), 1, 1, 3, ColorFormat::kRgb}, steps).ok());
}

}  // namespace
}  // namespace im
