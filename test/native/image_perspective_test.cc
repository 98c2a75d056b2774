#include "image/perspective.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace im {
namespace {

// Red is x, green is y.
std::vector<std::uint8_t> Ramp(int width, int height) {
  std::vector<std::uint8_t> pixels;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) pixels.insert(pixels.end(), {static_cast<std::uint8_t>(x), static_cast<std::uint8_t>(y), 0});
  }
  return pixels;
}

struct Scene {
  std::vector<std::uint8_t> pixels = Ramp(50, 40);
  Image image;
  Scene() {
    image.pixels = pixels.data();
    image.width = 50;
    image.height = 40;
    image.channels = 3;
  }
  std::vector<std::uint8_t> Crop(const Quadrilateral& crop) const {
    std::vector<std::uint8_t> result(ByteCount(crop));
    CropQuadrilateral(image, crop, result.data());
    return result;
  }
};

TEST(Perspective, AnUprightRectangleIsAPlainCrop) {
  const auto crop = Scene().Crop({{10, 5, 30, 5, 30, 15, 10, 15}, 20, 10});
  EXPECT_EQ(crop[0], 10);
  EXPECT_EQ(crop[1], 5);
  EXPECT_EQ(crop[crop.size() - 3], 29);
  EXPECT_EQ(crop[crop.size() - 2], 14);
}

TEST(Perspective, PixelsBeyondThePictureAreItsBorder) {
  const auto crop = Scene().Crop({{-1e9, -1e9, 1e9, -1e9, 1e9, 1e9, -1e9, 1e9}, 4, 4});
  EXPECT_EQ(crop[0], 0);
  EXPECT_EQ(crop[crop.size() - 3], 49);
}

// What has no place in the picture still reads nothing beside it.
TEST(Perspective, AnyNumbersStayWithinThePicture) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
  const double odd[] = {nan, infinity, -infinity, 1e308, -1e308, 5e-324, 0, -0.0, 20};
  for (double a : odd) {
    for (double b : odd) {
      for (double c : odd) {
        const auto crop = Scene().Crop({{a, b, c, a, 30, b, c, 15}, 5, 3});
        EXPECT_EQ(crop.size(), 45u);
      }
    }
  }
  // The horizon goes through it: the mapping divides by 0 there.
  Scene().Crop({{0, 0, 20, 0, 5, 5, 0, 20}, 20, 20});
}

TEST(Perspective, GrayIsRepeatedAndAlphaDropped) {
  std::vector<std::uint8_t> gray(20, 7), alpha(80, 9);
  Image image;
  image.width = 5;
  image.height = 4;
  image.channels = 1;
  image.pixels = gray.data();
  std::vector<std::uint8_t> result(12);
  CropQuadrilateral(image, {{0, 0, 2, 0, 2, 2, 0, 2}, 2, 2}, result.data());
  EXPECT_EQ(result, std::vector<std::uint8_t>(12, 7));
  image.channels = 4;
  image.pixels = alpha.data();
  CropQuadrilateral(image, {{0, 0, 2, 0, 2, 2, 0, 2}, 2, 2}, result.data());
  EXPECT_EQ(result, std::vector<std::uint8_t>(12, 9));
}

}  // namespace
}  // namespace im
