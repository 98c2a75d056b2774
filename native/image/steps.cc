#include "image/steps.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "image/smooth.h"

namespace im {
namespace {

// Between two steps the picture is held in memory, four bytes per pixel; more than this is no picture but a mistake.
constexpr std::int64_t kMaximumIntermediatePixels = std::int64_t{1} << 28;

bool IsSide(int value) { return value >= 1 && value <= kMaximumSide; }

bool IsOffset(int value) { return value >= -kMaximumSide && value <= kMaximumSide; }

std::string Text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

Status Refuse(std::string message) { return InvalidArgument("preprocess", std::move(message)); }

Status ValidateStep(const ResizeStep& step, Size input) {
  if (!IsSide(step.width) || !IsSide(step.height))
    return Refuse("A picture cannot be resized to " + Text(step.width, step.height) + ".");
  const Canvas& canvas = step.canvas;
  if (!IsSide(canvas.width) || !IsSide(canvas.height))
    return Refuse("A canvas cannot be " + Text(canvas.width, canvas.height) + ".");
  if (!IsOffset(canvas.left) || !IsOffset(canvas.top)) return Refuse("A picture cannot be placed that far outside its canvas.");
  if (!std::isfinite(canvas.fill)) return Refuse("The fill value of a canvas has to be finite.");
  if (step.filter == Filter::kNone && (step.width != input.width || step.height != input.height)) {
    return Refuse("Without a filter the size cannot change from " + Text(input.width, input.height) + " to " +
                  Text(step.width, step.height) + ".");
  }
  return {};
}

Status ValidateStep(const SampleStep& step, Size) {
  if (!IsSide(step.width) || !IsSide(step.height)) {
    return Refuse("A picture cannot be sampled at " + Text(step.width, step.height) + " points.");
  }
  for (const double value : {step.origin_x, step.origin_y, step.step_x, step.step_y}) {
    if (!std::isfinite(value)) return Refuse("Origin and step of a sampling grid have to be finite.");
  }
  return {};
}

Status ValidateNormalization(const Normalization& normalization) {
  bool finite = std::isfinite(normalization.divisor) && std::isfinite(normalization.factor);
  bool divisible = normalization.divisor != 0;
  for (int channel = 0; channel < 3; ++channel) {
    finite = finite && std::isfinite(normalization.mean[channel]) && std::isfinite(normalization.std[channel]);
    divisible = divisible && normalization.std[channel] != 0;
  }
  if (!finite) return Refuse("The numbers of the normalization have to be finite in float32.");
  if (!divisible) return Refuse("The normalization divides by zero.");
  return {};
}

}  // namespace

Visible VisiblePart(int size, int offset, int canvas) {
  const int begin = std::clamp(-offset, 0, size);
  return {begin, std::clamp(canvas - offset, begin, size)};
}

Size OutputSize(const GeometryStep& step) {
  if (const auto* resize = std::get_if<ResizeStep>(&step)) return {resize->canvas.width, resize->canvas.height};
  const auto& sample = std::get<SampleStep>(step);
  return {sample.width, sample.height};
}

std::size_t OutputLength(const PreprocessSteps& steps) {
  return std::size_t{3} * static_cast<std::size_t>(steps.output.width) * static_cast<std::size_t>(steps.output.height);
}

Status Validate(const Image& image, const PreprocessSteps& steps) {
  if (image.pixels == nullptr) return Refuse("The picture has no pixels.");
  if (!IsSide(image.width) || !IsSide(image.height))
    return Refuse("A picture cannot be " + Text(image.width, image.height) + ".");
  if (image.channels != 1 && image.channels != 3 && image.channels != 4) {
    return Refuse("A picture has 1, 3 or 4 channels, not " + std::to_string(image.channels) + ".");
  }
  if (steps.source.width != image.width || steps.source.height != image.height) {
    return Refuse("These steps are for a picture of " + Text(steps.source.width, steps.source.height) + ", not " +
                  Text(image.width, image.height) + ".");
  }
  const Rectangle& crop = steps.crop;
  if (!IsSide(crop.width) || !IsSide(crop.height) || crop.left < 0 || crop.top < 0 || crop.left > image.width - crop.width ||
      crop.top > image.height - crop.height) {
    return Refuse("The crop of " + Text(crop.width, crop.height) + " at (" + std::to_string(crop.left) + ", " +
                  std::to_string(crop.top) + ") does not lie inside the picture of " + Text(image.width, image.height) + ".");
  }
  if (steps.geometry.empty() || steps.geometry.size() > 2) return Refuse("There have to be one or two geometry steps.");
  Size size{crop.width, crop.height};
  for (std::size_t i = 0; i < steps.geometry.size(); ++i) {
    IM_RETURN_IF_ERROR(std::visit([&](const auto& step) { return ValidateStep(step, size); }, steps.geometry[i]));
    size = OutputSize(steps.geometry[i]);
    const bool is_last = i + 1 == steps.geometry.size();
    const auto* resize = std::get_if<ResizeStep>(&steps.geometry[i]);
    if (!is_last && resize != nullptr && IsSmooth(resize->filter)) {
      return Refuse("A filter that computes in floats has to be the last step.");
    }
    if (!is_last && std::int64_t{size.width} * size.height > kMaximumIntermediatePixels) {
      return Refuse("A picture of " + Text(size.width, size.height) + " between two steps is too large.");
    }
  }
  if (size.width != steps.output.width || size.height != steps.output.height) {
    return Refuse("The steps end with " + Text(size.width, size.height) + " but the network input is " +
                  Text(steps.output.width, steps.output.height) + ".");
  }
  return ValidateNormalization(steps.normalization);
}

}  // namespace im
