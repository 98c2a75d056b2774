#include "masks/bilinear.h"

namespace im::masks {

BilinearTaps::BilinearTaps(std::int32_t inputs, std::int32_t outputs, std::int32_t first, std::int32_t count) {
  const BilinearAxis axis = BilinearAxis::Between(inputs, outputs);
  ranges_.reserve(static_cast<std::size_t>(count));
  starts_.reserve(static_cast<std::size_t>(count));
  for (std::int32_t output = first; output < first + count; ++output) {
    TapRange range = axis.Range(output);
    const std::size_t start = weights_.size();
    float total = 0.0f;
    for (std::int32_t input = range.begin; input < range.end; ++input) {
      weights_.push_back(axis.Weight(output, input));
      total += weights_.back();
    }
    // A weight of nothing would let an infinite input through.
    while (weights_.size() - start > 1 && weights_.back() == 0.0f) {
      weights_.pop_back();
      --range.end;
    }
    for (std::size_t i = start; i < weights_.size(); ++i) weights_[i] /= total;
    ranges_.push_back(range);
    starts_.push_back(start);
  }
}

}  // namespace im::masks
