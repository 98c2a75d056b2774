// What to do with one picture: the C++ side of PreprocessSteps in src/imaging/types.ts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "base/status.h"
#include "image/pixels.h"

namespace im {

constexpr int kMaximumSide = 65535;

enum class ColorFormat { kRgb, kBgr };
enum class Contrast { kStretching, kHistogramEqualization, kAdaptiveEqualization };
enum class Filter { kLinear, kPillow, kNone, kTriangle, kCubic, kGaussian };

// Interleaved 8-bit pixels, rows tightly packed: height * width * channels bytes. Not owned.
struct Image {
  const std::uint8_t* pixels = nullptr;
  int width = 0;
  int height = 0;
  int channels = 3;  // 1 gray, 3 colour, 4 colour with an alpha that is dropped
  ColorFormat color_format = ColorFormat::kRgb;
};

inline std::size_t ByteCount(const Image& image) {
  return static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) *
         static_cast<std::size_t>(image.channels);
}

struct Size {
  int width = 0;
  int height = 0;
};

struct Rectangle {
  int left = 0;
  int top = 0;
  int width = 0;
  int height = 0;
};

struct Canvas {
  int width = 0;
  int height = 0;
  int left = 0;  // where the resized picture lands; negative: that much is cut off
  int top = 0;
  float fill = 0;
};

struct ResizeStep {
  Filter filter = Filter::kLinear;
  int width = 0;
  int height = 0;
  Canvas canvas;
};

struct SampleStep {
  int width = 0;
  int height = 0;
  double origin_x = 0;
  double origin_y = 0;
  double step_x = 1;
  double step_y = 1;
};

using GeometryStep = std::variant<ResizeStep, SampleStep>;

struct PreprocessSteps {
  Size source;
  Rectangle crop;
  bool grayscale = false;
  std::optional<Contrast> contrast;
  std::vector<GeometryStep> geometry;  // one or two
  bool swap_channels = false;
  Normalization normalization;
  Size output;
};

// Which columns (or rows) of the resized picture, `size` of them from `offset` on, lie on a canvas with `canvas` of them.
struct Visible {
  int begin;
  int end;
};
Visible VisiblePart(int size, int offset, int canvas);

// Size of the picture that a step leaves behind.
Size OutputSize(const GeometryStep& step);

// Floats in the network input; steps must be valid.
std::size_t OutputLength(const PreprocessSteps& steps);

// Whether image and steps make sense and belong together. Everything below relies on it.
Status Validate(const Image& image, const PreprocessSteps& steps);

}  // namespace im
