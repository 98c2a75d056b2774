#include "image/contrast.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "image/scratch.h"

namespace im {
namespace {

std::uint64_t Total(const Histogram& histogram) {
  std::uint64_t total = 0;
  for (const std::uint64_t count : histogram) total += count;
  return total;
}

int Smallest(const Histogram& histogram) {
  int value = 0;
  while (value < 255 && histogram[static_cast<std::size_t>(value)] == 0) ++value;
  return value;
}

int Largest(const Histogram& histogram) {
  int value = 255;
  while (value > 0 && histogram[static_cast<std::size_t>(value)] == 0) --value;
  return value;
}

// The value at `rank` (from 0) in sorted order.
int OrderStatistic(const Histogram& histogram, std::uint64_t rank) {
  std::uint64_t seen = 0;
  for (int value = 0; value < 256; ++value) {
    seen += histogram[static_cast<std::size_t>(value)];
    if (seen > rank) return value;
  }
  return 255;
}

double Percentile(const Histogram& histogram, double fraction) {
  const std::uint64_t total = Total(histogram);
  const double position = static_cast<double>(total - 1) * fraction;
  const auto rank = static_cast<std::uint64_t>(position);
  const double weight = position - static_cast<double>(rank);
  const double lower = OrderStatistic(histogram, rank);
  const double upper = OrderStatistic(histogram, std::min(rank + 1, total - 1));
  // Interpolated from the nearer end, as NumPy does; the last bit decides where a value is truncated.
  return weight < 0.5 ? lower + (upper - lower) * weight : upper - (upper - lower) * (1.0 - weight);
}

// ---- adaptive equalization ----

constexpr int kBins = 256;
constexpr int kLevels = 1 << 14;
constexpr int kLevelsPerBin = 1 + kLevels / kBins;
constexpr double kClipLimit = 0.03;

// Index into a row of `size` pixels that is mirrored at its ends, the end pixel not being repeated.
int Mirror(int index, int size) {
  if (size == 1) return 0;
  const int period = 2 * (size - 1);
  const int phase = ((index % period) + period) % period;
  return phase < size ? phase : period - phase;
}

// Cuts counts above `limit` off and deals them out to the other bins.
void ClipHistogram(std::array<std::int64_t, kBins>& counts, std::int64_t limit) {
  std::int64_t excess = 0;
  for (std::int64_t& count : counts) {
    if (count <= limit) continue;
    excess += count - limit;
    count = limit;
  }
  const std::int64_t share = excess / kBins;
  for (std::int64_t& count : counts) {
    if (count < limit - share) {
      count += share;
      excess -= share;
    }
  }
  // Looked at again from the start: a bin that has just received its share may be among these.
  for (std::int64_t& count : counts) {
    if (count >= limit - share && count < limit) {
      excess -= limit - count;
      count = limit;
    }
  }
  while (excess > 0) {
    const std::int64_t before = excess;
    for (std::size_t start = 0; start < kBins && excess > 0; ++start) {
      const auto open = std::count_if(counts.begin(), counts.end(), [&](std::int64_t count) { return count < limit; });
      const auto stride = static_cast<std::size_t>(std::max<std::int64_t>(1, open / excess));
      for (std::size_t bin = start; bin < kBins; bin += stride) {
        if (counts[bin] >= limit) continue;
        ++counts[bin];
        --excess;
      }
    }
    if (excess == before) break;
  }
}

// One axis of the grid of tiles.
struct Axis {
  explicit Axis(int pixels) : size(pixels), tile(std::max(pixels / 8, 1)), tiles((pixels + tile - 1) / tile) {}
  int size;
  int tile;  // pixels per tile; the last tile is completed by mirroring
  int tiles;

  // The two tiles whose centres lie around a pixel, and the weight of the second.
  struct Neighbours {
    int first;
    int second;
    double weight;
  };
  Neighbours Around(int pixel) const {
    const int shifted = pixel + tile / 2;
    const int second = shifted / tile;
    return {std::clamp(second - 1, 0, tiles - 1), std::clamp(second, 0, tiles - 1), static_cast<double>(shifted % tile) / tile};
  }
};

using TileMap = std::array<std::uint16_t, kBins>;

TileMap MapOfTile(const std::uint8_t* bins, const Axis& columns, const Axis& rows, int tile_x, int tile_y) {
  std::array<std::int64_t, kBins> counts{};
  for (int y = tile_y * rows.tile; y < (tile_y + 1) * rows.tile; ++y) {
    const std::uint8_t* row = bins + static_cast<std::size_t>(Mirror(y, rows.size)) * static_cast<std::size_t>(columns.size);
    for (int x = tile_x * columns.tile; x < (tile_x + 1) * columns.tile; ++x) ++counts[row[Mirror(x, columns.size)]];
  }
  const double pixels = static_cast<double>(columns.tile) * rows.tile;
  ClipHistogram(counts, std::max<std::int64_t>(1, static_cast<std::int64_t>(kClipLimit * pixels)));
  TileMap map;
  double cumulative = 0;
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    cumulative += static_cast<double>(counts[bin]);
    map[bin] = static_cast<std::uint16_t>(std::min<double>(kLevels - 1, cumulative * ((kLevels - 1) / pixels)));
  }
  return map;
}

std::uint8_t Value(const std::uint8_t* pixel) { return std::max({pixel[0], pixel[1], pixel[2]}); }

}  // namespace

ByteMap StretchContrast(const Histogram& histogram) {
  const double low = Percentile(histogram, 2.0 / 100.0);
  const double high = Percentile(histogram, 98.0 / 100.0);
  ByteMap map;
  for (int value = 0; value < 256; ++value) {
    const double clamped = std::clamp<double>(value, low, high);
    map[static_cast<std::size_t>(value)] =
        static_cast<std::uint8_t>(low == high ? clamped : (clamped - low) / (high - low) * 255.0);
  }
  return map;
}

ByteMap EqualizeHistogram(const Histogram& histogram) {
  constexpr int bins = 256;
  const auto scaled = [](int value) { return static_cast<float>(value) / 255.0f; };
  float first = scaled(Smallest(histogram));
  float last = scaled(Largest(histogram));
  if (first == last) {  // one value only: a range around it
    first -= 0.5f;
    last += 0.5f;
  }
  const float range = last - first;
  std::array<float, bins + 1> edges;
  const float step = range / static_cast<float>(bins);
  for (int i = 0; i < bins; ++i) edges[static_cast<std::size_t>(i)] = static_cast<float>(i) * step + first;
  edges[bins] = last;

  std::array<std::uint64_t, bins> counts{};
  for (int value = 0; value < 256; ++value) {
    const std::uint64_t count = histogram[static_cast<std::size_t>(value)];
    if (count == 0) continue;
    const float x = scaled(value);
    int bin = std::min(static_cast<int>((x - first) / range * static_cast<float>(bins)), bins - 1);
    // The division may end up on the wrong side of an edge; the edges decide.
    if (x < edges[static_cast<std::size_t>(bin)]) --bin;
    if (bin != bins - 1 && x >= edges[static_cast<std::size_t>(bin) + 1]) ++bin;
    counts[static_cast<std::size_t>(bin)] += count;
  }

  std::array<double, bins> centers;
  std::array<double, bins> cumulative;
  const auto total = static_cast<double>(Total(histogram));
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bins; ++i) {
    centers[i] = (edges[i] + edges[i + 1]) / 2.0f;
    sum += counts[i];
    cumulative[i] = static_cast<float>(static_cast<double>(sum) / total);
  }

  ByteMap map;
  for (int value = 0; value < 256; ++value) {
    const double x = scaled(value);
    double result;
    if (x <= centers.front()) {
      result = cumulative.front();
    } else if (x >= centers.back()) {
      result = cumulative.back();
    } else {
      const auto after = static_cast<std::size_t>(std::upper_bound(centers.begin(), centers.end(), x) - centers.begin());
      const double slope = (cumulative[after] - cumulative[after - 1]) / (centers[after] - centers[after - 1]);
      result = slope * (x - centers[after - 1]) + cumulative[after - 1];
    }
    map[static_cast<std::size_t>(value)] = static_cast<std::uint8_t>(static_cast<float>(result) * 255.0f);
  }
  return map;
}

Status EqualizeAdaptively(std::uint8_t* slots, int width, int height) {
  const auto columns = Axis(width);
  const auto rows = Axis(height);
  const std::size_t pixels = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  Scratch<std::uint8_t> bins;
  Scratch<std::uint16_t> equalized;
  IM_RETURN_IF_ERROR(bins.Allocate(pixels));
  IM_RETURN_IF_ERROR(equalized.Allocate(pixels));

  int smallest = 255;
  int largest = 0;
  for (std::size_t i = 0; i < pixels; ++i) {
    const int value = Value(slots + 4 * i);
    smallest = std::min(smallest, value);
    largest = std::max(largest, value);
  }
  std::array<std::uint8_t, 256> bin_of;
  for (int value = 0; value < 256; ++value) {
    const double level = largest > smallest ? std::rint(static_cast<double>(std::clamp(value, smallest, largest) - smallest) /
                                                        (largest - smallest) * (kLevels - 1))
                                            : std::min(value * 257, kLevels - 1);
    bin_of[static_cast<std::size_t>(value)] = static_cast<std::uint8_t>(static_cast<int>(level) / kLevelsPerBin);
  }
  for (std::size_t i = 0; i < pixels; ++i) bins.data()[i] = bin_of[Value(slots + 4 * i)];

  std::vector<TileMap> maps;
  maps.reserve(static_cast<std::size_t>(columns.tiles) * static_cast<std::size_t>(rows.tiles));
  for (int y = 0; y < rows.tiles; ++y) {
    for (int x = 0; x < columns.tiles; ++x) maps.push_back(MapOfTile(bins.data(), columns, rows, x, y));
  }

  std::vector<Axis::Neighbours> across(static_cast<std::size_t>(width));
  for (int x = 0; x < width; ++x) across[static_cast<std::size_t>(x)] = columns.Around(x);
  int lowest = kLevels;
  int highest = 0;
  std::size_t i = 0;
  for (int y = 0; y < height; ++y) {
    const Axis::Neighbours down = rows.Around(y);
    const TileMap* upper = maps.data() + static_cast<std::size_t>(down.first) * static_cast<std::size_t>(columns.tiles);
    const TileMap* lower = maps.data() + static_cast<std::size_t>(down.second) * static_cast<std::size_t>(columns.tiles);
    for (int x = 0; x < width; ++x, ++i) {
      const Axis::Neighbours& side = across[static_cast<std::size_t>(x)];
      const std::uint8_t bin = bins.data()[i];
      float sum = static_cast<float>(upper[side.first][bin] * ((1.0 - side.weight) * (1.0 - down.weight)));
      sum += static_cast<float>(upper[side.second][bin] * (side.weight * (1.0 - down.weight)));
      sum += static_cast<float>(lower[side.first][bin] * ((1.0 - side.weight) * down.weight));
      sum += static_cast<float>(lower[side.second][bin] * (side.weight * down.weight));
      const int level = static_cast<int>(sum);
      equalized.data()[i] = static_cast<std::uint16_t>(level);
      lowest = std::min(lowest, level);
      highest = std::max(highest, level);
    }
  }

  float unit[256];
  for (int value = 0; value < 256; ++value) unit[value] = static_cast<float>(value) / 255.0f;
  const auto range = static_cast<float>(highest - lowest);
  for (i = 0; i < pixels; ++i) {
    std::uint8_t* pixel = slots + 4 * i;
    const int level = equalized.data()[i];
    const float value = highest > lowest ? static_cast<float>(level - lowest) / range : static_cast<float>(std::min(level, 1));
    const int old_value = Value(pixel);
    for (int channel = 0; channel < 3; ++channel) {
      // Hue and saturation stay, so every channel keeps its ratio to the value; black has no ratio and becomes gray.
      const float missing = old_value > 0 ? (unit[old_value] - unit[pixel[channel]]) / unit[old_value] : 0.0f;
      pixel[channel] = static_cast<std::uint8_t>(value * (1.0f - missing) * 255.0f);
    }
  }
  return {};
}

}  // namespace im
