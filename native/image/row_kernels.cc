#include "image/row_kernels.h"

#include "image/interpolation.h"

namespace im {
namespace {

// Channel `channel` of a pixel whose first byte is at `pixel`; gray is the same in all three.
int Channel(const std::uint8_t* pixel, int channels, int channel) { return pixel[channels == 1 ? 0 : channel]; }

void Expand(const SourceRow& row, std::uint8_t* slots) {
  const std::uint8_t* pixel = row.pixels;
  for (int x = 0; x < row.width; ++x, pixel += row.channels, slots += 4) {
    for (int channel = 0; channel < 3; ++channel)
      slots[channel] = static_cast<std::uint8_t>(Channel(pixel, row.channels, channel));
    slots[3] = 0;
  }
}

void GrayRow(const SourceRow& row, int red, std::uint8_t* gray) {
  const std::uint8_t* pixel = row.pixels;
  for (int x = 0; x < row.width; ++x, pixel += row.channels) gray[x] = Gray(pixel[red], pixel[1], pixel[2 - red]);
}

void LinearColumns(const SourceRow& row, const LinearColumn* columns, int count, std::int16_t* slots) {
  const int next = row.width > 1 ? row.channels : 0;
  for (int x = 0; x < count; ++x, slots += 4) {
    const std::uint8_t* pixel = row.pixels + columns[x].offset;
    for (int channel = 0; channel < 3; ++channel) {
      slots[channel] = BlendColumns(Channel(pixel, row.channels, channel), Channel(pixel + next, row.channels, channel),
                                    columns[x].first, columns[x].second);
    }
    slots[3] = 0;
  }
}

void LinearRows(const std::int16_t* top, const std::int16_t* bottom, int first, int second, int count, std::uint8_t* slots) {
  for (int i = 0; i < 4 * count; ++i) slots[i] = BlendRows(top[i], bottom[i], first, second);
}

void Halve(const SourceRow& top, const SourceRow& bottom, int count, std::uint8_t* slots) {
  const int channels = top.channels;
  for (int x = 0; x < count; ++x, slots += 4) {
    const std::uint8_t* upper = top.pixels + std::ptrdiff_t{2} * x * channels;
    const std::uint8_t* lower = bottom.pixels + std::ptrdiff_t{2} * x * channels;
    for (int channel = 0; channel < 3; ++channel) {
      const int sum = Channel(upper, channels, channel) + Channel(upper + channels, channels, channel) +
                      Channel(lower, channels, channel) + Channel(lower + channels, channels, channel);
      slots[channel] = static_cast<std::uint8_t>((sum + 2) >> 2);
    }
    slots[3] = 0;
  }
}

void PillowColumns(const SourceRow& row, const PillowTable& table, int first, std::uint8_t* slots) {
  for (auto x = static_cast<std::size_t>(first); x < table.windows.size(); ++x) {
    const PillowTable::Window& window = table.windows[x];
    const PillowPair* pairs = table.Pairs(x);
    const std::uint8_t* pixel = row.pixels + std::ptrdiff_t{window.begin} * row.channels;
    int sums[3] = {0, 0, 0};
    for (int tap = 0; tap < window.taps; ++tap, pixel += row.channels) {
      const int weight = pairs[tap / 2].Weight(tap % 2);
      for (int channel = 0; channel < 3; ++channel) sums[channel] += Channel(pixel, row.channels, channel) * weight;
    }
    for (int channel = 0; channel < 3; ++channel) slots[4 * x + static_cast<std::size_t>(channel)] = PillowRound(sums[channel]);
    slots[4 * x + 3] = 0;
  }
}

void PillowRows(const std::uint8_t* const* rows, const PillowPair* weights, int pairs, int first, int count,
                std::uint8_t* slots) {
  for (std::ptrdiff_t i = std::ptrdiff_t{4} * first; i < std::ptrdiff_t{4} * count; ++i) {
    int sum = 0;
    for (int pair = 0; pair < pairs; ++pair) {
      sum += rows[2 * pair][i] * weights[pair].Weight(0) + rows[2 * pair + 1][i] * weights[pair].Weight(1);
    }
    slots[i] = PillowRound(sum);
  }
}

void ToPlanes(const std::uint8_t* slots, int count, const Normalization& normalization, const int* channels,
              float* const* planes) {
  for (int channel = 0; channel < 3; ++channel) {
    float* plane = planes[channel];
    for (int x = 0; x < count; ++x) plane[x] = Normalize(slots[4 * x + channel], normalization, channels[channel]);
  }
}

}  // namespace

const RowKernels& BaselineKernels() {
  static const RowKernels kernels{"baseline", Expand,        GrayRow,    LinearColumns, LinearRows,
                                  Halve,      PillowColumns, PillowRows, ToPlanes};
  return kernels;
}

const RowKernels& BestKernels() {
  static const RowKernels& best = Avx2Kernels() != nullptr ? *Avx2Kernels() : BaselineKernels();
  return best;
}

}  // namespace im
