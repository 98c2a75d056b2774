#include "image/contrast.h"

#include <algorithm>
#include <vector>

#include "image/contrast_arithmetic.h"
#include "image/scratch.h"

namespace im {
namespace {

template <typename Value>
ByteMap MapOf(const Histogram& histogram, Value value_of) {
  Histogram cumulative;
  std::uint64_t sum = 0;
  for (std::size_t value = 0; value < kValues; ++value) cumulative[value] = sum += histogram[value];
  ByteMap map;
  for (int value = 0; value < kValues; ++value) map[static_cast<std::size_t>(value)] = value_of(cumulative.data(), value);
  return map;
}

using TileMap = std::array<std::uint16_t, kValues>;

TileMap MapOfTile(const std::uint8_t* bins, const TileAxis& columns, const TileAxis& rows, int tile_x, int tile_y) {
  std::array<std::int64_t, kValues> counts{};
  for (int y = tile_y * rows.tile; y < (tile_y + 1) * rows.tile; ++y) {
    const std::uint8_t* row = bins + static_cast<std::size_t>(rows.Mirror(y)) * static_cast<std::size_t>(columns.size);
    for (int x = tile_x * columns.tile; x < (tile_x + 1) * columns.tile; ++x) ++counts[row[columns.Mirror(x)]];
  }
  const std::int64_t pixels = std::int64_t{columns.tile} * rows.tile;
  const auto sum = [](auto answer) {
    std::int64_t total = 0;
    for (int bin = 0; bin < kValues; ++bin) total += answer(bin);
    return total;
  };
  ClipHistogram(sum, counts.data(), ClipLimit(pixels));
  TileMap map;
  std::int64_t cumulative = 0;
  for (std::size_t bin = 0; bin < kValues; ++bin) map[bin] = TileLevel(cumulative += counts[bin], pixels);
  return map;
}

int Value(const std::uint8_t* pixel) { return GreatestChannel(pixel[0], pixel[1], pixel[2]); }

}  // namespace

ByteMap StretchContrast(const Histogram& histogram) { return MapOf(histogram, StretchedValue); }

ByteMap EqualizeHistogram(const Histogram& histogram) { return MapOf(histogram, EqualizedValue); }

Status EqualizeAdaptively(std::uint8_t* slots, int width, int height) {
  const TileAxis columns = TileAxis::Of(width);
  const TileAxis rows = TileAxis::Of(height);
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
  ByteMap bin_of;
  for (int value = 0; value < kValues; ++value) bin_of[static_cast<std::size_t>(value)] = AdaptiveBin(value, smallest, largest);
  for (std::size_t i = 0; i < pixels; ++i) bins.data()[i] = bin_of[static_cast<std::size_t>(Value(slots + 4 * i))];

  std::vector<TileMap> maps;
  maps.reserve(static_cast<std::size_t>(columns.tiles) * static_cast<std::size_t>(rows.tiles));
  for (int y = 0; y < rows.tiles; ++y) {
    for (int x = 0; x < columns.tiles; ++x) maps.push_back(MapOfTile(bins.data(), columns, rows, x, y));
  }

  std::vector<TileAxis::Neighbours> across(static_cast<std::size_t>(width));
  for (int x = 0; x < width; ++x) across[static_cast<std::size_t>(x)] = columns.Around(x);
  int lowest = kLevels;
  int highest = 0;
  std::size_t i = 0;
  for (int y = 0; y < height; ++y) {
    const TileAxis::Neighbours down = rows.Around(y);
    const TileMap* upper = maps.data() + static_cast<std::size_t>(down.first) * static_cast<std::size_t>(columns.tiles);
    const TileMap* lower = maps.data() + static_cast<std::size_t>(down.second) * static_cast<std::size_t>(columns.tiles);
    for (int x = 0; x < width; ++x, ++i) {
      const TileAxis::Neighbours& side = across[static_cast<std::size_t>(x)];
      const std::uint8_t bin = bins.data()[i];
      const int level = BlendedLevel(upper[side.first][bin], upper[side.second][bin], lower[side.first][bin],
                                     lower[side.second][bin], side.weight, down.weight);
      equalized.data()[i] = static_cast<std::uint16_t>(level);
      lowest = std::min(lowest, level);
      highest = std::max(highest, level);
    }
  }

  float unit[kValues];
  for (int value = 0; value < kValues; ++value) unit[value] = UnitValue(value);
  for (i = 0; i < pixels; ++i) {
    std::uint8_t* pixel = slots + 4 * i;
    const float value = RescaledLevel(equalized.data()[i], lowest, highest);
    const float old_value = unit[Value(pixel)];
    for (int channel = 0; channel < 3; ++channel) pixel[channel] = RescaledChannel(value, old_value, unit[pixel[channel]]);
  }
  return {};
}

}  // namespace im
