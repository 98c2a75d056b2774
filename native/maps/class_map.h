// Logits of a semantic segmentation network to one class for every pixel of the picture.
#pragma once

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "image/antialias.h"
#include "maps/placement.h"

namespace im::maps {

struct ClassMapSettings {
  // By channel: the class it stands for. One channel alone is a sigmoid, several are a softmax.
  std::vector<std::uint16_t> class_ids;
  std::uint16_t background = 0;
  // One for all classes, or one per class id.
  std::vector<float> thresholds;
};

// Whether an id takes 16 bits.
bool HasWideIds(const ClassMapSettings& settings);

// NaN, which nothing reaches, for a class without a threshold.
std::vector<float> ThresholdsByChannel(const ClassMapSettings& settings);

// Writes canvas_height * canvas_width class ids and confidences. Pixels less sure than the threshold of their class, pixels
// beside the pasted part, and pixels that would take another class from an extension alone, are background with confidence 0.
template <typename Id>
Status MakeClassMap(const DenseMap& logits, const Placement& placement, const ClassMapSettings& settings, Id* classes,
                    float* confidence);

// One channel in the picture, 0 beside the pasted part.
Status MakeValueMap(const DenseMap& map, const Placement& placement, Kernel kernel, float* values);

}  // namespace im::maps
