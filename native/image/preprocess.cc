#include "image/preprocess.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>

#include "image/contrast.h"
#include "image/resample.h"
#include "image/scratch.h"
#include "image/smooth.h"

namespace im {
namespace {

// Takes the rows of a canvas, top to bottom.
class RowSink {
 public:
  virtual ~RowSink() = default;
  // Row y is `count` pixels of picture from column `left` on, and fill on both sides.
  virtual void Write(int y, int left, const std::uint8_t* slots, int count) = 0;
};

// The last step: the network input.
class PlaneSink final : public RowSink {
 public:
  PlaneSink(const PreprocessSteps& steps, float fill, float* target, const RowKernels& kernels)
      : kernels_(kernels), normalization_(steps.normalization), width_(steps.output.width) {
    const std::size_t plane_length = static_cast<std::size_t>(steps.output.width) * static_cast<std::size_t>(steps.output.height);
    for (int channel = 0; channel < 3; ++channel) {
      channels_[channel] = steps.swap_channels ? 2 - channel : channel;
      planes_[channel] = target + static_cast<std::size_t>(channels_[channel]) * plane_length;
      fill_[channel] = Normalize(fill, normalization_, channels_[channel]);
    }
  }

  void Write(int y, int left, const std::uint8_t* slots, int count) override {
    float* picture[3];
    for (int channel = 0; channel < 3; ++channel) {
      float* row = planes_[channel] + static_cast<std::size_t>(y) * static_cast<std::size_t>(width_);
      picture[channel] = row + left;
      std::fill(row, row + left, fill_[channel]);
      std::fill(row + left + count, row + width_, fill_[channel]);
    }
    if (count > 0) kernels_.to_planes(slots, count, normalization_, channels_, picture);
  }

 private:
  const RowKernels& kernels_;
  Normalization normalization_;
  int width_;
  // By channel of the picture.
  int channels_[3];
  float* planes_[3];
  float fill_[3];
};

// Before another step: an 8-bit picture in slots.
class SlotSink final : public RowSink {
 public:
  SlotSink(Size size, float fill) : size_(size), fill_(static_cast<std::uint8_t>(std::clamp(std::rint(fill), 0.0f, 255.0f))) {}
  Status Prepare() {
    return slots_.Allocate(std::size_t{4} * static_cast<std::size_t>(size_.width) * static_cast<std::size_t>(size_.height));
  }

  void Write(int y, int left, const std::uint8_t* slots, int count) override {
    std::uint8_t* row = slots_.data() + std::size_t{4} * static_cast<std::size_t>(y) * static_cast<std::size_t>(size_.width);
    std::memset(row, fill_, std::size_t{4} * static_cast<std::size_t>(left));
    if (count > 0) std::memcpy(row + std::ptrdiff_t{4} * left, slots, std::size_t{4} * static_cast<std::size_t>(count));
    std::memset(row + std::ptrdiff_t{4} * (left + count), fill_,
                std::size_t{4} * static_cast<std::size_t>(size_.width - left - count));
  }

  Image image() const { return {slots_.data(), size_.width, size_.height, 4, ColorFormat::kRgb}; }

 private:
  Size size_;
  std::uint8_t fill_;
  Scratch<std::uint8_t> slots_;
};

Canvas CanvasOf(const ResizeStep& step) { return step.canvas; }
Canvas CanvasOf(const SampleStep& step) { return {step.width, step.height, 0, 0, 0.0f}; }

template <typename Step>
Status RunStep(SourceRows& source, const Step& step, RowSink& sink, const RowKernels& kernels) {
  const Canvas canvas = CanvasOf(step);
  const int left = std::clamp(canvas.left, 0, canvas.width);
  const int right = std::clamp(canvas.left + step.width, left, canvas.width);
  const int top = std::clamp(canvas.top, 0, canvas.height);
  const int bottom = right > left ? std::clamp(canvas.top + step.height, top, canvas.height) : top;
  for (int y = 0; y < top; ++y) sink.Write(y, 0, nullptr, 0);
  if (top < bottom) {
    auto rows = Resample(source, step, {left - canvas.left, right - left}, kernels);
    if (!rows.ok()) return rows.status();
    for (int y = top; y < bottom; ++y) sink.Write(y, left, rows.value()->Row(y - canvas.top), right - left);
  }
  for (int y = bottom; y < canvas.height; ++y) sink.Write(y, 0, nullptr, 0);
  return {};
}

Status RunGeometryStep(SourceRows& source, const GeometryStep& step, RowSink& sink, const RowKernels& kernels) {
  return std::visit([&](const auto& kind) { return RunStep(source, kind, sink, kernels); }, step);
}

float FillOf(const GeometryStep& step) {
  return std::visit([](const auto& kind) { return CanvasOf(kind).fill; }, step);
}

// Counts a gray value three times: the three channels are equal then.
Histogram CountValues(SourceRows& source) {
  Histogram histogram{};
  for (int y = 0; y < source.height(); ++y) {
    const SourceRow row = source.Row(y);
    const std::uint8_t* pixel = row.pixels;
    for (int x = 0; x < row.width; ++x, pixel += row.channels) {
      if (row.channels == 1) {
        histogram[pixel[0]] += 3;
      } else {
        for (int channel = 0; channel < 3; ++channel) ++histogram[pixel[channel]];
      }
    }
  }
  return histogram;
}

// The last step, into the network input.
Status RunLastStep(SourceRows& source, const PreprocessSteps& steps, float* target, const RowKernels& kernels) {
  const GeometryStep& step = steps.geometry.back();
  if (const auto* resize = std::get_if<ResizeStep>(&step); resize != nullptr && IsSmooth(resize->filter)) {
    return ResizeSmoothly(source, *resize, steps, target, kernels);
  }
  PlaneSink planes(steps, FillOf(step), target, kernels);
  return RunGeometryStep(source, step, planes, kernels);
}

Status RunGeometry(SourceRows& source, const PreprocessSteps& steps, float* target, const RowKernels& kernels) {
  if (steps.geometry.size() == 1) return RunLastStep(source, steps, target, kernels);
  const GeometryStep& first = steps.geometry.front();
  const Size size = OutputSize(first);
  SlotSink between(size, FillOf(first));
  IM_RETURN_IF_ERROR(between.Prepare());
  IM_RETURN_IF_ERROR(RunGeometryStep(source, first, between, kernels));
  SourceRows second(between.image(), {0, 0, size.width, size.height}, kernels);
  return RunLastStep(second, steps, target, kernels);
}

}  // namespace

Status Preprocess(const Image& image, const PreprocessSteps& steps, float* target, const RowKernels& kernels) {
  IM_RETURN_IF_ERROR(Validate(image, steps));
  SourceRows source(image, steps.crop, kernels);
  if (steps.grayscale) IM_RETURN_IF_ERROR(source.MakeGray());
  if (!steps.contrast.has_value()) return RunGeometry(source, steps, target, kernels);

  // Two kinds replace values by a table, which the rows apply as they are read. The third needs the whole picture.
  switch (*steps.contrast) {
    case Contrast::kStretching:
      IM_RETURN_IF_ERROR(source.Map(StretchContrast(CountValues(source))));
      return RunGeometry(source, steps, target, kernels);
    case Contrast::kHistogramEqualization:
      IM_RETURN_IF_ERROR(source.Map(EqualizeHistogram(CountValues(source))));
      return RunGeometry(source, steps, target, kernels);
    case Contrast::kAdaptiveEqualization: break;
  }
  const std::size_t row_bytes = std::size_t{4} * static_cast<std::size_t>(source.width());
  Scratch<std::uint8_t> slots;
  IM_RETURN_IF_ERROR(slots.Allocate(row_bytes * static_cast<std::size_t>(source.height())));
  for (int y = 0; y < source.height(); ++y) kernels.expand(source.Row(y), slots.data() + static_cast<std::size_t>(y) * row_bytes);
  IM_RETURN_IF_ERROR(EqualizeAdaptively(slots.data(), source.width(), source.height()));
  const Image equalized{slots.data(), source.width(), source.height(), 4, image.color_format};
  SourceRows equalized_rows(equalized, {0, 0, equalized.width, equalized.height}, kernels);
  return RunGeometry(equalized_rows, steps, target, kernels);
}

}  // namespace im
