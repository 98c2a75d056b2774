// What all decoders speak: where the numbers of a head lie, and the boxes that come out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../base/status.h"
#include "arithmetic.h"

namespace im::detection {

// How a matrix lies in an array, as the caller says; not yet believed.
struct MatrixLayout {
  std::size_t offset = 0;
  std::size_t candidate_stride = 0;
  std::size_t attribute_stride = 0;
};

// Whether every element lies within an array of `size`, no dimension repeats elements (a stride of 0), and the matrix has no more
// elements than the array (so that work and memory are bounded by what the caller holds).
Status CheckMatrix(std::size_t size, const MatrixLayout& layout, std::size_t candidates, std::size_t attributes,
                   const std::string& name);

// The matrix within the `size` floats at `data`, if CheckMatrix has nothing against it.
Result<Matrix> ViewMatrix(const float* data, std::size_t size, const MatrixLayout& layout, std::size_t candidates,
                          std::size_t attributes, const std::string& name);

// Parallel arrays, one entry per detection.
struct Detections {
  std::vector<Box> boxes;
  std::vector<float> scores;
  std::vector<std::int32_t> class_ids;
  std::vector<std::int32_t> indices;  // candidate, row or query

  std::size_t size() const { return scores.size(); }
  void Add(const Box& box, float score, std::int32_t class_id, std::int32_t index) {
    boxes.push_back(box);
    scores.push_back(score);
    class_ids.push_back(class_id);
    indices.push_back(index);
  }
};

// One confidence threshold for all classes, or one per class id. A class without a threshold never passes, nor does a score
// that is not a number.
class Thresholds {
 public:
  explicit Thresholds(std::vector<float> values);

  bool Above(float score, std::int32_t class_id) const { return list().Above(score, class_id); }
  bool AtLeast(float score, std::int32_t class_id) const { return list().AtLeast(score, class_id); }
  // NaN, above which nothing is, for a class without one.
  float For(std::int32_t class_id) const;
  // No class can pass with a score at or below this.
  float lowest() const { return lowest_; }
  // Valid as long as this object.
  ThresholdList list() const { return {values_.data(), values_.size()}; }

 private:
  std::vector<float> values_;
  float lowest_;
};

struct Limits {
  std::optional<float> iou_threshold;  // none: no NMS
  bool class_agnostic = false;
  std::size_t max_detections = SIZE_MAX;
};

}  // namespace im::detection
