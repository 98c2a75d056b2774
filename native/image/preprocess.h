// The CPU executor: one picture to one network input.
#pragma once

#include "base/status.h"
#include "image/row_kernels.h"
#include "image/steps.h"

namespace im {

// Writes float32 [3, output.height, output.width], OutputLength(steps) values, completely. Fails only when image and steps do
// not belong together (see Validate). Uses the calling thread alone.
Status Preprocess(const Image& image, const PreprocessSteps& steps, float* target, const RowKernels& kernels = BestKernels());

}  // namespace im
