// The arithmetic of the interpolators for one output pixel or one weight. Fixed-point details (where it rounds, where
// it truncates) are what makes results equal to OpenCV's and Pillow's, bit for bit.
#pragma once

#include <cmath>
#include <cstdint>

#include "image/host_device.h"

namespace im {

// ---- linear: OpenCV's INTER_LINEAR on 8 bits. Half-pixel centres, 11-bit weights, no antialiasing. ----

// Two neighbours, `index` and `index + 1`, with weights of 1/2048.
struct LinearCoefficient {
  int index;
  int first;
  int second;
};

IM_HOST_DEVICE LinearCoefficient LinearWeights(int output, int input_size, int output_size) {
  const double scale = 1.0 / (static_cast<double>(output_size) / input_size);
  const float position = static_cast<float>((output + 0.5) * scale - 0.5);
  const float whole = floorf(position);
  const float fraction = position - whole;
  return {static_cast<int>(whole), static_cast<int>(rintf((1.0f - fraction) * 2048.0f)),
          static_cast<int>(rintf(fraction * 2048.0f))};
}

// Columns: a neighbour outside the picture loses its weight. `index + 1` is inside unless the picture is one column wide.
IM_HOST_DEVICE LinearCoefficient LinearColumnWeights(int output, int input_size, int output_size) {
  const LinearCoefficient weights = LinearWeights(output, input_size, output_size);
  if (input_size == 1 || weights.index < 0) return {0, 2048, 0};
  if (weights.index >= input_size - 1) return {input_size - 2, 0, 2048};
  return weights;
}

// Rows keep their weights; it is the caller who clamps `index` and `index + 1` to the picture.
IM_HOST_DEVICE LinearCoefficient LinearRowWeights(int output, int input_size, int output_size) {
  return LinearWeights(output, input_size, output_size);
}

// At most 255 * 2048 / 16 = 32640: fits 16 bits.
IM_HOST_DEVICE std::int16_t BlendColumns(int first_value, int second_value, int first, int second) {
  return static_cast<std::int16_t>((first_value * first + second_value * second) >> 4);
}

// The two products are truncated one by one; rounding their sum instead would change every third pixel.
IM_HOST_DEVICE std::uint8_t BlendRows(int first_value, int second_value, int first, int second) {
  return static_cast<std::uint8_t>((((first * first_value) >> 16) + ((second * second_value) >> 16) + 2) >> 2);
}

// ---- pillow: Pillow's BILINEAR on 8 bits. Triangle filter that widens when shrinking, 22-bit weights. ----

constexpr int kPillowBits = 22;

struct PillowWindow {
  int begin;  // inputs begin .. end - 1 take part
  int end;
  double center;
  double radius;
};

IM_HOST_DEVICE PillowWindow PillowWindowAt(int output, int input_size, int output_size) {
  const double scale = static_cast<double>(input_size) / output_size;
  const double radius = scale > 1.0 ? scale : 1.0;
  const double center = (output + 0.5) * scale;
  const int begin = static_cast<int>(center - radius + 0.5);  // truncates towards zero, on purpose
  const int end = static_cast<int>(center + radius + 0.5);
  return {begin > 0 ? begin : 0, end < input_size ? end : input_size, center, radius};
}

// Before the weights of a window are divided by their sum.
IM_HOST_DEVICE double PillowRawWeight(const PillowWindow& window, int input) {
  const double distance = fabs((input - window.center + 0.5) / window.radius);
  return distance < 1.0 ? 1.0 - distance : 0.0;
}

IM_HOST_DEVICE int PillowFixedPoint(double weight) { return static_cast<int>(weight * (1 << kPillowBits) + 0.5); }

IM_HOST_DEVICE std::uint8_t PillowRound(int sum) {
  const int value = (sum + (1 << (kPillowBits - 1))) >> kPillowBits;
  return static_cast<std::uint8_t>(value < 0 ? 0 : value > 255 ? 255 : value);
}

// ---- cubic: the sums overshoot, and become whole numbers once, at the end. ----

IM_HOST_DEVICE float CubicRound(float value) { return rintf(value < 0.0f ? 0.0f : value > 255.0f ? 255.0f : value); }

// ---- sample: bilinear between pixel centres at integer coordinates, black outside (MediaPipe on the CPU). ----

struct SamplePosition {
  int index;  // -1 .. size - 1; neighbours are index and index + 1
  double fraction;
  bool inside;  // false: both neighbours lie outside
};

IM_HOST_DEVICE SamplePosition SampleAt(int output, double origin, double step, int size) {
  const double position = origin + output * step;
  // Compared before the cast: positions may be as large as a double can be.
  if (!(position > -1.0 && position < size)) return {0, 0.0, false};
  const double whole = floor(position);
  return {static_cast<int>(whole), position - whole, true};
}

IM_HOST_DEVICE std::uint8_t SampleBlend(int top_left, int top_right, int bottom_left, int bottom_right, double x, double y) {
  const double upper = top_left * (1.0 - x) + top_right * x;
  const double lower = bottom_left * (1.0 - x) + bottom_right * x;
  return static_cast<std::uint8_t>(rint(upper * (1.0 - y) + lower * y));
}

}  // namespace im
