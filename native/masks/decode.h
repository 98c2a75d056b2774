// Masks of instances in the picture. Each is computed only where its cells can reach, and never exists as pixels: it is
// written as runs, so memory grows with the outlines and not with the picture.
#pragma once

#include <cstdint>
#include <vector>

#include "detection/detections.h"
#include "masks/cells.h"
#include "masks/placement.h"
#include "masks/runs.h"

namespace im::masks {

struct MaskSelection {
  std::vector<std::int32_t> indices;  // rows of the coefficients, or planes
  std::vector<detection::Box> boxes;  // cells outside are 0; empty: nothing is cut off
  float box_scale = 1.0f;             // cells per unit of the boxes
};

// The arguments have been checked: indices within the head, sides from 1 to kMaximumSide, fewer than 2^31 pixels.
MaskRuns DecodeMasks(const MaskHead& head, const MaskSelection& selection, const MaskTarget& target);

}  // namespace im::masks
