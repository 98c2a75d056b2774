// Resizing of float maps without rounding: by a filter whose support grows when shrinking (the "antialiased" resizing of
// torchvision and Pillow), or by the four nearest positions whatever the scale. The TypeScript twin is
// src/imaging/reference/antialias.ts: same operations, same bits.
#pragma once

#include <cstddef>
#include <vector>

// Of pointers that nothing else in the function points into.
#if defined(_MSC_VER)
#define IM_RESTRICT __restrict
#else
#define IM_RESTRICT __restrict__
#endif

namespace im {

// kCubic: antialiased, a = -0.5. kNearestCubic: the four nearest positions, a = -0.75, those beyond the ends being the outermost
// (torch's interpolate in mode "bicubic" without antialiasing and without aligned corners).
enum class Kernel { kTriangle, kCubic, kNearestCubic };

// Which source positions make one position of the result, and with which weights; they add up to 1.
struct Tap {
  std::size_t first = 0;
  std::size_t count = 0;
  std::size_t weights = 0;  // where they begin in Taps::weights
  float beyond = 0;         // weight of what lies beside the picture
};

struct Taps {
  std::vector<Tap> taps;  // by position of the result
  std::vector<float> weights;
};

// One axis from `input` to `output` positions, both at least 1. Weights are computed in double precision, kept in single.
Taps ComputeTaps(std::size_t input, std::size_t output, Kernel kernel);

}  // namespace im
