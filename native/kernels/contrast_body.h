// What blocks of the contrast kernels do, before the passes of preprocess_body.h. Compiled by nvcc into the kernels
// (preprocess.cu) and by the C++ compiler into their twins on the host (test/native/fakes/kernel_twins.cc); the arithmetic is the
// CPU executor's own (image/contrast_arithmetic.h).
//
// Launches, none of which needs to know on the host what the one before found:
//   count    `kStripes` blocks per picture: how often each value occurs in every `kStripes`th row
//   map      a block per picture: what becomes of each value; the passes look it up as they read. For adaptive equalization, its
//   bin: tiles    a block per tile: what it makes of each bin levels   `kStripes` blocks per picture: the level of every pixel,
//   and the lowest and highest of the stripe rescale  likewise: the new picture, which the passes read instead of the old one
// Counters are whole numbers in the block's own memory, one set per warp, and are added up afterwards.
#pragma once

#include <cstdint>

#include "image/contrast_arithmetic.h"
#include "kernels/pixel_reader.h"
#include "kernels/team.h"

namespace im::kernels {

enum class ContrastKind : std::int32_t {
  kNone,  // for pictures in a batch with others
  kStretching,
  kHistogramEqualization,
  kAdaptiveEqualization,
};

// Of one picture. Addresses are offsets in scratch memory.
struct ContrastTask {
  ContrastKind kind = ContrastKind::kNone;
  std::int32_t padding = 0;
  PixelSource source;       // without a map
  std::int64_t counts = 0;  // uint32: `kValues` per stripe
  std::int64_t map = 0;     // bytes: one per value
  // Adaptive equalization only.
  TileAxis columns;
  TileAxis rows;
  std::int64_t tiles = 0;     // uint16: `kValues` per tile
  std::int64_t levels = 0;    // uint16: one per pixel
  std::int64_t extremes = 0;  // int32: lowest and highest level per stripe
  std::int64_t target = 0;    // slots
};

// The only argument of each kernel.
struct ContrastArguments {
  const unsigned char* job = nullptr;
  unsigned char* scratch = nullptr;
  std::int64_t tasks = 0;  // in the job's memory: one per picture
};

constexpr int kStripes = 128;
// 15 pixels make 15 tiles a side; fewer make fewer, more make at most 15 too, since tiles grow with the picture.
constexpr int kMostTiles = 15 * 15;
constexpr int kContrastBlock = 256;
constexpr int kWarp = 32;
constexpr int kCounterSets = kContrastBlock / kWarp;

// What the threads of a block share.
struct ContrastShared {
  union {
    std::uint32_t counters[kCounterSets][kValues];
    std::uint64_t cumulative[2][kValues];  // written in turns
  };
  std::int64_t counts[kValues];
  std::int64_t sums[kValues];
  std::int32_t lowest[kContrastBlock];
  std::int32_t highest[kContrastBlock];
};

template <typename T>
IM_HOST_DEVICE T* ScratchAt(const ContrastArguments& arguments, std::int64_t offset) {
  return reinterpret_cast<T*>(arguments.scratch + offset);
}

IM_HOST_DEVICE const ContrastTask& TaskOf(const ContrastArguments& arguments, unsigned picture) {
  return TableAt<ContrastTask>(arguments.job, arguments.tasks)[picture];
}

IM_HOST_DEVICE int ValueOf(std::uint32_t slot) {
  return GreatestChannel(ChannelOf(slot, 0), ChannelOf(slot, 1), ChannelOf(slot, 2));
}

// body(x, y) for the pixels of a stripe that fall to one thread.
template <typename Body>
IM_HOST_DEVICE void ForPixels(const PixelSource& source, unsigned stripe, int thread, Body body) {
  IM_KEEP_LOOP
  for (int y = static_cast<int>(stripe); y < source.height; y += kStripes) {
    IM_KEEP_LOOP
    for (int x = thread; x < source.width; x += kContrastBlock) body(x, y);
  }
}

template <typename Team>
IM_HOST_DEVICE void ClearCounters(const Team& team, ContrastShared& shared) {
  team.ForEach(kCounterSets * kValues, [&](int i) { shared.counters[i / kValues][i % kValues] = 0; });
}

// `shared.counts` to sums from the first on, in `shared.cumulative[0]`.
template <typename Team>
IM_HOST_DEVICE void AddUp(const Team& team, ContrastShared& shared) {
  team.ForEach(kValues, [&](int i) { shared.cumulative[0][i] = static_cast<std::uint64_t>(shared.counts[i]); });
  int from = 0;
  IM_KEEP_LOOP
  for (int distance = 1; distance < kValues; distance *= 2) {
    team.ForEach(kValues, [&](int i) {
      const std::uint64_t* sums = shared.cumulative[from];
      shared.cumulative[1 - from][i] = sums[i] + (i >= distance ? sums[i - distance] : 0);
    });
    from = 1 - from;
  }
  static_assert(kValues == 1 << 8, "an even number of turns ends where it began");
}

// Lowest and highest of all threads' to the first entries.
template <typename Team>
IM_HOST_DEVICE void FindExtremes(const Team& team, ContrastShared& shared) {
  IM_KEEP_LOOP
  for (int half = kContrastBlock / 2; half > 0; half /= 2) {
    team.ForEach(half, [&](int i) {
      if (shared.lowest[i + half] < shared.lowest[i]) shared.lowest[i] = shared.lowest[i + half];
      if (shared.highest[i + half] > shared.highest[i]) shared.highest[i] = shared.highest[i + half];
    });
  }
}

template <typename Team>
IM_HOST_DEVICE void CountStripe(const Team& team, const ContrastArguments& arguments, unsigned stripe, unsigned picture,
                                ContrastShared& shared) {
  const ContrastTask& task = TaskOf(arguments, picture);
  if (task.kind == ContrastKind::kNone) return;
  const PixelReader reader(task.source, arguments.job, arguments.scratch);
  const bool values_only = task.kind == ContrastKind::kAdaptiveEqualization;
  ClearCounters(team, shared);
  team.ForEach(kContrastBlock, [&](int thread) {
    std::uint32_t* counters = shared.counters[thread / kWarp];
    ForPixels(task.source, stripe, thread, [&](int x, int y) {
      const std::uint32_t slot = reader.Slot(x, y);
      if (values_only) {
        CountUp(counters + ValueOf(slot));
      } else {
        for (int channel = 0; channel < 3; ++channel) CountUp(counters + ChannelOf(slot, channel));
      }
    });
  });
  std::uint32_t* counts = ScratchAt<std::uint32_t>(arguments, task.counts) + std::int64_t{stripe} * kValues;
  team.ForEach(kValues, [&](int value) {
    std::uint32_t sum = 0;
    for (int set = 0; set < kCounterSets; ++set) sum += shared.counters[set][value];
    counts[value] = sum;
  });
}

template <typename Team>
IM_HOST_DEVICE void MapValues(const Team& team, const ContrastArguments& arguments, unsigned picture, ContrastShared& shared) {
  const ContrastTask& task = TaskOf(arguments, picture);
  if (task.kind == ContrastKind::kNone) return;
  const std::uint32_t* counts = ScratchAt<std::uint32_t>(arguments, task.counts);
  team.ForEach(kValues, [&](int value) {
    std::int64_t sum = 0;
    for (int stripe = 0; stripe < kStripes; ++stripe) sum += counts[stripe * kValues + value];
    shared.counts[value] = sum;
  });
  AddUp(team, shared);
  const std::uint64_t* cumulative = shared.cumulative[0];
  unsigned char* map = ScratchAt<unsigned char>(arguments, task.map);
  team.ForEach(kValues, [&](int value) {
    switch (task.kind) {
      case ContrastKind::kStretching: map[value] = StretchedValue(cumulative, value); break;
      case ContrastKind::kHistogramEqualization: map[value] = EqualizedValue(cumulative, value); break;
      default: map[value] = AdaptiveBin(value, SmallestValue(cumulative), LargestValue(cumulative));
    }
  });
}

// Answers of all bins, added up; for ClipHistogram.
template <typename Team>
struct BinSum {
  const Team& team;
  std::int64_t* sums;

  template <typename Answer>
  IM_HOST_DEVICE std::int64_t operator()(Answer answer) const {
    team.ForEach(kValues, [&](int bin) { sums[bin] = answer(bin); });
    IM_KEEP_LOOP
    for (int half = kValues / 2; half > 0; half /= 2) {
      team.ForEach(half, [&](int i) { sums[i] += sums[i + half]; });
    }
    const std::int64_t total = sums[0];
    team.ForEach(0, [](int) {});  // all have read it before it is written again
    return total;
  }
};

template <typename Team>
IM_HOST_DEVICE void MapTile(const Team& team, const ContrastArguments& arguments, unsigned tile, unsigned picture,
                            ContrastShared& shared) {
  const ContrastTask& task = TaskOf(arguments, picture);
  const TileAxis columns = task.columns;
  const TileAxis rows = task.rows;
  if (task.kind != ContrastKind::kAdaptiveEqualization || tile >= static_cast<unsigned>(columns.tiles * rows.tiles)) return;
  const PixelReader reader(task.source, arguments.job, arguments.scratch);
  const unsigned char* bin_of = ScratchAt<unsigned char>(arguments, task.map);
  const int left = static_cast<int>(tile) % columns.tiles * columns.tile;
  const int top = static_cast<int>(tile) / columns.tiles * rows.tile;
  const int pixels = columns.tile * rows.tile;
  ClearCounters(team, shared);
  team.ForEach(kContrastBlock, [&](int thread) {
    IM_KEEP_LOOP
    for (int i = thread; i < pixels; i += kContrastBlock) {
      const std::uint32_t slot = reader.Slot(columns.Mirror(left + i % columns.tile), rows.Mirror(top + i / columns.tile));
      CountUp(shared.counters[thread / kWarp] + bin_of[ValueOf(slot)]);
    }
  });
  team.ForEach(kValues, [&](int bin) {
    std::int64_t sum = 0;
    for (int set = 0; set < kCounterSets; ++set) sum += shared.counters[set][bin];
    shared.counts[bin] = sum;
  });
  ClipHistogram(BinSum<Team>{team, shared.sums}, shared.counts, ClipLimit(pixels));
  AddUp(team, shared);
  std::uint16_t* levels = ScratchAt<std::uint16_t>(arguments, task.tiles) + std::int64_t{tile} * kValues;
  team.ForEach(kValues, [&](int bin) { levels[bin] = TileLevel(static_cast<std::int64_t>(shared.cumulative[0][bin]), pixels); });
}

template <typename Team>
IM_HOST_DEVICE void LevelStripe(const Team& team, const ContrastArguments& arguments, unsigned stripe, unsigned picture,
                                ContrastShared& shared) {
  const ContrastTask& task = TaskOf(arguments, picture);
  if (task.kind != ContrastKind::kAdaptiveEqualization) return;
  const PixelReader reader(task.source, arguments.job, arguments.scratch);
  const unsigned char* bin_of = ScratchAt<unsigned char>(arguments, task.map);
  const std::uint16_t* tiles = ScratchAt<std::uint16_t>(arguments, task.tiles);
  std::uint16_t* levels = ScratchAt<std::uint16_t>(arguments, task.levels);
  team.ForEach(kContrastBlock, [&](int thread) {
    int lowest = kLevels;
    int highest = 0;
    ForPixels(task.source, stripe, thread, [&](int x, int y) {
      const TileAxis::Neighbours side = task.columns.Around(x);
      const TileAxis::Neighbours down = task.rows.Around(y);
      const int bin = bin_of[ValueOf(reader.Slot(x, y))];
      const auto of_tile = [&](int column, int row) { return tiles[(row * task.columns.tiles + column) * kValues + bin]; };
      const int level =
          BlendedLevel(of_tile(side.first, down.first), of_tile(side.second, down.first), of_tile(side.first, down.second),
                       of_tile(side.second, down.second), side.weight, down.weight);
      levels[static_cast<std::int64_t>(y) * task.source.width + x] = static_cast<std::uint16_t>(level);
      if (level < lowest) lowest = level;
      if (level > highest) highest = level;
    });
    shared.lowest[thread] = lowest;
    shared.highest[thread] = highest;
  });
  FindExtremes(team, shared);
  team.ForEach(1, [&](int) {
    std::int32_t* extremes = ScratchAt<std::int32_t>(arguments, task.extremes) + std::int64_t{2} * stripe;
    extremes[0] = shared.lowest[0];
    extremes[1] = shared.highest[0];
  });
}

template <typename Team>
IM_HOST_DEVICE void RescaleStripe(const Team& team, const ContrastArguments& arguments, unsigned stripe, unsigned picture,
                                  ContrastShared& shared) {
  const ContrastTask& task = TaskOf(arguments, picture);
  if (task.kind != ContrastKind::kAdaptiveEqualization) return;
  const std::int32_t* extremes = ScratchAt<std::int32_t>(arguments, task.extremes);
  team.ForEach(kContrastBlock, [&](int i) {
    shared.lowest[i] = i < kStripes ? extremes[2 * i] : kLevels;
    shared.highest[i] = i < kStripes ? extremes[2 * i + 1] : 0;
  });
  FindExtremes(team, shared);
  const PixelReader reader(task.source, arguments.job, arguments.scratch);
  const std::uint16_t* levels = ScratchAt<std::uint16_t>(arguments, task.levels);
  std::uint32_t* slots = ScratchAt<std::uint32_t>(arguments, task.target);
  team.ForEach(kContrastBlock, [&](int thread) {
    ForPixels(task.source, stripe, thread, [&](int x, int y) {
      const std::int64_t place = static_cast<std::int64_t>(y) * task.source.width + x;
      const std::uint32_t slot = reader.Slot(x, y);
      const float value = RescaledLevel(levels[place], shared.lowest[0], shared.highest[0]);
      const float old_value = UnitValue(ValueOf(slot));
      const auto channel = [&](int index) { return RescaledChannel(value, old_value, UnitValue(ChannelOf(slot, index))); };
      slots[place] = MakeSlot(channel(0), channel(1), channel(2));
    });
  });
}

}  // namespace im::kernels
