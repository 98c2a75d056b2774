#include "image/gaussian.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace im {
namespace {

// Borders are mirrors that do not repeat the last position.
std::int64_t Reflect(std::int64_t position, std::int64_t side) {
  if (side == 1) return 0;
  const std::int64_t period = 2 * (side - 1);
  const std::int64_t folded = ((position % period) + period) % period;
  return folded < side ? folded : period - folded;
}

// Weights of the blur around a position, `2 * radius + 1` that add up to 1; {1} when there is none.
std::vector<double> BlurWeights(float scale) {
  const float sigma = std::max((scale - 1.0f) / 2.0f, 0.0f);
  if (sigma == 0.0f) return {1.0};
  const auto radius = static_cast<std::int64_t>(std::ceil(3.0f * sigma));
  std::vector<double> weights;
  double total = 0.0;
  for (std::int64_t k = -radius; k <= radius; ++k) {
    const double x = static_cast<double>(k) / static_cast<double>(sigma);
    weights.push_back(std::exp(-0.5 * x * x));
    total += weights.back();
  }
  for (double& weight : weights) weight /= total;
  return weights;
}

}  // namespace

Taps ComputeGaussianTaps(std::size_t side, std::size_t output, std::size_t length) {
  const float scale = static_cast<float>(side) / static_cast<float>(output);
  const std::vector<double> blur = BlurWeights(scale);
  const auto radius = static_cast<std::int64_t>(blur.size() / 2);
  const auto last_position = static_cast<std::int64_t>(side) - 1;
  Taps result;
  result.taps.reserve(output);
  std::vector<double> raw;
  for (std::size_t position = 0; position < output; ++position) {
    // Positions are float32, as torch's are: at the far end of a large picture that moves them by a ten-thousandth.
    const float center = std::max(scale * (static_cast<float>(position) + 0.5f) - 0.5f, 0.0f);
    const std::int64_t left = std::min(static_cast<std::int64_t>(center), last_position);
    const std::int64_t right = std::min(left + 1, last_position);
    const double share = static_cast<double>(center - static_cast<float>(left));
    // What borders mirror lies between these as well.
    const std::int64_t first = std::max<std::int64_t>(left - radius, 0);
    const std::int64_t last = std::min(right + radius, last_position);
    raw.assign(static_cast<std::size_t>(last - first + 1), 0.0);
    for (std::int64_t k = -radius; k <= radius; ++k) {
      const double weight = blur[static_cast<std::size_t>(k + radius)];
      raw[static_cast<std::size_t>(Reflect(left + k, last_position + 1) - first)] += weight * (1.0 - share);
      raw[static_cast<std::size_t>(Reflect(right + k, last_position + 1) - first)] += weight * share;
    }
    const auto end = static_cast<std::int64_t>(length);
    const auto inside = static_cast<std::size_t>(std::clamp<std::int64_t>(end - first, 0, last - first + 1));
    double beyond = 0.0;
    for (std::size_t k = inside; k < raw.size(); ++k) beyond += raw[k];
    // Without a position inside, the last one is named and weighs nothing.
    result.taps.push_back(
        {static_cast<std::size_t>(std::min(first, end - 1)), inside, result.weights.size(), static_cast<float>(beyond)});
    for (std::size_t k = 0; k < inside; ++k) result.weights.push_back(static_cast<float>(raw[k]));
  }
  return result;
}

}  // namespace im
