#include "detections.h"

#include <algorithm>
#include <limits>

namespace im::detection {
namespace {

// Whether offset + (count - 1) * stride < size, without ever computing a number that could overflow.
bool Reaches(std::size_t size, std::size_t offset, std::size_t stride, std::size_t count) {
  return offset < size && (count == 1 || (stride != 0 && count - 1 <= (size - 1 - offset) / stride));
}

}  // namespace

Status CheckMatrix(std::size_t size, const MatrixLayout& layout, std::size_t candidates, std::size_t attributes,
                   const std::string& name) {
  if (candidates == 0 || attributes == 0) return {};
  bool fits = Reaches(size, layout.offset, layout.candidate_stride, candidates) && candidates <= size / attributes;
  if (fits) {
    const std::size_t last_candidate = layout.offset + (candidates - 1) * layout.candidate_stride;
    fits = Reaches(size, last_candidate, layout.attribute_stride, attributes);
  }
  if (fits) return {};
  return InvalidArgument("decode", name + " does not fit its array: " + std::to_string(candidates) + " candidates with " +
                                       std::to_string(attributes) + " attributes at offset " + std::to_string(layout.offset) +
                                       " with strides " + std::to_string(layout.candidate_stride) + " and " +
                                       std::to_string(layout.attribute_stride) + " do not lie within " + std::to_string(size) +
                                       " elements.");
}

Result<Matrix> ViewMatrix(const float* data, std::size_t size, const MatrixLayout& layout, std::size_t candidates,
                          std::size_t attributes, const std::string& name) {
  IM_RETURN_IF_ERROR(CheckMatrix(size, layout, candidates, attributes, name));
  const bool empty = candidates == 0 || attributes == 0;
  return Matrix{empty ? data : data + layout.offset, layout.candidate_stride, layout.attribute_stride};
}

Thresholds::Thresholds(std::vector<float> values) : values_(std::move(values)), lowest_(std::numeric_limits<float>::infinity()) {
  for (const float value : values_) {
    if (value < lowest_) lowest_ = value;
  }
}

float Thresholds::For(std::int32_t class_id) const {
  if (values_.size() == 1) return values_[0];
  const auto index = static_cast<std::size_t>(class_id);  // a negative id becomes larger than any vector
  return index < values_.size() ? values_[index] : std::numeric_limits<float>::quiet_NaN();
}

}  // namespace im::detection
