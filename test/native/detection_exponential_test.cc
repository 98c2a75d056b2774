#include "detection/exponential.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>

namespace im::detection {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// Where the library's long double is no longer than a double, it errs itself.
constexpr double kTolerance = LDBL_MANT_DIG > 60 ? 1.0 : 2.0;

// In units in the last place of the exact value.
double Error(double actual, long double exact) {
  const auto rounded = static_cast<double>(exact);
  if (actual == rounded) return 0;  // infinities too
  const double size = std::abs(rounded);
  const long double unit = std::nextafter(size, kInfinity) - static_cast<long double>(size);
  return static_cast<double>(std::abs(static_cast<long double>(actual) - exact) / unit);
}

TEST(ExponentialTest, ExpErrsByLessThanAUnitInTheLastPlace) {
  std::mt19937_64 random(1);
  double worst = 0;
  const auto check = [&](double x) { worst = std::max(worst, Error(Exp(x), std::exp(static_cast<long double>(x)))); };
  // Beyond both ends, where results are subnormal, and near 0.
  std::uniform_real_distribution<double> all(-760, 720), small(-1, 1), subnormal(-746, -708);
  for (int i = 0; i < 200000; ++i) {
    check(all(random));
    check(small(random));
    check(subnormal(random));
    check(std::ldexp(small(random), -static_cast<int>(random() % 1070)));
  }
  EXPECT_LT(worst, kTolerance);
}

TEST(ExponentialTest, LogErrsByLessThanAUnitInTheLastPlace) {
  std::mt19937_64 random(2);
  double worst = 0;
  const auto check = [&](double x) { worst = std::max(worst, Error(Log(x), std::log(static_cast<long double>(x)))); };
  std::uniform_real_distribution<double> digits(1, 2), one(0.5, 2);
  for (int i = 0; i < 200000; ++i) {
    check(std::ldexp(digits(random), static_cast<int>(random() % 2098) - 1074));
    check(one(random));
    check(1 + std::ldexp(digits(random), -static_cast<int>(random() % 53)));
    check(1 - std::ldexp(digits(random), -2 - static_cast<int>(random() % 52)));
  }
  EXPECT_LT(worst, kTolerance);
}

TEST(ExponentialTest, ExpOfSpecialValues) {
  EXPECT_TRUE(std::isnan(Exp(std::nan(""))));
  EXPECT_EQ(Exp(kInfinity), kInfinity);
  EXPECT_EQ(Exp(-kInfinity), 0.0);
  EXPECT_EQ(Exp(DBL_MAX), kInfinity);
  EXPECT_EQ(Exp(-DBL_MAX), 0.0);
  for (const double zero : {0.0, -0.0, DBL_MIN, -DBL_MIN, std::numeric_limits<double>::denorm_min()}) EXPECT_EQ(Exp(zero), 1.0);
  // The largest and the smallest results, and what is beyond.
  EXPECT_LT(Exp(709.782712893384), kInfinity);
  EXPECT_EQ(Exp(709.782712893385), kInfinity);
  EXPECT_EQ(Exp(-745.1332191019411), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(Exp(-745.1332191019412), 0.0);
}

TEST(ExponentialTest, LogOfSpecialValues) {
  EXPECT_TRUE(std::isnan(Log(std::nan(""))));
  for (const double negative : {-1.0, -DBL_MIN, -std::numeric_limits<double>::denorm_min(), -DBL_MAX, -kInfinity})
    EXPECT_TRUE(std::isnan(Log(negative)));
  EXPECT_EQ(Log(kInfinity), kInfinity);
  EXPECT_EQ(Log(0.0), -kInfinity);
  EXPECT_EQ(Log(-0.0), -kInfinity);
  EXPECT_EQ(Log(1.0), 0.0);
  EXPECT_FALSE(std::signbit(Log(1.0)));
  EXPECT_NEAR(Log(std::numeric_limits<double>::denorm_min()), -744.4400719213812, 1e-12);
  EXPECT_NEAR(Log(DBL_MAX), 709.782712893384, 1e-12);
}

// The same numbers give the same sum in test/models/decoding/exponential.test.ts.
TEST(ExponentialTest, GivesTheBitsOfTheReference) {
  std::uint32_t sum = 2166136261u;
  const auto add = [&](double value) {
    std::uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof bits);
    for (const std::uint64_t word : {bits >> 32, bits}) sum = (sum ^ static_cast<std::uint32_t>(word)) * 16777619u;
  };
  std::uint32_t state = 1;
  for (int i = 0; i < 100000; ++i) {
    state = state * 1664525u + 1013904223u;
    const double fraction = state / 4294967296.0;
    add(Exp(fraction * 1460 - 748));
    add(Exp(fraction - 0.5));
    add(Log(fraction * 4));
    add(Log(Exp(fraction * 1460 - 748)));
  }
  EXPECT_EQ(sum, 1642934441u);
}

}  // namespace
}  // namespace im::detection
