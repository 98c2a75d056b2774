#include "detection/kernels.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace im::detection {
namespace {

std::vector<float> RandomNumbers(std::size_t count, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::vector<float> numbers(count);
  for (float& number : numbers) {
    number = random() % 13 == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(random() % 40) - 20.0f;
  }
  return numbers;
}

// NaN is passed over.
float Greatest(const std::vector<float>& values) {
  float greatest = -std::numeric_limits<float>::infinity();
  for (const float value : values) greatest = std::fmax(greatest, value);
  return greatest;
}

class KernelsTest : public testing::TestWithParam<const Kernels*> {};

TEST_P(KernelsTest, MaximaOfColumnsAndRowsAndWhereTheyStand) {
  for (std::size_t rows = 1; rows < 40; ++rows) {
    for (const std::size_t columns : {1, 2, 7, 8, 9, 16, 17, 33, 80}) {
      const std::size_t stride = columns + 3;
      // No element behind the last one, so that a sanitizer sees a read too far.
      const std::vector<float> numbers =
          RandomNumbers((rows - 1) * stride + columns, static_cast<std::uint32_t>(rows * 100 + columns));
      std::vector<float> of_columns(columns), of_rows(rows);
      std::vector<std::int32_t> first(columns);
      GetParam()->column_maxima(numbers.data(), stride, rows, columns, of_columns.data());
      GetParam()->first_rows(numbers.data(), stride, rows, columns, of_columns.data(), first.data());
      GetParam()->row_maxima(numbers.data(), stride, rows, columns, of_rows.data());
      for (std::size_t c = 0; c < columns; ++c) {
        std::vector<float> column;
        for (std::size_t r = 0; r < rows; ++r) column.push_back(numbers[r * stride + c]);
        ASSERT_EQ(of_columns[c], Greatest(column));
        std::size_t where = 0;
        while (where < rows && column[where] != of_columns[c]) ++where;
        ASSERT_EQ(static_cast<std::size_t>(first[c]), where == rows ? 0 : where);
      }
      for (std::size_t r = 0; r < rows; ++r) {
        const auto begin = numbers.begin() + static_cast<std::ptrdiff_t>(r * stride);
        ASSERT_EQ(of_rows[r], Greatest({begin, begin + static_cast<std::ptrdiff_t>(columns)}));
      }
    }
  }
}

TEST_P(KernelsTest, FindsAnOverlapInAnyPlace) {
  for (std::size_t place = 0; place < 24; ++place) {
    std::vector<float> x1(24, 100), y1(24, 100), x2(24, 110), y2(24, 110), area(24, 100);
    x1[place] = y1[place] = 0;
    x2[place] = y2[place] = 10;
    const BoxColumns columns{x1.data(), y1.data(), x2.data(), y2.data(), area.data()};
    EXPECT_TRUE(GetParam()->overlaps_any(columns, place + 1, {0, 0, 10, 10}, 100, 0.99f));
    EXPECT_FALSE(GetParam()->overlaps_any(columns, place + 1, {0, 0, 10, 10}, 100, 1.0f));
    EXPECT_FALSE(GetParam()->overlaps_any(columns, place / kBoxGroup * kBoxGroup, {0, 0, 10, 10}, 100, 0.5f));
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, KernelsTest, testing::Values(&BaselineKernels(), &ChosenKernels()),
                         [](const auto& info) { return info.index == 0 ? "Baseline" : "Chosen"; });

}  // namespace
}  // namespace im::detection
