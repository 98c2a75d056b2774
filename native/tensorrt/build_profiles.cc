#include "build_profiles.h"

#include <algorithm>

#include "tensorrt/tensors.h"

namespace im::trt {
namespace {

constexpr char kProfileStage[] = "tensorrt.profiles";

bool IsDynamic(const Shape& shape) {
  return std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; });
}

Status CheckRange(const Tensor& input, const Tensor::Range& range) {
  const Shape& shape = input.shape;
  bool fits =
      range.minimum.size() == shape.size() && range.optimum.size() == shape.size() && range.maximum.size() == shape.size();
  for (std::size_t i = 0; fits && i < shape.size(); ++i) {
    fits = range.minimum[i] >= 0 && range.minimum[i] <= range.optimum[i] && range.optimum[i] <= range.maximum[i] &&
           (shape[i] < 0 || (range.minimum[i] == shape[i] && range.maximum[i] == shape[i]));
  }
  if (fits) return {};
  return InvalidArgument(
      kProfileStage, "The range " + RangeText(range) + " does not fit input \"" + input.name + "\" of shape " + ShapeText(shape) +
                         " (-1 varies): every size needs minimum <= optimum <= maximum, and fixed sizes stay what they are.");
}

void FillRange(const WantedShapes& wanted, Tensor::Range& range) {
  const auto fill = [&](std::size_t axis, std::int64_t minimum, std::int64_t optimum, std::int64_t maximum) {
    if (range.minimum[axis] >= 0) return;
    range.minimum[axis] = minimum;
    range.optimum[axis] = optimum;
    range.maximum[axis] = maximum;
  };
  if (wanted.batch) fill(0, wanted.batch->minimum, wanted.batch->optimum, wanted.batch->maximum);
  if (!wanted.image || range.minimum.size() != 4) return;
  fill(2, wanted.image->height, wanted.image->height, wanted.image->height);
  fill(3, wanted.image->width, wanted.image->width, wanted.image->width);
}

}  // namespace

std::string RangeText(const Tensor::Range& range) {
  return ShapeText(range.minimum) + ", " + ShapeText(range.optimum) + ", " + ShapeText(range.maximum);
}

Result<std::vector<std::vector<InputRange>>> ResolveProfiles(const std::vector<Tensor>& inputs, const WantedShapes& wanted) {
  std::vector<std::vector<InputRange>> profiles = wanted.profiles;
  if (profiles.empty()) profiles.resize(1);
  for (std::vector<InputRange>& ranges : profiles) {
    for (const InputRange& given : ranges) {
      const bool known =
          std::any_of(inputs.begin(), inputs.end(), [&](const Tensor& input) { return input.name == given.input; });
      if (!known)
        return InvalidArgument(kProfileStage, "A profile names input \"" + given.input + "\", which the model does not have.");
    }
    for (const Tensor& input : inputs) {
      const auto same = [&](const InputRange& range) { return range.input == input.name; };
      if (std::count_if(ranges.begin(), ranges.end(), same) > 1) {
        return InvalidArgument(kProfileStage, "A profile names input \"" + input.name + "\" twice.");
      }
      const auto found = std::find_if(ranges.begin(), ranges.end(), same);
      if (found != ranges.end()) {
        IM_RETURN_IF_ERROR(CheckRange(input, found->range));
        continue;
      }
      if (!IsDynamic(input.shape)) continue;
      InputRange range{input.name, {input.shape, input.shape, input.shape}};
      FillRange(wanted, range.range);
      if (IsDynamic(range.range.minimum)) {
        return InvalidArgument(kProfileStage,
                               "Input \"" + input.name + "\" has the shape " + ShapeText(input.shape) +
                                   ", where -1 varies: say which shapes the engine is to take, in profiles, or in batch and "
                                   "imageSize where only these vary.");
      }
      IM_RETURN_IF_ERROR(CheckRange(input, range.range));
      ranges.push_back(std::move(range));
    }
  }
  // Without inputs that vary there is nothing to say.
  if (profiles.size() == 1 && profiles[0].empty()) profiles.clear();
  return profiles;
}

}  // namespace im::trt
