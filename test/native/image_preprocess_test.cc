#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "image/contrast.h"
#include "image/preprocess.h"

namespace im {
namespace {

struct Pixels {
  std::vector<std::uint8_t> data;
  Image image;
};

Pixels MakePixels(std::vector<std::uint8_t> data, int width, int height, int channels) {
  Pixels pixels{std::move(data), {}};
  pixels.image = {pixels.data.data(), width, height, channels, ColorFormat::kRgb};
  return pixels;
}

Pixels RandomPixels(int width, int height, int channels, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::uint8_t> data(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) * static_cast<std::size_t>(channels));
  for (auto& value : data) value = static_cast<std::uint8_t>(random() & 255);
  return MakePixels(std::move(data), width, height, channels);
}

PreprocessSteps Steps(const Image& image, Filter filter, int width, int height, Canvas canvas) {
  PreprocessSteps steps;
  steps.source = {image.width, image.height};
  steps.crop = {0, 0, image.width, image.height};
  steps.geometry = {ResizeStep{filter, width, height, canvas}};
  steps.output = {canvas.width, canvas.height};
  return steps;
}

PreprocessSteps Steps(const Image& image, Filter filter, int width, int height) { return Steps(image, filter, width, height, {width, height, 0, 0, 0}); }

std::vector<float> Execute(const Image& image, const PreprocessSteps& steps, const RowKernels& kernels = BestKernels()) {
  std::vector<float> target(OutputLength(steps), -1.0f);
  const Status status = Preprocess(image, steps, target.data(), kernels);
  EXPECT_TRUE(status.ok()) << status.message();
  return target;
}

// One gray channel in, the first plane out, as whole numbers.
std::vector<int> GrayPlane(const std::vector<std::uint8_t>& data, int width, int height, Filter filter, int to_width, int to_height) {
  const Pixels pixels = MakePixels(data, width, height, 1);
  const std::vector<float> out = Execute(pixels.image, Steps(pixels.image, filter, to_width, to_height));
  return {out.begin(), out.begin() + to_width * to_height};
}

TEST(Linear, EqualsOpenCvOnKnownValues) {
  EXPECT_EQ(GrayPlane({0, 100, 255, 10, 200, 30}, 3, 2, Filter::kLinear, 5, 4),
            (std::vector<int>{0, 40, 100, 193, 255, 3, 51, 125, 169, 199, 8, 74, 175, 122, 86, 10, 86, 200, 98, 30}));
  EXPECT_EQ(GrayPlane({0, 100, 255, 30, 10, 200, 30, 7}, 4, 2, Filter::kLinear, 2, 1), (std::vector<int>{78, 81}));
}

TEST(Pillow, EqualsPillowOnKnownValues) {
  const std::vector<std::uint8_t> data{0, 100, 255, 30, 90, 10, 200, 30, 7, 250, 5, 5, 5, 200, 100};
  EXPECT_EQ(GrayPlane(data, 5, 3, Filter::kPillow, 3, 2), (std::vector<int>{61, 131, 95, 37, 54, 144}));
}

TEST(Executor, GivesTheSameBitsOnEveryInstructionSet) {
  const RowKernels* avx2 = Avx2Kernels();
  if (avx2 == nullptr) GTEST_SKIP() << "this CPU has no AVX2";
  std::mt19937 random(1);
  const auto side = [&](int most) { return static_cast<int>(1 + random() % static_cast<unsigned>(most)); };
  for (int round = 0; round < 150; ++round) {
    const int channels = (std::vector<int>{1, 3, 4})[random() % 3];
    const Pixels pixels = RandomPixels(side(90), side(70), channels, static_cast<unsigned>(round));
    const Filter filter = (std::vector<Filter>{Filter::kLinear, Filter::kPillow})[random() % 2];
    const int width = random() % 8 == 0 ? std::max(pixels.image.width / 2, 1) : side(120);
    const int height = random() % 8 == 0 ? std::max(pixels.image.height / 2, 1) : side(120);
    PreprocessSteps steps = Steps(pixels.image, filter, width, height,
                                  {side(130), side(130), static_cast<int>(random() % 40) - 20, static_cast<int>(random() % 40) - 20, 114});
    steps.grayscale = random() % 3 == 0;
    steps.swap_channels = random() % 2 == 0;
    steps.normalization.divisor = random() % 2 == 0 ? 255.0f : 1.0f;
    if (random() % 2 == 0) steps.normalization = {255, 1, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
    EXPECT_EQ(Execute(pixels.image, steps, BaselineKernels()), Execute(pixels.image, steps, *avx2)) << "round " << round;
  }
}

TEST(Executor, PlacesOnTheCanvasAndCutsWhatLiesOutside) {
  const Pixels pixels = MakePixels({10, 20, 30, 40}, 2, 2, 1);
  PreprocessSteps steps = Steps(pixels.image, Filter::kNone, 2, 2, {4, 3, 1, 1, 7});
  std::vector<float> out = Execute(pixels.image, steps);
  EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + 12), (std::vector<float>{7, 7, 7, 7, 7, 10, 20, 7, 7, 30, 40, 7}));
  steps = Steps(pixels.image, Filter::kNone, 2, 2, {1, 1, -1, -1, 7});
  EXPECT_EQ(Execute(pixels.image, steps), (std::vector<float>{40, 40, 40}));
  steps = Steps(pixels.image, Filter::kNone, 2, 2, {2, 1, 50, 0, 7});
  EXPECT_EQ(Execute(pixels.image, steps), (std::vector<float>(6, 7.0f)));
}

TEST(Executor, ReadsOnlyTheCropAndSwapsChannels) {
  const Pixels pixels = RandomPixels(9, 7, 3, 5);
  PreprocessSteps steps = Steps(pixels.image, Filter::kNone, 2, 2);
  steps.crop = {6, 4, 2, 2};
  steps.swap_channels = true;
  const std::vector<float> out = Execute(pixels.image, steps);
  const auto at = [&](int x, int y, int channel) { return static_cast<float>(pixels.data[static_cast<std::size_t>((y * 9 + x) * 3 + channel)]); };
  EXPECT_EQ(out[0], at(6, 4, 2));
  EXPECT_EQ(out[3], at(7, 5, 2));
  EXPECT_EQ(out[8], at(6, 4, 0));
}

TEST(Executor, SamplesTheSquareAroundAPictureWithBlackOutside) {
  const Pixels pixels = MakePixels(std::vector<std::uint8_t>(4 * 2, 200), 4, 2, 1);
  PreprocessSteps steps = Steps(pixels.image, Filter::kNone, 4, 2);
  steps.geometry = {SampleStep{4, 4, 0, -1, 1, 1}};
  steps.output = {4, 4};
  const std::vector<float> out = Execute(pixels.image, steps);
  EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + 16), (std::vector<float>{0, 0, 0, 0, 200, 200, 200, 200, 200, 200, 200, 200, 0, 0, 0, 0}));
}

TEST(Executor, RunsTwoStepsOnEightBits) {
  const Pixels pixels = RandomPixels(31, 17, 3, 9);
  PreprocessSteps steps = Steps(pixels.image, Filter::kLinear, 20, 20);
  steps.geometry.push_back(ResizeStep{Filter::kPillow, 8, 8, {8, 8, 0, 0, 0}});
  steps.output = {8, 8};
  for (const float value : Execute(pixels.image, steps)) {
    EXPECT_EQ(value, std::floor(value));
    EXPECT_GE(value, 0);
    EXPECT_LE(value, 255);
  }
}

TEST(Contrast, StretchesAndEqualizesWithoutLeavingTheRange) {
  for (const Contrast contrast : {Contrast::kStretching, Contrast::kHistogramEqualization, Contrast::kAdaptiveEqualization}) {
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {1, 9}, {9, 1}, {8, 8}, {63, 41}}) {
      for (const int channels : {1, 3}) {
        Pixels pixels = RandomPixels(width, height, channels, 3);
        ApplyContrast(contrast, {pixels.data.data(), width, height, channels});
        Pixels flat = MakePixels(std::vector<std::uint8_t>(pixels.data.size(), 90), width, height, channels);
        ApplyContrast(contrast, {flat.data.data(), width, height, channels});
      }
    }
  }
  std::vector<std::uint8_t> ramp(3 * 101);
  for (std::size_t i = 0; i < ramp.size(); ++i) ramp[i] = static_cast<std::uint8_t>(50 + i / 3);
  ApplyContrast(Contrast::kStretching, {ramp.data(), 101, 1, 3});
  EXPECT_EQ(ramp.front(), 0);
  EXPECT_EQ(ramp.back(), 255);
}

TEST(Validate, RefusesWhatDoesNotBelongTogether) {
  const Pixels pixels = RandomPixels(8, 6, 3, 1);
  const PreprocessSteps good = Steps(pixels.image, Filter::kLinear, 4, 4);
  EXPECT_TRUE(Validate(pixels.image, good).ok());
  const auto refused = [&](auto change) {
    PreprocessSteps steps = good;
    change(steps);
    return !Validate(pixels.image, steps).ok();
  };
  EXPECT_TRUE(refused([](auto& steps) { steps.source.width = 7; }));
  EXPECT_TRUE(refused([](auto& steps) { steps.crop.left = 1; }));
  EXPECT_TRUE(refused([](auto& steps) { steps.crop.width = 0; }));
  EXPECT_TRUE(refused([](auto& steps) { steps.geometry.clear(); }));
  EXPECT_TRUE(refused([](auto& steps) { steps.output.width = 5; }));
  EXPECT_TRUE(refused([](auto& steps) { steps.normalization.divisor = 0; }));
  EXPECT_TRUE(refused([](auto& steps) { steps.normalization.mean[1] = NAN; }));
  EXPECT_TRUE(refused([](auto& steps) { std::get<ResizeStep>(steps.geometry[0]).width = 1 << 20; }));
  EXPECT_TRUE(refused([](auto& steps) { std::get<ResizeStep>(steps.geometry[0]).filter = Filter::kNone; }));
}

}  // namespace
}  // namespace im
