// Where the cells of masks lie in the picture: the same for all masks of it.
#pragma once

#include <cstdint>
#include <vector>

#include "masks/arithmetic.h"
#include "masks/bilinear.h"

namespace im::masks {

struct MaskSize {
  std::int32_t width;
  std::int32_t height;
};

// From cells to the picture: trim, resize (antialiased bilinear), paste, threshold (strictly greater).
struct MaskTarget {
  Region trim;  // cells cut from each side; negative: so many zeros are added
  MaskSize resize;
  std::int32_t left;  // of the resized mask in the picture
  std::int32_t top;
  MaskSize picture;
  float threshold;
};

// Sides and shifts are at most this, so that sums of them fit.
constexpr std::int32_t kMaximumSide = 1 << 20;

// Outputs of an axis that the picture shows: from `first`, `count` of them, beginning at `start` in the picture.
struct Visible {
  std::int32_t first;
  std::int32_t count;
  std::int32_t start;
};

// Neighbouring outputs made of the same inputs.
struct TapGroup {
  std::int32_t first;
  std::int32_t end;
  TapRange range;
};

// Inputs count from where the trimmed mask begins, outputs from the first visible one. No outputs: nothing of the mask is shown.
struct MaskAxes {
  // `width` and `height` of the masks, in cells.
  MaskAxes(std::int32_t width, std::int32_t height, const MaskTarget& target);

  const Visible horizontal;
  const Visible vertical;
  const BilinearTaps columns;
  const BilinearTaps rows;
  const std::vector<TapGroup> row_groups;
};

}  // namespace im::masks
