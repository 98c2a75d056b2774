// Contrast enhancement of 8-bit pictures. All three kinds pool the three channels.
#pragma once

#include <array>
#include <cstdint>

#include "base/status.h"

namespace im {

// How often each value occurs among all values of all channels; never empty.
using Histogram = std::array<std::uint64_t, 256>;
// Old value -> new value.
using ByteMap = std::array<std::uint8_t, 256>;

// Spreads the 2nd to 98th percentile over 0..255 (NumPy's linear percentiles, scikit-image's rescale_intensity).
ByteMap StretchContrast(const Histogram& histogram);

// Flattens the histogram: 256 bins between the smallest and the largest value (scikit-image's equalize_hist).
ByteMap EqualizeHistogram(const Histogram& histogram);

// Contrast limited adaptive equalization of the HSV value with 8 x 8 tiles and a clip limit of 0.03, in place (Zuiderveld,
// "Contrast Limited Adaptive Histogram Equalization", Graphics Gems IV; details as in scikit-image). Within two levels of
// the reference: colours take another way through floating point. Rows are slots, four bytes per pixel.
Status EqualizeAdaptively(std::uint8_t* slots, int width, int height);

}  // namespace im
