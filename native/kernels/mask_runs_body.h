// From the cells of masks to their runs: what threads of the mask kernels do, continued from masks_body.h.
#pragma once

#include <cmath>
#include <cstdint>

#include "kernels/mask_job.h"
#include "kernels/team.h"

namespace im::kernels {

// The mask that a tile of columns belongs to. Columns and groups of rows are numbered as in its MaskPicture, cells from where the
// trimmed mask begins.
class MaskCanvas {
 public:
  IM_HOST_DEVICE MaskCanvas(const MaskView& view, std::uint32_t instance)
      : place_(view.places()[instance]),
        picture_(view.picture(static_cast<std::int32_t>(instance / static_cast<std::uint32_t>(view.job.limit)))),
        columns_(view.columns(picture_)),
        rows_(view.rows(picture_)),
        weights_(view.weights()),
        cells_(view.cells() + place_.cells),
        left_(place_.region.left - picture_.trim.left),
        top_(place_.region.top - picture_.trim.top),
        blank_(0.0f > picture_.threshold) {}

  // calls emit(end) for every run that ends with the pixel before one of this column, and behind the last column for the last
  // run. `thread` is the column's number in `tile`.
  template <typename Emit>
  IM_HOST_DEVICE void ForRunEnds(std::uint32_t tile, int thread, Emit emit) const {
    const std::int32_t offset = static_cast<std::int32_t>(tile - place_.first_tile) * kMaskBlock + thread;
    const std::int32_t last = masks::Larger(place_.column_count, 1) - 1;
    if (offset > last) return;
    if (place_.column_count > 0) {
      const std::int32_t column = place_.first_column + offset;
      const std::int32_t x = picture_.column_start + column;
      const auto height = static_cast<std::uint32_t>(picture_.height);
      const auto pixel = static_cast<std::uint32_t>(x) * height;
      const bool value =
          Walk(column, offset > 0 && EndsWith(column - 1), [&](std::int32_t y) { emit(pixel + static_cast<std::uint32_t>(y)); });
      if (offset == last && value && x + 1 < picture_.width) emit(pixel + height);
    }
    if (offset == last)
      emit(kLastOfMask | static_cast<std::uint32_t>(picture_.width) * static_cast<std::uint32_t>(picture_.height));
  }

 private:
  // One column from above; calls change(y) where the value is not that of the pixel before, `value` at the beginning. Returns the
  // last pixel.
  template <typename Change>
  IM_HOST_DEVICE bool Walk(std::int32_t column, bool value, Change change) const {
    const auto set = [&](bool next, std::int32_t y) {
      if (next != value) change(y);
      value = next;
    };
    if (picture_.row_start > 0) set(false, 0);
    std::int32_t done = 0;
    if (Reached(column)) {
      for (std::int32_t i = place_.first_group; i < place_.group_end; ++i) {
        const MaskRows& group = rows_[i];
        if (group.first > done) set(blank_, picture_.row_start + done);
        WalkGroup(columns_[column], group, set);
        done = group.end;
      }
    }
    if (done < picture_.row_count) set(blank_, picture_.row_start + done);
    if (picture_.row_start + picture_.row_count < picture_.height) set(false, picture_.row_start + picture_.row_count);
    return value;
  }

  // Between two rows of cells everything is on the side of the threshold that both are on.
  template <typename Set>
  IM_HOST_DEVICE void WalkGroup(const MaskColumn& column, const MaskRows& group, Set set) const {
    const masks::TapRange used = masks::Clipped(group.range, top_, place_.region.height());
    const std::int32_t taps = used.end - used.begin;
    const bool whole = taps == group.range.end - group.range.begin;
    // Enlarging never needs more than these; what else there is is computed again.
    float kept[2] = {};
    float greatest = 0.0f;
    float lowest = INFINITY;
    float highest = -INFINITY;
    bool numbers = true;
    for (std::int32_t i = 0; i < taps; ++i) {
      const float line = Line(column, used.begin + i);
      if (i == 0) kept[0] = line;
      else if (i == 1) kept[1] = line;
      numbers = numbers && line == line;
      lowest = line < lowest ? line : lowest;
      highest = line > highest ? line : highest;
    }
    greatest = highest > -lowest ? highest : -lowest;
    // Never clear where there are infinities.
    const float distance = masks::SafeDistance(greatest, group.range.end - group.range.begin);
    const bool all_above = whole && lowest > picture_.threshold + distance;
    const bool all_below = (whole || !blank_) && highest < picture_.threshold - distance;
    if (numbers && (all_above || all_below)) {
      set(all_above, picture_.row_start + group.first);
      return;
    }
    const float* weights = weights_ + group.weights + (used.begin - group.range.begin);
    for (std::int32_t y = group.first; y < group.end; ++y) {
      const float sum = masks::WeightedSum(weights, taps, [&](std::int32_t i) {
        return i == 0 ? kept[0] : i == 1 ? kept[1] : Line(column, used.begin + i);
      });
      set(sum > picture_.threshold, picture_.row_start + y);
      weights += group.range.end - group.range.begin;
    }
  }

  // The last pixel of a column within the mask.
  IM_HOST_DEVICE bool EndsWith(std::int32_t column) const {
    if (picture_.row_start + picture_.row_count < picture_.height) return false;
    if (!Reached(column) || place_.group_end < picture_.row_groups) return blank_;
    const MaskRows& group = rows_[picture_.row_groups - 1];
    const masks::TapRange used = masks::Clipped(group.range, top_, place_.region.height());
    const std::int32_t before = (group.end - group.first - 1) * (group.range.end - group.range.begin);
    const float* weights = weights_ + group.weights + before + (used.begin - group.range.begin);
    return masks::WeightedSum(weights, used.end - used.begin,
                              [&](std::int32_t i) { return Line(columns_[column], used.begin + i); }) > picture_.threshold;
  }

  // Whether any cell has a part in a column.
  IM_HOST_DEVICE bool Reached(std::int32_t column) const {
    const masks::TapRange used = masks::Clipped(columns_[column].range, left_, place_.region.width());
    return place_.group_end > place_.first_group && used.begin < used.end;
  }

  // A row of cells where it meets a column.
  IM_HOST_DEVICE float Line(const MaskColumn& column, std::int32_t row) const {
    const masks::TapRange used = masks::Clipped(column.range, left_, place_.region.width());
    const float* cells = cells_ + static_cast<std::int64_t>(row - top_) * place_.region.width() + (used.begin - left_);
    return masks::WeightedSum(weights_ + column.weights + (used.begin - column.range.begin), used.end - used.begin,
                              [=](std::int32_t i) { return cells[i]; });
  }

  const MaskPlace& place_;
  const MaskPicture& picture_;
  const MaskColumn* columns_;
  const MaskRows* rows_;
  const float* weights_;
  const float* cells_;
  const std::int32_t left_;
  const std::int32_t top_;
  const bool blank_;
};

// Tiles from `first` on in steps of `step`.
template <typename Team>
IM_HOST_DEVICE void CountMaskRuns(const Team& team, const MaskArguments& arguments, unsigned first, unsigned step,
                                  SumsShared<kMaskBlock>& shared) {
  const MaskView view(arguments);
  const std::uint32_t tiles = view.totals().tiles;
  for (std::uint32_t tile = first; tile < tiles; tile += step) {
    team.ForEach(kMaskBlock, [&](int thread) {
      std::uint64_t count = 0;
      MaskCanvas(view, view.tile_places()[tile]).ForRunEnds(tile, thread, [&](std::uint32_t) { ++count; });
      shared.sums[0][thread] = count;
    });
    const std::uint64_t* sums = PrefixSums(team, shared);
    team.ForEach(kMaskBlock, [&](int thread) {
      view.column_runs()[static_cast<std::uint64_t>(tile) * kMaskBlock + static_cast<unsigned>(thread)] =
          static_cast<std::uint32_t>(thread == 0 ? 0 : sums[thread - 1]);
      if (thread == kMaskBlock - 1) view.tile_runs()[tile] = sums[thread];
    });
  }
}

// Counts of tiles to the numbers of their first runs; those of masks, and what there is in all, to the results.
template <typename Team>
IM_HOST_DEVICE void SumMaskRuns(const Team& team, const MaskArguments& arguments, SumsShared<kMaskSumBlock>& shared) {
  const MaskView view(arguments);
  const std::uint64_t capacity = view.job.run_capacity;
  const std::uint32_t tiles = view.totals().tiles;
  const std::uint32_t share = (tiles + kMaskSumBlock - 1) / kMaskSumBlock;
  std::uint64_t* tile_runs = view.tile_runs();
  const auto for_tiles = [&](int i, auto visit) {
    const std::uint64_t begin = static_cast<std::uint64_t>(i) * share;
    for (std::uint64_t tile = begin; tile < begin + share && tile < tiles; ++tile) visit(static_cast<std::uint32_t>(tile));
  };
  team.ForEach(kMaskSumBlock, [&](int i) {
    std::uint64_t sum = 0;
    for_tiles(i, [&](std::uint32_t tile) { sum += tile_runs[tile]; });
    shared.sums[0][i] = sum;
  });
  const std::uint64_t* sums = PrefixSums(team, shared);
  team.ForEach(kMaskSumBlock, [&](int i) {
    std::uint64_t start = i == 0 ? 0 : sums[i - 1];
    for_tiles(i, [&](std::uint32_t tile) {
      const std::uint64_t count = tile_runs[tile];
      tile_runs[tile] = start;
      start += count;
    });
  });
  MaskTotals& totals = view.totals();
  std::uint32_t* begins = view.result(view.job.begin_result_offset);
  const std::uint64_t total = sums[kMaskSumBlock - 1];
  team.ForEach(kMaskSumBlock, [&](int i) {
    const auto end_with = [&](std::uint32_t complete, std::uint64_t runs) {
      totals.complete = complete;
      totals.runs = static_cast<std::uint32_t>(runs);
      begins[complete] = totals.runs;
    };
    if (i == 0 && tiles == 0) end_with(0, 0);
    for_tiles(i, [&](std::uint32_t tile) {
      const MaskPlace& place = view.places()[view.tile_places()[tile]];
      if (place.first_tile != tile || tile_runs[tile] > capacity) return;
      const std::uint32_t next = tile + place.tiles;
      const std::uint64_t end = next < tiles ? tile_runs[next] : total;
      if (end > capacity) {
        end_with(place.number, tile_runs[tile]);
      } else {
        begins[place.number] = static_cast<std::uint32_t>(tile_runs[tile]);
        if (next >= tiles) end_with(place.number + 1, end);
      }
    });
  });
  team.ForEach(1, [&](int) { *reinterpret_cast<MaskTotals*>(arguments.results) = totals; });
}

IM_HOST_DEVICE void WriteMaskRuns(const MaskArguments& arguments, unsigned first, unsigned step, int thread) {
  const MaskView view(arguments);
  const std::uint32_t tiles = view.totals().tiles;
  for (std::uint32_t tile = first; tile < tiles; tile += step) {
    const std::uint32_t instance = view.tile_places()[tile];
    // Sums only grow: behind the first mask without room no other is.
    if (view.places()[instance].number >= view.totals().complete) return;
    std::uint64_t run = view.tile_runs()[tile] +
                        view.column_runs()[static_cast<std::uint64_t>(tile) * kMaskBlock + static_cast<unsigned>(thread)];
    MaskCanvas(view, instance).ForRunEnds(tile, thread, [&](std::uint32_t end) { view.run_ends()[run++] = end; });
  }
}

// Runs from `first` on in steps of `step`: neighbouring threads write neighbouring words.
IM_HOST_DEVICE void WriteRunLengths(const MaskArguments& arguments, unsigned first, unsigned step) {
  const MaskView view(arguments);
  const std::uint32_t* ends = view.run_ends();
  std::uint32_t* lengths = view.result(view.job.run_result_offset);
  for (std::uint64_t run = first; run < view.totals().runs; run += step) {
    const std::uint32_t before = run == 0 ? kLastOfMask : ends[run - 1];
    lengths[run] = (ends[run] & ~kLastOfMask) - ((before & kLastOfMask) != 0 ? 0 : before);
  }
}

}  // namespace im::kernels
