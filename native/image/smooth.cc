#include "image/smooth.h"

#include <algorithm>
#include <vector>

#include "image/antialias.h"
#include "image/gaussian.h"
#include "image/interpolation.h"
#include "image/scratch.h"

namespace im {
Taps SmoothTaps(Filter filter, int input, int output, int square) {
  const auto from = static_cast<std::size_t>(input);
  const auto to = static_cast<std::size_t>(output);
  if (filter == Filter::kGaussian) return ComputeGaussianTaps(static_cast<std::size_t>(square), to, from);
  return ComputeTaps(from, to, filter == Filter::kCubic ? Kernel::kCubic : Kernel::kTriangle);
}

Status ResizeSmoothly(SourceRows& source, const ResizeStep& step, const PreprocessSteps& steps, float* target,
                      const RowKernels& kernels) {
  const int square = std::max(source.width(), source.height());
  const Taps across = SmoothTaps(step.filter, source.width(), step.width, square);
  const Taps down = SmoothTaps(step.filter, source.height(), step.height, square);
  const Visible columns = VisiblePart(step.width, step.canvas.left, step.canvas.width);
  const Visible rows = VisiblePart(step.height, step.canvas.top, step.canvas.height);
  const auto width = static_cast<std::size_t>(columns.end - columns.begin);

  const std::size_t plane = static_cast<std::size_t>(steps.output.width) * static_cast<std::size_t>(steps.output.height);
  for (int channel = 0; channel < 3; ++channel) {
    std::fill_n(target + static_cast<std::size_t>(channel) * plane, plane,
                Normalize(step.canvas.fill, steps.normalization, channel));
  }
  if (width == 0 || rows.end == rows.begin) return {};

  // Source rows that any visible row needs, resized horizontally: three channels behind each other.
  std::size_t first = down.taps[static_cast<std::size_t>(rows.begin)].first;
  std::size_t last = first;
  for (int y = rows.begin; y < rows.end; ++y) {
    const Tap& tap = down.taps[static_cast<std::size_t>(y)];
    first = std::min(first, tap.first);
    // Not always the last row's end: a weight of 0 there is left out.
    last = std::max(last, tap.first + tap.count);
  }
  const std::size_t count = last - first;
  const std::size_t row_length = 3 * width;
  Scratch<float> resized;
  IM_RETURN_IF_ERROR(resized.Allocate(count * row_length));
  std::vector<std::uint8_t> slots(std::size_t{4} * static_cast<std::size_t>(source.width()));
  for (std::size_t y = 0; y < count; ++y) {
    kernels.expand(source.Row(static_cast<int>(first + y)), slots.data());
    float* row = resized.data() + y * row_length;
    for (std::size_t x = 0; x < width; ++x) {
      const Tap& tap = across.taps[static_cast<std::size_t>(columns.begin) + x];
      float sums[3] = {0.0f, 0.0f, 0.0f};
      for (std::size_t k = 0; k < tap.count; ++k) {
        const float weight = across.weights[tap.weights + k];
        const std::uint8_t* slot = slots.data() + 4 * (tap.first + k);
        for (int channel = 0; channel < 3; ++channel) sums[channel] += weight * static_cast<float>(slot[channel]);
      }
      for (std::size_t channel = 0; channel < 3; ++channel)
        row[channel * width + x] = sums[channel] + tap.beyond * step.canvas.fill;
    }
  }

  std::vector<float> sums(row_length);
  for (int y = rows.begin; y < rows.end; ++y) {
    const Tap& tap = down.taps[static_cast<std::size_t>(y)];
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (std::size_t k = 0; k < tap.count; ++k) {
      const float weight = down.weights[tap.weights + k];
      const float* row = resized.data() + (tap.first - first + k) * row_length;
      for (std::size_t i = 0; i < row_length; ++i) sums[i] += weight * row[i];
    }
    if (tap.beyond != 0.0f) {
      for (float& value : sums) value += tap.beyond * step.canvas.fill;
    }
    if (step.filter == Filter::kCubic) {
      for (float& value : sums) value = CubicRound(value);
    }
    const std::size_t start = static_cast<std::size_t>(step.canvas.top + y) * static_cast<std::size_t>(steps.output.width) +
                              static_cast<std::size_t>(step.canvas.left + columns.begin);
    for (int channel = 0; channel < 3; ++channel) {
      const int output = steps.swap_channels ? 2 - channel : channel;
      const float* values = sums.data() + static_cast<std::size_t>(channel) * width;
      float* network = target + static_cast<std::size_t>(output) * plane + start;
      for (std::size_t x = 0; x < width; ++x) network[x] = Normalize(values[x], steps.normalization, output);
    }
  }
  return {};
}

}  // namespace im
