// The inner loops: each works on one row. They exist once in portable C++ and once per instruction set, with the same bits.
//
// A row on its way to the network consists of slots: four bytes per pixel, three channels and one byte that nobody reads.
// It costs a third more memory than packed pixels but lets a vector hold whole pixels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "image/pixels.h"

namespace im {

struct SourceRow {
  const std::uint8_t* pixels;
  int width;
  int channels;  // 1 (gray, stands for three equal channels), 3 or 4
};

// One output column of filter `linear`: the left neighbour's offset in bytes and the weights of both.
struct LinearColumn {
  std::int32_t offset;
  std::int16_t first;
  std::int16_t second;
};

// Weights of two neighbouring inputs of filter `pillow`. 22 bits do not fit the 16-bit multiplier, so they are cut in two:
// weight = high * 2^11 + low.
struct PillowPair {
  std::int16_t high[2];
  std::int16_t low[2];
  int Weight(int index) const { return high[index] * 2048 + low[index]; }
};

struct PillowTable {
  struct Window {
    std::int32_t begin;
    std::int32_t taps;
  };
  std::vector<Window> windows;    // one per output
  std::vector<PillowPair> pairs;  // pairs_per_output for each output, zeros behind its own taps
  int pairs_per_output = 0;

  const PillowPair* Pairs(std::size_t output) const { return pairs.data() + output * static_cast<std::size_t>(pairs_per_output); }
};

struct RowKernels {
  const char* name;

  // Picture row to slots.
  void (*expand)(const SourceRow& row, std::uint8_t* slots);
  // 3- or 4-channel row to one gray byte per pixel; red is channel `red`, 0 or 2.
  void (*gray)(const SourceRow& row, int red, std::uint8_t* gray);
  // 16-bit slots, value * 128.
  void (*linear_columns)(const SourceRow& row, const LinearColumn* columns, int count, std::int16_t* slots);
  void (*linear_rows)(const std::int16_t* top, const std::int16_t* bottom, int first, int second, int count, std::uint8_t* slots);
  // `linear` to exactly half the size, where it is the mean of four pixels. `row` has at least 2 * count pixels.
  void (*halve)(const SourceRow& top, const SourceRow& bottom, int count, std::uint8_t* slots);
  // Outputs from `first` on.
  void (*pillow_columns)(const SourceRow& row, const PillowTable& table, int first, std::uint8_t* slots);
  // Pixels first .. count - 1 from 2 * pairs rows of slots.
  void (*pillow_rows)(const std::uint8_t* const* rows, const PillowPair* weights, int pairs, int first, int count,
                      std::uint8_t* slots);
  // Slots to float32: channel c of the slots goes to planes[c], normalized as channel channels[c] of the network.
  void (*to_planes)(const std::uint8_t* slots, int count, const Normalization& normalization, const int* channels,
                    float* const* planes);
};

// Portable C++.
const RowKernels& BaselineKernels();
// Null where the compiler or the CPU does not have it.
const RowKernels* Avx2Kernels();
// The best that this CPU can do.
const RowKernels& BestKernels();

}  // namespace im
