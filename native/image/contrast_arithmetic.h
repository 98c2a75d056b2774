// The arithmetic of contrast enhancement, for one value, one histogram or one pixel (contrast.h says whose it is). Everything
// that is added up is a whole number, so the order of adding does not matter.
#pragma once

#include <cmath>
#include <cstdint>

#include "image/host_device.h"

namespace im {

constexpr int kValues = 256;

// `cumulative[v]`: how many of all values are at most v; `cumulative[255]`, all of them, is never 0.

// The value at `rank` (from 0) in sorted order.
IM_HOST_DEVICE int OrderStatistic(const std::uint64_t* cumulative, std::uint64_t rank) {
  int low = 0;
  int high = kValues - 1;
  IM_KEEP_LOOP
  while (low < high) {
    const int middle = (low + high) / 2;
    if (cumulative[middle] > rank) high = middle;
    else low = middle + 1;
  }
  return low;
}

IM_HOST_DEVICE int SmallestValue(const std::uint64_t* cumulative) { return OrderStatistic(cumulative, 0); }
IM_HOST_DEVICE int LargestValue(const std::uint64_t* cumulative) {
  return OrderStatistic(cumulative, cumulative[kValues - 1] - 1);
}

// ---- stretching ----

IM_HOST_DEVICE double Percentile(const std::uint64_t* cumulative, double fraction) {
  const std::uint64_t last = cumulative[kValues - 1] - 1;
  const double position = static_cast<double>(last) * fraction;
  const auto rank = static_cast<std::uint64_t>(position);
  const double weight = position - static_cast<double>(rank);
  const double lower = OrderStatistic(cumulative, rank);
  const double upper = OrderStatistic(cumulative, rank + 1 < last ? rank + 1 : last);
  // Interpolated from the nearer end, as NumPy does; the last bit decides where a value is truncated.
  return weight < 0.5 ? lower + (upper - lower) * weight : upper - (upper - lower) * (1.0 - weight);
}

IM_HOST_DEVICE std::uint8_t StretchedValue(const std::uint64_t* cumulative, int value) {
  const double low = Percentile(cumulative, 2.0 / 100.0);
  const double high = Percentile(cumulative, 98.0 / 100.0);
  const double clamped = value < low ? low : value > high ? high : static_cast<double>(value);
  return static_cast<std::uint8_t>(low == high ? clamped : (clamped - low) / (high - low) * 255.0);
}

// ---- equalization ----

IM_HOST_DEVICE float UnitValue(int value) { return static_cast<float>(value) / 255.0f; }

// As many bins as values, between the smallest and the largest.
struct EqualizationBins {
  int smallest;
  int largest;
  float first;
  float last;
  float range;
  float step;

  IM_HOST_DEVICE explicit EqualizationBins(const std::uint64_t* cumulative)
      : smallest(SmallestValue(cumulative)), largest(LargestValue(cumulative)) {
    first = UnitValue(smallest);
    last = UnitValue(largest);
    if (smallest == largest) {  // one value only: a range around it
      first -= 0.5f;
      last += 0.5f;
    }
    range = last - first;
    step = range / static_cast<float>(kValues);
  }

  IM_HOST_DEVICE float Edge(int i) const { return i == kValues ? last : static_cast<float>(i) * step + first; }
  IM_HOST_DEVICE double Center(int bin) const { return (Edge(bin) + Edge(bin + 1)) / 2.0f; }

  // Of a value from `smallest` to `largest`.
  IM_HOST_DEVICE int BinOf(int value) const {
    const float x = UnitValue(value);
    int bin = static_cast<int>((x - first) / range * static_cast<float>(kValues));
    if (bin > kValues - 1) bin = kValues - 1;
    // The division may end up on the wrong side of an edge; the edges decide.
    if (x < Edge(bin)) --bin;
    if (bin != kValues - 1 && x >= Edge(bin + 1)) ++bin;
    return bin;
  }

  // Which share of all values lies in the bins up to this one.
  IM_HOST_DEVICE double ShareUpTo(int bin, const std::uint64_t* cumulative) const {
    // The largest value there; bins rise with values.
    int low = smallest - 1;
    int high = largest;
    IM_KEEP_LOOP
    while (low < high) {
      const int middle = high - (high - low) / 2;
      if (BinOf(middle) <= bin) low = middle;
      else high = middle - 1;
    }
    const std::uint64_t count = low < 0 ? 0 : cumulative[low];
    return static_cast<float>(static_cast<double>(count) / static_cast<double>(cumulative[kValues - 1]));
  }
};

// The share of values up to this one, interpolated between the centres of the bins.
IM_HOST_DEVICE std::uint8_t EqualizedValue(const std::uint64_t* cumulative, int value) {
  const EqualizationBins bins(cumulative);
  const double x = UnitValue(value);
  double result;
  if (x <= bins.Center(0)) {
    result = bins.ShareUpTo(0, cumulative);
  } else if (x >= bins.Center(kValues - 1)) {
    result = bins.ShareUpTo(kValues - 1, cumulative);
  } else {
    // The first bin whose centre lies beyond.
    int after = 1;
    int high = kValues - 1;
    IM_KEEP_LOOP
    while (after < high) {
      const int middle = (after + high) / 2;
      if (bins.Center(middle) > x) high = middle;
      else after = middle + 1;
    }
    const double before = bins.ShareUpTo(after - 1, cumulative);
    const double slope = (bins.ShareUpTo(after, cumulative) - before) / (bins.Center(after) - bins.Center(after - 1));
    result = slope * (x - bins.Center(after - 1)) + before;
  }
  return static_cast<std::uint8_t>(static_cast<float>(result) * 255.0f);
}

// ---- adaptive equalization ----

constexpr int kLevels = 1 << 14;
constexpr int kLevelsPerBin = 1 + kLevels / kValues;
constexpr double kClipLimit = 0.03;

// The HSV value of a pixel.
IM_HOST_DEVICE int GreatestChannel(int first, int second, int third) {
  const int greater = first > second ? first : second;
  return greater > third ? greater : third;
}

IM_HOST_DEVICE std::uint8_t AdaptiveBin(int value, int smallest, int largest) {
  const int clamped = value < smallest ? smallest : value > largest ? largest : value;
  const int highest = kLevels - 1;
  const double level = largest > smallest ? rint(static_cast<double>(clamped - smallest) / (largest - smallest) * highest)
                                          : static_cast<double>(value * 257 < highest ? value * 257 : highest);
  return static_cast<std::uint8_t>(static_cast<int>(level) / kLevelsPerBin);
}

// One axis of the grid of tiles.
struct TileAxis {
  std::int32_t size = 1;
  std::int32_t tile = 1;  // pixels per tile; the last tile is completed by mirroring
  std::int32_t tiles = 1;

  IM_HOST_DEVICE static TileAxis Of(int pixels) {
    const int tile = pixels / 8 > 1 ? pixels / 8 : 1;
    return {pixels, tile, (pixels + tile - 1) / tile};
  }

  // Where a place that may lie behind the last pixel is read: mirrored at the ends, the end pixel not being repeated.
  IM_HOST_DEVICE int Mirror(int index) const {
    if (size == 1) return 0;
    const int period = 2 * (size - 1);
    const int phase = ((index % period) + period) % period;
    return phase < size ? phase : period - phase;
  }

  // The two tiles whose centres lie around a pixel, and the weight of the second.
  struct Neighbours {
    int first;
    int second;
    double weight;
  };
  IM_HOST_DEVICE Neighbours Around(int pixel) const {
    const int shifted = pixel + tile / 2;
    const int second = shifted / tile;
    return {second - 1 < 0 ? 0 : second - 1, second < tiles ? second : tiles - 1, static_cast<double>(shifted % tile) / tile};
  }
};

IM_HOST_DEVICE std::int64_t ClipLimit(std::int64_t pixels) {
  const auto limit = static_cast<std::int64_t>(kClipLimit * static_cast<double>(pixels));
  return limit > 1 ? limit : 1;
}

// Cuts counts above `limit` off and deals them out to the other bins. `sum(f)` calls f(bin) for every bin, in any order, and
// returns the sum of what it answers.
template <typename Sum>
IM_HOST_DEVICE void ClipHistogram(const Sum& sum, std::int64_t* counts, std::int64_t limit) {
  std::int64_t excess = sum([&](int bin) -> std::int64_t {
    if (counts[bin] <= limit) return 0;
    const std::int64_t above = counts[bin] - limit;
    counts[bin] = limit;
    return above;
  });
  const std::int64_t share = excess / kValues;
  excess -= sum([&](int bin) -> std::int64_t {
    if (counts[bin] >= limit - share) return 0;
    counts[bin] += share;
    return share;
  });
  // Looked at again: a bin that has just received its share may be among these.
  excess -= sum([&](int bin) -> std::int64_t {
    if (counts[bin] < limit - share || counts[bin] >= limit) return 0;
    const std::int64_t missing = limit - counts[bin];
    counts[bin] = limit;
    return missing;
  });
  IM_KEEP_LOOP
  while (excess > 0) {
    const std::int64_t before = excess;
    IM_KEEP_LOOP
    for (int start = 0; start < kValues && excess > 0; ++start) {
      const std::int64_t open = sum([&](int bin) -> std::int64_t { return counts[bin] < limit ? 1 : 0; });
      const auto stride = static_cast<int>(open / excess > 1 ? open / excess : 1);
      excess -= sum([&](int bin) -> std::int64_t {
        if (bin < start || (bin - start) % stride != 0 || counts[bin] >= limit) return 0;
        ++counts[bin];
        return 1;
      });
    }
    if (excess == before) break;
  }
}

// What a tile makes of a bin, from how many of its pixels (after clipping) are in the bins up to there.
IM_HOST_DEVICE std::uint16_t TileLevel(std::int64_t cumulative, std::int64_t pixels) {
  const double level = static_cast<double>(cumulative) * ((kLevels - 1) / static_cast<double>(pixels));
  return static_cast<std::uint16_t>(level < kLevels - 1 ? level : static_cast<double>(kLevels - 1));
}

// Of a pixel, from what the four tiles around it make of its bin.
IM_HOST_DEVICE int BlendedLevel(int upper_first, int upper_second, int lower_first, int lower_second, double across,
                                double down) {
  float sum = static_cast<float>(upper_first * ((1.0 - across) * (1.0 - down)));
  sum += static_cast<float>(upper_second * (across * (1.0 - down)));
  sum += static_cast<float>(lower_first * ((1.0 - across) * down));
  sum += static_cast<float>(lower_second * (across * down));
  return static_cast<int>(sum);
}

// The new HSV value, 0..1, of a pixel with this level in a picture with these.
IM_HOST_DEVICE float RescaledLevel(int level, int lowest, int highest) {
  return highest > lowest ? static_cast<float>(level - lowest) / static_cast<float>(highest - lowest)
                          : static_cast<float>(level < 1 ? level : 1);
}

// Hue and saturation stay, so every channel keeps its ratio to the value; black has no ratio and becomes gray.
IM_HOST_DEVICE std::uint8_t RescaledChannel(float value, float unit_old_value, float unit_channel) {
  const float missing = unit_old_value > 0.0f ? (unit_old_value - unit_channel) / unit_old_value : 0.0f;
  return static_cast<std::uint8_t>(value * (1.0f - missing) * 255.0f);
}

}  // namespace im
