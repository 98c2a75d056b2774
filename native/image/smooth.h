// Filters that compute in float32: `triangle`, whose values are not rounded, and `cubic`, whose values are rounded to 8 bits once.
// The TypeScript twin is src/imaging/reference/smooth.ts.
#pragma once

#include "base/status.h"
#include "image/resample.h"
#include "image/steps.h"

namespace im {

constexpr bool IsSmooth(Filter filter) { return filter == Filter::kTriangle || filter == Filter::kCubic; }

// The last step, into the network input. Horizontal pass first.
Status ResizeSmoothly(SourceRows& source, const ResizeStep& step, const PreprocessSteps& steps, float* target, const RowKernels& kernels);

}  // namespace im
