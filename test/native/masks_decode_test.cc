#include "masks/decode.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "masks/bilinear.h"

namespace im::masks {
namespace {

using Runs = std::vector<std::uint32_t>;

MaskHead PlaneHead(const std::vector<float>& values, std::int32_t width, std::int32_t height, std::size_t planes = 1) {
  MaskHead head;
  head.width = width;
  head.height = height;
  head.channels = planes;
  head.planes = {values.data(), 1, static_cast<std::size_t>(width) * static_cast<std::size_t>(height)};
  return head;
}

MaskTarget Onto(std::int32_t width, std::int32_t height, float threshold = 0.0f) {
  return {{}, {width, height}, 0, 0, {width, height}, threshold};
}

TEST(DecodeMasks, WritesRunsColumnByColumn) {
  const std::vector<float> values{1, 0, -1, 0.5f};
  const MaskRuns masks = DecodeMasks(PlaneHead(values, 2, 2), {{0}, {}, 1.0f}, Onto(2, 2));
  EXPECT_EQ(masks.runs, (Runs{0, 1, 2, 1}));
  EXPECT_EQ(masks.offsets, (Runs{0, 4}));
}

TEST(DecodeMasks, CutsToBoxesWhoseCornersAreRoundedHalfToEven) {
  const std::vector<float> values(4, 1.0f);
  const MaskRuns masks = DecodeMasks(PlaneHead(values, 4, 1), {{0, 0}, {{0.5f, 0, 2.5f, 1}, {0, 0, NAN, 1}}, 1.0f}, Onto(4, 1));
  EXPECT_EQ(masks.runs, (Runs{0, 2, 2, 4}));
  EXPECT_EQ(masks.offsets, (Runs{0, 3, 4}));
}

TEST(DecodeMasks, ReadsNothingOfARegionThatWasTrimmedAway) {
  const std::vector<float> values(4, 1.0f);
  MaskTarget target = Onto(3, 3);
  for (const Region& trim : {Region{2, 0, 0, 0}, Region{0, 0, 0, 2}, Region{5, 5, 5, 5}, Region{1, 1, 1, 1}}) {
    target.trim = trim;
    EXPECT_EQ(DecodeMasks(PlaneHead(values, 2, 2), {{0}, {}, 1.0f}, target).runs, (Runs{9}));
  }
}

TEST(DecodeMasks, StaysWithinThePictureWhereverTheMaskLies) {
  const std::vector<float> values(4, 1.0f);
  for (std::int32_t left = -6; left <= 6; ++left) {
    for (std::int32_t top = -6; top <= 6; ++top) {
      MaskTarget target{{}, {3, 2}, left, top, {5, 4}, 0.5f};
      std::uint32_t total = 0;
      std::uint32_t inside = 0;
      const MaskRuns masks = DecodeMasks(PlaneHead(values, 2, 2), {{0}, {}, 1.0f}, target);
      for (std::size_t i = 0; i < masks.runs.size(); ++i) {
        total += masks.runs[i];
        if (i % 2 == 1) inside += masks.runs[i];
      }
      EXPECT_EQ(total, 20u);
      const std::int32_t columns = std::max(0, std::min(left + 3, 5) - std::max(left, 0));
      const std::int32_t rows = std::max(0, std::min(top + 2, 4) - std::max(top, 0));
      EXPECT_EQ(inside, static_cast<std::uint32_t>(columns * rows)) << left << ", " << top;
    }
  }
}

// Every pixel by the definition: horizontal sums first, then vertical ones, cells beyond the plane 0.
Runs ByDefinition(const std::vector<float>& cells, std::int32_t width, std::int32_t height, const MaskTarget& target) {
  const BilinearTaps columns(width, target.resize.width, 0, target.resize.width);
  const BilinearTaps rows(height, target.resize.height, 0, target.resize.height);
  Runs runs;
  RunWriter writer(runs);
  for (std::int32_t x = 0; x < target.resize.width; ++x) {
    for (std::int32_t y = 0; y < target.resize.height; ++y) {
      float sum = 0.0f;
      for (std::int32_t row = rows.range(y).begin; row < rows.range(y).end; ++row) {
        float line = 0.0f;
        for (std::int32_t column = columns.range(x).begin; column < columns.range(x).end; ++column) {
          line += columns.weights(x)[column - columns.range(x).begin] * cells[static_cast<std::size_t>(row * width + column)];
        }
        sum += rows.weights(y)[row - rows.range(y).begin] * line;
      }
      writer.Add(sum > target.threshold, 1);
    }
  }
  writer.End();
  return runs;
}

TEST(DecodeMasks, LeavesOutOnlyWhatCannotMatter) {
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    const auto width = static_cast<std::int32_t>(1 + random() % 9);
    const auto height = static_cast<std::int32_t>(1 + random() % 9);
    std::vector<float> cells(static_cast<std::size_t>(width * height));
    // Coarse steps around the thresholds: many sums are equal to one, or nearly.
    for (float& cell : cells) cell = static_cast<float>(random() % 9) * 0.25f - 1.0f;
    // Products of these are too small for float32.
    if (round % 7 == 0)
      for (float& cell : cells) cell = static_cast<float>(random() % 4) * 1e-45f;
    if (round % 10 == 0) cells[random() % cells.size()] = round % 20 == 0 ? std::numeric_limits<float>::infinity() : NAN;
    const float thresholds[] = {0.0f, 0.25f, 0.5f, -0.5f};
    const MaskTarget target = Onto(static_cast<std::int32_t>(1 + random() % 50), static_cast<std::int32_t>(1 + random() % 50),
                                   thresholds[random() % 4]);
    EXPECT_EQ(DecodeMasks(PlaneHead(cells, width, height), {{0}, {}, 1.0f}, target).runs,
              ByDefinition(cells, width, height, target))
        << round;
  }
}

TEST(ComputeCells, IsTheSameForAnyOrderOfThePlanes) {
  std::mt19937 random(3);
  const std::size_t channels = 5;
  const std::size_t size = 6 * 4;
  std::vector<float> first(channels * size), last(channels * size), weights(channels);
  for (std::size_t channel = 0; channel < channels; ++channel) {
    weights[channel] = static_cast<float>(random() % 1000) / 300.0f - 1.5f;
    for (std::size_t cell = 0; cell < size; ++cell) {
      first[channel * size + cell] = last[cell * channels + channel] = static_cast<float>(random() % 1000) / 500.0f - 1.0f;
    }
  }
  for (const bool sigmoid : {false, true}) {
    MaskHead head = PlaneHead(first, 6, 4, channels);
    head.coefficients = detection::Matrix{weights.data(), channels, 1};
    head.sigmoid = sigmoid;
    std::vector<float> expected, found;
    ComputeCells(head, 0, {1, 1, 5, 4}, expected);
    head.planes = {last.data(), channels, 1};
    ComputeCells(head, 0, {1, 1, 5, 4}, found);
    EXPECT_EQ(found, expected);
    EXPECT_EQ(found.size(), 12u);
  }
}

TEST(BilinearTaps, AddUpToOneOfInputsThatExist) {
  for (std::int32_t inputs = 1; inputs < 40; ++inputs) {
    for (std::int32_t outputs = 1; outputs < 90; outputs += 7) {
      const BilinearTaps taps(inputs, outputs, 0, outputs);
      for (std::int32_t output = 0; output < outputs; ++output) {
        const TapRange range = taps.range(output);
        ASSERT_TRUE(range.begin >= 0 && range.begin < range.end && range.end <= inputs);
        float sum = 0.0f;
        for (std::int32_t i = 0; i < range.end - range.begin; ++i) sum += taps.weights(output)[i];
        EXPECT_NEAR(sum, 1.0f, 1e-5f);
      }
    }
  }
}

}  // namespace
}  // namespace im::masks
