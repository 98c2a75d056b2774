#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "image/interpolation.h"
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
  std::vector<std::uint8_t> data(static_cast<std::size_t>(width) * static_cast<std::size_t>(height) *
                                 static_cast<std::size_t>(channels));
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

PreprocessSteps Steps(const Image& image, Filter filter, int width, int height) {
  return Steps(image, filter, width, height, {width, height, 0, 0, 0});
}

std::vector<float> Execute(const Image& image, const PreprocessSteps& steps, const RowKernels& kernels = BestKernels()) {
  std::vector<float> target(OutputLength(steps), -1.0f);
  const Status status = Preprocess(image, steps, target.data(), kernels);
  EXPECT_TRUE(status.ok()) << status.message();
  return target;
}

// One gray channel in, the first plane out, as whole numbers.
std::vector<int> GrayPlane(const std::vector<std::uint8_t>& data, int width, int height, Filter filter, int to_width,
                           int to_height) {
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
    const int most = round % 10 == 0 ? 700 : 90;
    const Pixels pixels = RandomPixels(side(most), side(most), channels, static_cast<unsigned>(round));
    const Filter filter = (std::vector<Filter>{Filter::kLinear, Filter::kPillow})[random() % 2];
    // Some keep a side, some halve both: these go other ways.
    const bool halve = random() % 8 == 0 && pixels.image.width % 2 == 0 && pixels.image.height % 2 == 0;
    const int width = halve ? pixels.image.width / 2 : random() % 8 == 0 ? pixels.image.width : side(most);
    const int height = halve ? pixels.image.height / 2 : random() % 8 == 0 ? pixels.image.height : side(most);
    PreprocessSteps steps = Steps(
        pixels.image, filter, width, height,
        {side(most + 40), side(most + 40), static_cast<int>(random() % 40) - 20, static_cast<int>(random() % 40) - 20, 114});
    steps.grayscale = random() % 3 == 0;
    steps.swap_channels = random() % 2 == 0;
    steps.normalization.divisor = random() % 2 == 0 ? 255.0f : 1.0f;
    if (random() % 2 == 0) steps.normalization = {255, 1, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
    EXPECT_EQ(Execute(pixels.image, steps, BaselineKernels()), Execute(pixels.image, steps, *avx2)) << "round " << round;
  }
}

// `linear` to half the size takes a short cut, which has to give what the long way gives.
TEST(Linear, HalvesLikeTheGeneralFormula) {
  for (const int channels : {1, 3, 4}) {
    const int width = 53;
    const int height = 9;
    const Pixels pixels = RandomPixels(2 * width, 2 * height, channels, 4);
    const std::vector<float> out = Execute(pixels.image, Steps(pixels.image, Filter::kLinear, width, height));
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const LinearCoefficient column = LinearColumnWeights(x, 2 * width, width);
        const LinearCoefficient row = LinearRowWeights(y, 2 * height, height);
        const auto across = [&](int source_row) {
          const std::size_t at = static_cast<std::size_t>((source_row * 2 * width + column.index) * channels);
          return BlendColumns(pixels.data[at], pixels.data[at + static_cast<std::size_t>(channels)], column.first, column.second);
        };
        ASSERT_EQ(out[static_cast<std::size_t>(y * width + x)],
                  BlendRows(across(row.index), across(row.index + 1), row.first, row.second));
      }
    }
  }
}

// Pictures end where their memory ends, so the address sanitizer notices a vector that reaches past them.
TEST(Executor, CopesWithDegenerateSizes) {
  for (const int channels : {1, 3, 4}) {
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {1, 200}, {200, 1}, {2, 2}, {7, 3}, {33, 2}}) {
      const Pixels pixels = RandomPixels(width, height, channels, 8);
      for (const Filter filter : {Filter::kLinear, Filter::kPillow}) {
        for (const auto& [to_width, to_height] :
             std::vector<std::pair<int, int>>{{1, 1}, {1, 300}, {300, 1}, {64, 64}, {width, 64}, {64, height}}) {
          for (const bool grayscale : {false, true}) {
            PreprocessSteps steps = Steps(pixels.image, filter, to_width, to_height);
            steps.grayscale = grayscale;
            for (const float value : Execute(pixels.image, steps)) ASSERT_TRUE(value >= 0 && value <= 255);
          }
        }
      }
    }
  }
}

TEST(Executor, KeepsOneColorThroughEveryFilter) {
  const Pixels pixels = MakePixels(std::vector<std::uint8_t>(40 * 30 * 3, 201), 40, 30, 3);
  for (const Filter filter : {Filter::kLinear, Filter::kPillow}) {
    EXPECT_EQ(Execute(pixels.image, Steps(pixels.image, filter, 91, 7)), std::vector<float>(91 * 7 * 3, 201.0f));
  }
}

TEST(Executor, SamplesNothingFarOutside) {
  const Pixels pixels = RandomPixels(4, 4, 3, 2);
  PreprocessSteps steps = Steps(pixels.image, Filter::kNone, 4, 4);
  steps.geometry = {SampleStep{4, 4, -1e308, 0, 1e308, 1}};
  const std::vector<float> out = Execute(pixels.image, steps);
  EXPECT_EQ(out[0], 0);
  EXPECT_EQ(out[1], static_cast<float>(pixels.data[0]));
  EXPECT_EQ(out[2], 0);
}

// A column becomes a row: gigabytes of working memory, were it not refused.
TEST(Executor, RefusesWorkingMemoryBeyondReason) {
  const Pixels pixels = RandomPixels(1, kMaximumSide, 1, 2);
  const PreprocessSteps steps = Steps(pixels.image, Filter::kPillow, kMaximumSide, 1);
  std::vector<float> target(OutputLength(steps));
  EXPECT_EQ(Preprocess(pixels.image, steps, target.data()).code(), Code::kOutOfMemory);
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
  const auto at = [&](int x, int y, int channel) {
    return static_cast<float>(pixels.data[static_cast<std::size_t>((y * 9 + x) * 3 + channel)]);
  };
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
  EXPECT_EQ(std::vector<float>(out.begin(), out.begin() + 16),
            (std::vector<float>{0, 0, 0, 0, 200, 200, 200, 200, 200, 200, 200, 200, 0, 0, 0, 0}));
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

// The picture after contrast enhancement, one pixel after the other.
std::vector<int> Enhanced(const Pixels& pixels, Contrast contrast, const RowKernels& kernels = BestKernels()) {
  PreprocessSteps steps = Steps(pixels.image, Filter::kNone, pixels.image.width, pixels.image.height);
  steps.contrast = contrast;
  const std::vector<float> planes = Execute(pixels.image, steps, kernels);
  const std::size_t count = planes.size() / 3;
  std::vector<int> values;
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t channel = 0; channel < 3; ++channel) values.push_back(static_cast<int>(planes[channel * count + i]));
  }
  return values;
}

// Expected values come from NumPy and scikit-image.
TEST(Contrast, EqualsScikitImage) {
  const Pixels pixels = MakePixels({10, 20, 30, 200, 100, 50, 90, 91, 92, 0, 255, 128}, 2, 2, 3);
  EXPECT_EQ(Enhanced(pixels, Contrast::kStretching), (std::vector<int>{8, 18, 29, 209, 103, 50, 93, 94, 95, 0, 255, 133}));
  EXPECT_EQ(Enhanced(pixels, Contrast::kHistogramEqualization),
            (std::vector<int>{32, 54, 76, 233, 188, 99, 124, 145, 167, 21, 255, 212}));
}

TEST(Contrast, AdaptivelyEqualizesLikeScikitImageWithinTwoLevels) {
  // Ramps in all channels; large enough for tiles of several pixels.
  std::vector<std::uint8_t> data;
  for (int i = 0; i < 40 * 24; ++i) {
    data.insert(data.end(), {static_cast<std::uint8_t>(60 + i % 100), static_cast<std::uint8_t>(200 - i % 50),
                             static_cast<std::uint8_t>(i % 7)});
  }
  const std::vector<int> adaptive = Enhanced(MakePixels(data, 40, 24, 3), Contrast::kAdaptiveEqualization);
  const std::vector<int> expected{76, 0, 125, 45, 2, 134, 67, 0, 230, 152, 2, 255, 88, 1, 48, 120};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adaptive[191 * i], expected[i], 2) << "value " << 191 * i;
}

// Bins are laid out in float32: in double, a third of these values would end up elsewhere.
TEST(Contrast, EqualizesHistogramsInSinglePrecision) {
  std::vector<std::uint8_t> data;
  for (int i = 0; i < 3 * 211; ++i) data.push_back(static_cast<std::uint8_t>(i * 42 % 189 + 11));
  std::uint32_t checksum = 0;
  for (const int value : Enhanced(MakePixels(data, 211, 1, 3), Contrast::kHistogramEqualization)) {
    checksum = checksum * 31 + static_cast<std::uint32_t>(value);
  }
  EXPECT_EQ(checksum, 3240514996u);
}

TEST(Contrast, GivesTheSameBitsOnEveryInstructionSet) {
  if (Avx2Kernels() == nullptr) GTEST_SKIP() << "this CPU has no AVX2";
  for (const Contrast contrast : {Contrast::kStretching, Contrast::kHistogramEqualization, Contrast::kAdaptiveEqualization}) {
    for (const auto& [width, height] : std::vector<std::pair<int, int>>{{1, 1}, {1, 9}, {9, 1}, {8, 8}, {63, 41}}) {
      for (const int channels : {1, 3, 4}) {
        for (const bool grayscale : {false, true}) {
          const Pixels pixels = RandomPixels(width, height, channels, 3);
          PreprocessSteps steps = Steps(pixels.image, Filter::kLinear, 17, 13);
          steps.contrast = contrast;
          steps.grayscale = grayscale;
          const std::vector<float> out = Execute(pixels.image, steps);
          EXPECT_EQ(out, Execute(pixels.image, steps, BaselineKernels()));
          for (const float value : out) EXPECT_TRUE(value >= 0 && value <= 255);
        }
      }
    }
  }
}

TEST(Contrast, HasNothingToStretchInOneValue) {
  const Pixels flat = MakePixels(std::vector<std::uint8_t>(3 * 12, 90), 4, 3, 3);
  EXPECT_EQ(Enhanced(flat, Contrast::kStretching), std::vector<int>(36, 90));
}

TEST(Grayscale, WeighsByColorOrder) {
  const auto gray = [](std::vector<std::uint8_t> pixel, ColorFormat format, int count) {
    std::vector<std::uint8_t> data;
    for (int i = 0; i < count; ++i) data.insert(data.end(), pixel.begin(), pixel.end());
    Pixels pixels = MakePixels(std::move(data), count, 1, static_cast<int>(pixel.size()));
    pixels.image.color_format = format;
    PreprocessSteps steps = Steps(pixels.image, Filter::kNone, count, 1);
    steps.grayscale = true;
    const std::vector<float> out = Execute(pixels.image, steps);
    EXPECT_EQ(std::vector<float>(out.size(), out[0]), out);
    return out[0];
  };
  for (const int count : {1, 37}) {  // without and with a whole vector
    EXPECT_EQ(gray({10, 20, 30}, ColorFormat::kBgr, count), 22);
    EXPECT_EQ(gray({30, 20, 10, 255}, ColorFormat::kRgb, count), 22);
    EXPECT_EQ(gray({1, 2, 3}, ColorFormat::kBgr, count), 2);
    EXPECT_EQ(gray({77}, ColorFormat::kBgr, count), 77);
  }
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
