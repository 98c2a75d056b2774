// The CPU executor: one picture to one network input.
#pragma once

#include "base/status.h"
#include "image/row_kernels.h"
#include "image/steps.h"

namespace im {

// Writes float32 [3, output.height, output.width] to `target`, completely; a failure may leave it half written. Results do
// not depend on `kernels`.
Status Preprocess(const Image& image, const PreprocessSteps& steps, float* target, const RowKernels& kernels = BestKernels());

}  // namespace im
