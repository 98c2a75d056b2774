// The arithmetic of boxes and scores, for the CPU and for the kernels of native/kernels alike.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "image/host_device.h"

namespace im::detection {

// Element (candidate i, attribute a) = data[i * candidate_stride + a * attribute_stride].
struct Matrix {
  const float* data = nullptr;
  std::size_t candidate_stride = 0;
  std::size_t attribute_stride = 0;

  IM_HOST_DEVICE float At(std::size_t candidate, std::size_t attribute) const {
    return data[candidate * candidate_stride + attribute * attribute_stride];
  }
};

enum class BoxFormat {
  kCenterSize,
  kCorners,
  kOffsets,  // from priors; see priors.h
};

enum class ObjectnessUse {
  kNone,
  kGate,     // thresholds apply to the objectness, the score is the class's
  kProduct,  // logits: score = sigmoid(objectness) * sigmoid(class)
};

struct Box {
  float x1, y1, x2, y2;
};

IM_HOST_DEVICE Box CornersFromCenter(float cx, float cy, float width, float height) {
  const float half_width = width * 0.5f;
  const float half_height = height * 0.5f;
  return {cx - half_width, cy - half_height, cx + half_width, cy + half_height};
}

// The box of a candidate that stands there as it is, in either format, as corners.
template <typename AnyMatrix>
IM_HOST_DEVICE Box BoxOf(const AnyMatrix& boxes, BoxFormat format, std::size_t candidate) {
  const float a = boxes.At(candidate, 0);
  const float b = boxes.At(candidate, 1);
  const float c = boxes.At(candidate, 2);
  const float d = boxes.At(candidate, 3);
  return format == BoxFormat::kCorners ? Box{a, b, c, d} : CornersFromCenter(a, b, c, d);
}

// Not the usual minimum and maximum: the order of the operands decides that NaN loses and that the first of two zeros stays.
IM_HOST_DEVICE float Greater(float candidate, float current) { return candidate > current ? candidate : current; }
IM_HOST_DEVICE float Smaller(float candidate, float current) { return candidate < current ? candidate : current; }

IM_HOST_DEVICE float Area(const Box& box) { return (box.x2 - box.x1) * (box.y2 - box.y1); }

// Of a box that stays with one that is asked about. 0/0, which is not greater than anything, where both are empty.
IM_HOST_DEVICE float IntersectionOverUnion(const Box& kept, float kept_area, const Box& box, float area) {
  const float width = Smaller(kept.x2, box.x2) - Greater(kept.x1, box.x1);
  const float height = Smaller(kept.y2, box.y2) - Greater(kept.y1, box.y1);
  const float intersection = Greater(width, 0.0f) * Greater(height, 0.0f);
  return intersection / (kept_area + area - intersection);
}

// Grows as the score falls; both zeros are one.
IM_HOST_DEVICE std::uint32_t DescendingKey(float score) {
  const float without_negative_zero = score + 0.0f;
  std::uint32_t bits;
  memcpy(&bits, &without_negative_zero, sizeof bits);
  return (bits & 0x80000000u) != 0 ? bits : ~(bits | 0x80000000u);
}

// Score and position in one integer: the position breaks ties.
IM_HOST_DEVICE std::uint64_t ScoreKey(float score, std::size_t position) {
  return static_cast<std::uint64_t>(DescendingKey(score)) << 32 | position;
}
IM_HOST_DEVICE std::int32_t PositionOf(std::uint64_t key) { return static_cast<std::int32_t>(key & 0x7fffffffu); }

// One threshold for all classes, or one per class id; none for the others.
struct ThresholdList {
  const float* values = nullptr;
  std::size_t count = 0;

  // A class without a threshold never passes, nor does a score that is not a number.
  IM_HOST_DEVICE bool Above(float score, std::int32_t class_id) const {
    if (count == 1) return score > values[0];
    const auto index = static_cast<std::size_t>(class_id);  // a negative id becomes larger than any list
    return index < count && score > values[index];
  }
  IM_HOST_DEVICE bool AtLeast(float score, std::int32_t class_id) const {
    if (count == 1) return score >= values[0];
    const auto index = static_cast<std::size_t>(class_id);
    return index < count && score >= values[index];
  }
};

// Whether a row x1, y1, x2, y2, score, class id is reported. A class id is truncated to an integer; one that is no 32-bit integer
// does not pass.
template <typename AnyMatrix>
IM_HOST_DEVICE bool RowPasses(const AnyMatrix& rows, std::size_t row, const ThresholdList& thresholds, bool inclusive) {
  const float class_number = rows.At(row, 5);
  if (!(class_number >= -2147483648.0f && class_number < 2147483648.0f)) return false;
  const auto class_id = static_cast<std::int32_t>(class_number);
  const float score = rows.At(row, 4);
  return inclusive ? thresholds.AtLeast(score, class_id) : thresholds.Above(score, class_id);
}

}  // namespace im::detection
