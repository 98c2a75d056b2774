#include "image/antialias.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace im {
namespace {

// Keys' cubic: with a = -0.5 that of Pillow and of torch's antialiased resizing, with a = -0.75 that of torch's plain one.
double Cubic(double x, double a) {
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

double Triangle(double x) { return std::max(0.0, 1.0 - std::fabs(x)); }

Taps NearestCubicTaps(std::size_t input, std::size_t output) {
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  const auto last = static_cast<std::int64_t>(input) - 1;
  Taps result;
  result.taps.reserve(output);
  for (std::size_t position = 0; position < output; ++position) {
    const double center = (static_cast<double>(position) + 0.5) * scale - 0.5;
    const auto nearest = static_cast<std::int64_t>(std::floor(center));
    const std::int64_t first = std::clamp<std::int64_t>(nearest - 1, 0, last);
    double raw[4] = {0.0, 0.0, 0.0, 0.0};
    for (std::int64_t source = nearest - 1; source <= nearest + 2; ++source) {
      raw[std::clamp<std::int64_t>(source, 0, last) - first] += Cubic(center - static_cast<double>(source), -0.75);
    }
    const std::int64_t count = std::clamp<std::int64_t>(nearest + 2, 0, last) - first + 1;
    result.taps.push_back({static_cast<std::size_t>(first), static_cast<std::size_t>(count), result.weights.size()});
    for (std::int64_t k = 0; k < count; ++k) result.weights.push_back(static_cast<float>(raw[k]));
  }
  return result;
}

}  // namespace

Taps ComputeTaps(std::size_t input, std::size_t output, Kernel kernel) {
  if (kernel == Kernel::kNearestCubic) return NearestCubicTaps(input, output);
  const double scale = static_cast<double>(input) / static_cast<double>(output);
  const double stretch = std::max(scale, 1.0);
  const double radius = (kernel == Kernel::kCubic ? 2.0 : 1.0) * stretch;
  Taps result;
  result.taps.reserve(output);
  std::vector<double> raw;
  for (std::size_t position = 0; position < output; ++position) {
    const double center = (static_cast<double>(position) + 0.5) * scale;
    const auto first = static_cast<std::size_t>(std::max(std::trunc(center - radius + 0.5), 0.0));
    const auto last = static_cast<std::size_t>(std::min(std::trunc(center + radius + 0.5), static_cast<double>(input)));
    raw.clear();
    double total = 0.0;
    for (std::size_t source = first; source < last; ++source) {
      const double x = (static_cast<double>(source) - center + 0.5) / stretch;
      raw.push_back(kernel == Kernel::kCubic ? Cubic(x, -0.5) : Triangle(x));
      total += raw.back();
    }
    // Positions at the end that weigh nothing are left out.
    while (raw.size() > 1 && raw.back() == 0.0) raw.pop_back();
    result.taps.push_back({first, raw.size(), result.weights.size()});
    for (const double weight : raw) result.weights.push_back(static_cast<float>(weight / total));
  }
  return result;
}

}  // namespace im
