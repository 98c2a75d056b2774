// Resizing of a square as OWLv2 prepares pictures (skimage's resize, in torch): a Gaussian blur when shrinking, then bilinear
// without antialiasing. The two make one set of weights. The TypeScript twin is src/imaging/reference/gaussian.ts: same
// operations, same bits.
#pragma once

#include "image/antialias.h"

namespace im {

// One axis from `side` positions, of which the picture has the first `length`, to `output`. All at least 1, `length` at most
// `side`.
Taps ComputeGaussianTaps(std::size_t side, std::size_t output, std::size_t length);

}  // namespace im
