#include "image/contrast.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace im {
namespace {

constexpr int kLevels = 256;
using Histogram = std::array<std::int64_t, kLevels>;
using Table = std::array<std::uint8_t, kLevels>;

std::size_t ByteCount(const PackedPicture& picture) {
  return static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) * static_cast<std::size_t>(picture.channels);
}

// A gray picture stands for three equal channels, so each of its values counts three times.
Histogram CountLevels(const PackedPicture& picture) {
  Histogram counts{};
  const std::size_t bytes = ByteCount(picture);
  for (std::size_t i = 0; i < bytes; ++i) ++counts[picture.pixels[i]];
  if (picture.channels == 1) {
    for (std::int64_t& count : counts) count *= 3;
  }
  return counts;
}

std::int64_t Total(const Histogram& counts) {
  std::int64_t total = 0;
  for (const std::int64_t count : counts) total += count;
  return total;
}

int LevelAtRank(const Histogram& counts, std::int64_t rank) {
  std::int64_t seen = 0;
  for (int level = 0; level < kLevels; ++level) {
    seen += counts[static_cast<std::size_t>(level)];
    if (seen > rank) return level;
  }
  return kLevels - 1;
}

// Linear interpolation between order statistics.
double Percentile(const Histogram& counts, std::int64_t total, double percent) {
  const double position = percent / 100 * static_cast<double>(total - 1);
  const auto below = static_cast<std::int64_t>(std::floor(position));
  const int low = LevelAtRank(counts, below);
  const int high = LevelAtRank(counts, std::min(below + 1, total - 1));
  return low + (high - low) * (position - static_cast<double>(below));
}

void MapLevels(const PackedPicture& picture, const Table& table) {
  const std::size_t bytes = ByteCount(picture);
  for (std::size_t i = 0; i < bytes; ++i) picture.pixels[i] = table[picture.pixels[i]];
}

Table StretchTable(const Histogram& counts) {
  const std::int64_t total = Total(counts);
  const double low = Percentile(counts, total, 2);
  const double high = Percentile(counts, total, 98);
  Table table;
  for (int level = 0; level < kLevels; ++level) {
    const double clamped = std::clamp(static_cast<double>(level), low, high);
    table[static_cast<std::size_t>(level)] = static_cast<std::uint8_t>(low == high ? clamped : (clamped - low) / (high - low) * 255);
  }
  return table;
}

float Unit(int level) { return static_cast<float>(level / 255.0); }

// 256 bins between the smallest and the largest value; the cumulative share is interpolated at the bins' centres.
Table EqualizationTable(const Histogram& counts) {
  int first = 0;
  while (first < kLevels - 1 && counts[static_cast<std::size_t>(first)] == 0) ++first;
  int last = kLevels - 1;
  while (last > 0 && counts[static_cast<std::size_t>(last)] == 0) --last;
  // Equal values have no range: the bins are then laid around the value.
  const double start = first == last ? Unit(first) - 0.5 : Unit(first);
  const double end = first == last ? Unit(first) + 0.5 : Unit(last);
  std::array<double, kLevels + 1> edges;
  for (int bin = 0; bin < kLevels; ++bin) edges[static_cast<std::size_t>(bin)] = start + bin * (end - start) / kLevels;
  edges[kLevels] = end;
  Histogram bins{};
  for (int level = first; level <= last; ++level) {
    const double value = Unit(level);
    int bin = std::min(static_cast<int>((value - start) / (end - start) * kLevels), kLevels - 1);
    // The division may land in the neighbour; the edges decide, and the last bin is closed.
    if (value < edges[static_cast<std::size_t>(bin)]) {
      --bin;
    } else if (bin < kLevels - 1 && value >= edges[static_cast<std::size_t>(bin) + 1]) {
      ++bin;
    }
    bins[static_cast<std::size_t>(std::max(bin, 0))] += counts[static_cast<std::size_t>(level)];
  }
  const auto total = static_cast<double>(Total(counts));
  std::array<double, kLevels> centers;
  std::array<double, kLevels> shares;
  std::int64_t seen = 0;
  for (std::size_t bin = 0; bin < kLevels; ++bin) {
    seen += bins[bin];
    shares[bin] = static_cast<float>(static_cast<double>(seen) / total);
    centers[bin] = (edges[bin] + edges[bin + 1]) / 2;
  }
  Table table;
  for (int level = 0; level < kLevels; ++level) {
    const double x = Unit(level);
    double y;
    if (x <= centers[0]) {
      y = shares[0];
    } else if (x >= centers[kLevels - 1]) {
      y = shares[kLevels - 1];
    } else {
      const auto right = static_cast<std::size_t>(std::upper_bound(centers.begin(), centers.end(), x) - centers.begin());
      y = (shares[right] - shares[right - 1]) / (centers[right] - centers[right - 1]) * (x - centers[right - 1]) + shares[right - 1];
    }
    table[static_cast<std::size_t>(level)] = static_cast<std::uint8_t>(static_cast<float>(y) * 255.0f);
  }
  return table;
}

// ---- adaptive equalization ----

constexpr double kClipLimit = 0.03;
constexpr int kBins = 256;
constexpr int kGrayLevels = 16384;
constexpr int kBinWidth = 1 + kGrayLevels / kBins;

// Numbers along one axis of the grid of tiles.
struct Axis {
  explicit Axis(int length)
      : size(length),
        tile(std::max(length / 8, 1)),
        before(tile / 2),
        tiles((before + length + (tile - length % tile) % tile + (tile + 1) / 2) / tile - 1) {}

  // A padded position in the picture: mirrored, the edge not repeated.
  int Mirror(int position) const {
    if (size == 1) return 0;
    const int period = 2 * (size - 1);
    const int folded = ((position % period) + period) % period;
    return folded < size ? folded : period - folded;
  }

  int size;
  int tile;
  int before;
  int tiles;
};

// Cuts a histogram at `limit` and spreads what was cut over the bins below it.
void ClipHistogram(std::array<int, kBins>& counts, int limit) {
  int excess = 0;
  for (const int count : counts) excess += std::max(count - limit, 0);
  const int increment = excess / kBins;
  const int upper = limit - increment;
  for (int& count : counts) {
    if (count > limit) {
      count = limit;
    } else if (count < upper) {
      count += increment;
      excess -= increment;
    } else {
      excess -= limit - count;
      count = limit;
    }
  }
  while (excess > 0) {
    const int before = excess;
    for (int start = 0; start < kBins && excess > 0; ++start) {
      const int under = static_cast<int>(std::count_if(counts.begin(), counts.end(), [&](int count) { return count < limit; }));
      const int stride = std::max(under / excess, 1);
      int given = 0;
      for (int bin = start; bin < kBins; bin += stride) {
        int& count = counts[static_cast<std::size_t>(bin)];
        if (count < limit) {
          ++count;
          ++given;
        }
      }
      excess -= given;
    }
    if (excess == before) break;
  }
}

// Brightness of 16384 levels, equalized tile by tile and blended between the tiles.
std::vector<float> EqualizeTiles(const std::vector<std::uint16_t>& levels, int width, int height) {
  const Axis x(width);
  const Axis y(height);
  const auto at = [&](int row, int column) { return levels[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)]; };
  std::vector<std::array<float, kBins>> maps(static_cast<std::size_t>(x.tiles) * static_cast<std::size_t>(y.tiles));
  const std::int64_t pixels = std::int64_t{x.tile} * y.tile;
  const int limit = std::max(1, static_cast<int>(kClipLimit * static_cast<double>(pixels)));
  for (int tile_row = 0; tile_row < y.tiles; ++tile_row) {
    for (int tile_column = 0; tile_column < x.tiles; ++tile_column) {
      std::array<int, kBins> counts{};
      // Tiles are cut from the picture itself: the half tile of padding in front is not part of them.
      for (int row = 0; row < y.tile; ++row) {
        const int source_row = y.Mirror(tile_row * y.tile + row);
        for (int column = 0; column < x.tile; ++column) {
          ++counts[static_cast<std::size_t>(at(source_row, x.Mirror(tile_column * x.tile + column)) / kBinWidth)];
        }
      }
      ClipHistogram(counts, limit);
      auto& map = maps[static_cast<std::size_t>(tile_row) * static_cast<std::size_t>(x.tiles) + static_cast<std::size_t>(tile_column)];
      std::int64_t seen = 0;
      for (std::size_t bin = 0; bin < kBins; ++bin) {
        seen += counts[bin];
        map[bin] = static_cast<float>(std::trunc(std::min(kGrayLevels - 1.0, static_cast<double>(seen) * (kGrayLevels - 1) / static_cast<double>(pixels))));
      }
    }
  }
  // The outermost maps are repeated beyond the border.
  const auto map_at = [&](int row, int column) -> const std::array<float, kBins>& {
    row = std::clamp(row, 0, y.tiles - 1);
    column = std::clamp(column, 0, x.tiles - 1);
    return maps[static_cast<std::size_t>(row) * static_cast<std::size_t>(x.tiles) + static_cast<std::size_t>(column)];
  };
  std::vector<float> result(levels.size());
  for (int row = 0; row < height; ++row) {
    const int block_row = (row + y.before) / y.tile;
    const double down = static_cast<double>((row + y.before) % y.tile) / y.tile;
    for (int column = 0; column < width; ++column) {
      const int block_column = (column + x.before) / x.tile;
      const double right = static_cast<double>((column + x.before) % x.tile) / x.tile;
      const auto bin = static_cast<std::size_t>(at(row, column) / kBinWidth);
      float sum = 0;
      for (int edge = 0; edge < 4; ++edge) {
        const double weight = (edge < 2 ? 1 - down : down) * (edge % 2 == 0 ? 1 - right : right);
        sum += static_cast<float>(map_at(block_row - 1 + edge / 2, block_column - 1 + edge % 2)[bin] * weight);
      }
      result[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) + static_cast<std::size_t>(column)] = std::trunc(sum);
    }
  }
  return result;
}

void EqualizeAdaptively(const PackedPicture& picture) {
  const std::size_t count = static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height);
  const auto channels = static_cast<std::size_t>(picture.channels);
  // Brightness is the largest channel (the V of HSV), so the order of the channels does not matter.
  std::vector<std::uint8_t> brightness(count);
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint8_t* pixel = picture.pixels + i * channels;
    brightness[i] = channels == 1 ? pixel[0] : std::max({pixel[0], pixel[1], pixel[2]});
  }
  const auto [low, high] = std::minmax_element(brightness.begin(), brightness.end());
  const int least = *low;
  const int most = *high;
  std::vector<std::uint16_t> levels(count);
  for (std::size_t i = 0; i < count; ++i) {
    // Without a range nothing can be stretched: the 16-bit brightness is only cut at the top level.
    const double level = least == most ? std::min(brightness[i] * 257, kGrayLevels - 1)
                                       : std::floor(static_cast<double>(brightness[i] - least) / (most - least) * (kGrayLevels - 1) + 0.5);
    levels[i] = static_cast<std::uint16_t>(level);
  }
  const std::vector<float> equalized = EqualizeTiles(levels, picture.width, picture.height);
  const auto [minimum, maximum] = std::minmax_element(equalized.begin(), equalized.end());
  const double from = *minimum;
  const double to = *maximum;
  for (std::size_t i = 0; i < count; ++i) {
    const double value = to == from ? std::min(from, 1.0) : (equalized[i] - from) / (to - from);
    std::uint8_t* pixel = picture.pixels + i * channels;
    const int before = brightness[i];
    // Hue and saturation stay: all channels grow in proportion.
    for (std::size_t channel = 0; channel < channels; ++channel) {
      const double share = before == 0 ? 1.0 : static_cast<double>(pixel[channel]) / before;
      pixel[channel] = static_cast<std::uint8_t>(value * share * 255 + 1e-9);
    }
  }
}

}  // namespace

void ApplyContrast(Contrast contrast, const PackedPicture& picture) {
  switch (contrast) {
    case Contrast::kStretching: MapLevels(picture, StretchTable(CountLevels(picture))); return;
    case Contrast::kHistogramEqualization: MapLevels(picture, EqualizationTable(CountLevels(picture))); return;
    case Contrast::kAdaptiveEqualization: EqualizeAdaptively(picture); return;
  }
}

}  // namespace im
