// Filters that compute in float32: `triangle` and `gaussian`, whose values are not rounded, and `cubic`, whose values are rounded
// to 8 bits once. `gaussian` resizes the square around the picture, of which the canvas's fill is the rest. The TypeScript twin
// is src/imaging/reference/smooth.ts.
#pragma once

#include "base/status.h"
#include "image/antialias.h"
#include "image/resample.h"
#include "image/steps.h"

namespace im {

constexpr bool IsSmooth(Filter filter) {
  return filter == Filter::kTriangle || filter == Filter::kCubic || filter == Filter::kGaussian;
}

// The weights of such a filter for one axis, from `input` positions to `output`; `square` is the longer side of the picture.
Taps SmoothTaps(Filter filter, int input, int output, int square);

// The last step, into the network input. Horizontal pass first.
Status ResizeSmoothly(SourceRows& source, const ResizeStep& step, const PreprocessSteps& steps, float* target,
                      const RowKernels& kernels);

}  // namespace im
