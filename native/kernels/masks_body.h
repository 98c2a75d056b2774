// What threads of the mask kernels do. Compiled by nvcc into the kernels (masks.cu) and by the C++ compiler into their twins on
// the host (test/native/fakes/kernel_twins.cc); the arithmetic is that of native/masks.
//
// Seven launches, none of which needs to know on the host what the one before found. Every size is a count, then a sum of counts:
//   region   a thread per instance: which cells, columns and rows of the picture its mask has
//   arrange  one block: where the cells and columns of each begin
//   cells    a thread per cell, for the instances of a picture in groups: prototypes are read once a group
//   count    a thread per column of the picture: how many runs begin there
//   sum      one block: where the runs of each mask and column begin
//   write    a thread per column: where its runs end
//   runs     their lengths, into memory of the host: no more than there are
// The first three are here, the others in mask_runs_body.h.
#pragma once

#include <cstdint>

#include "detection/sigmoid.h"
#include "kernels/batch_matrix.h"
#include "kernels/mask_job.h"
#include "kernels/team.h"

namespace im::kernels {

// The first from `begin` on that is not `before`; those that are come first.
template <typename Before>
IM_HOST_DEVICE std::int32_t FirstNot(std::int32_t begin, std::int32_t end, Before before) {
  while (begin < end) {
    const std::int32_t middle = begin + (end - begin) / 2;
    if (before(middle)) begin = middle + 1;
    else end = middle;
  }
  return begin;
}

IM_HOST_DEVICE void PlaceMask(const MaskArguments& arguments, unsigned rank, unsigned picture_index) {
  const MaskView view(arguments);
  const MaskJob& job = view.job;
  if (static_cast<std::int64_t>(rank) >= view.instances(static_cast<std::int32_t>(picture_index))) return;
  const std::uint64_t instance = static_cast<std::uint64_t>(picture_index) * static_cast<std::uint64_t>(job.limit) + rank;
  const Found& found = arguments.found[instance];
  const MaskPicture& picture = view.picture(static_cast<std::int32_t>(picture_index));

  MaskPlace place{};
  place.index = found.candidate;
  masks::Region within{0, 0, job.width, job.height};
  if (job.cut_to_boxes != 0) within = masks::RegionOfBox(found.box, job.box_scale, job.width, job.height);
  // Nothing is read of a row that does not exist.
  if (found.candidate < 0 || found.candidate >= job.rows) within = {};
  place.region = masks::TrimmedRegion(within, picture.trim, job.width, job.height);
  const std::int32_t left = place.region.left - picture.trim.left;
  const std::int32_t top = place.region.top - picture.trim.top;
  const std::int32_t right = left + place.region.width();
  const std::int32_t bottom = top + place.region.height();
  const bool empty = place.region.empty();
  if (0.0f > picture.threshold) {
    // What no cell has a part in is 0, and so in the mask.
    place.column_count = picture.column_count;
  } else if (!empty) {
    const MaskColumn* columns = view.columns(picture);
    place.first_column = FirstNot(0, picture.column_count, [&](std::int32_t i) { return columns[i].range.end <= left; });
    const std::int32_t end =
        FirstNot(place.first_column, picture.column_count, [&](std::int32_t i) { return columns[i].range.begin < right; });
    place.column_count = end - place.first_column;
  }
  if (!empty) {
    const MaskRows* rows = view.rows(picture);
    place.first_group = FirstNot(0, picture.row_groups, [&](std::int32_t i) { return rows[i].range.end <= top; });
    place.group_end =
        FirstNot(place.first_group, picture.row_groups, [&](std::int32_t i) { return rows[i].range.begin < bottom; });
  }
  // A mask without columns still has its one run.
  place.tiles = static_cast<std::uint32_t>(masks::Larger(1, (place.column_count + kMaskBlock - 1) / kMaskBlock));
  view.places()[instance] = place;
}

// ------------------------------------------------------------------------------------------------------------------ arrange

struct ArrangeShared {
  SumsShared<kMaskSumBlock> cells;
  SumsShared<kMaskSumBlock> tiles;
};

// calls visit(place, instance, number) for masks from number `begin` to `end`.
template <typename Visit>
IM_HOST_DEVICE void ForMasks(const MaskView& view, std::uint32_t begin, std::uint32_t end, Visit visit) {
  if (begin >= end) return;
  const std::uint32_t* first = view.first_of_picture();
  std::int32_t picture = FirstNot(0, view.job.pictures, [&](std::int32_t i) { return first[i + 1] <= begin; });
  for (std::uint32_t number = begin; number < end; ++number) {
    while (first[picture + 1] <= number) ++picture;
    const auto instance =
        static_cast<std::uint32_t>(picture) * static_cast<std::uint32_t>(view.job.limit) + number - first[picture];
    visit(view.places()[instance], instance, number);
  }
}

IM_HOST_DEVICE std::uint64_t CellCount(const MaskPlace& place) {
  return static_cast<std::uint64_t>(place.region.width()) * static_cast<std::uint64_t>(place.region.height());
}

template <typename Team>
IM_HOST_DEVICE void ArrangeMasks(const Team& team, const MaskArguments& arguments, ArrangeShared& shared) {
  const MaskView view(arguments);
  const MaskJob& job = view.job;
  // Of so many pictures, and then masks, each thread has its share.
  const std::int32_t pictures = (job.pictures + kMaskSumBlock - 1) / kMaskSumBlock;
  const auto for_pictures = [&](int i, auto visit) {
    for (std::int32_t p = i * pictures; p < masks::Lesser(job.pictures, (i + 1) * pictures); ++p) visit(p);
  };
  team.ForEach(kMaskSumBlock, [&](int i) {
    std::uint64_t sum = 0;
    for_pictures(i, [&](std::int32_t p) { sum += static_cast<std::uint64_t>(view.instances(p)); });
    shared.cells.sums[0][i] = sum;
  });
  const std::uint64_t* numbers = PrefixSums(team, shared.cells);
  team.ForEach(kMaskSumBlock, [&](int i) {
    auto number = static_cast<std::uint32_t>(i == 0 ? 0 : numbers[i - 1]);
    const auto write = [&](std::int32_t p) { view.first_of_picture()[p] = view.result(job.first_result_offset)[p] = number; };
    for_pictures(i, [&](std::int32_t p) {
      write(p);
      number += static_cast<std::uint32_t>(view.instances(p));
    });
    if (i == kMaskSumBlock - 1) write(job.pictures);
  });

  const std::uint32_t total = view.first_of_picture()[job.pictures];
  const std::uint32_t share = (total + kMaskSumBlock - 1) / kMaskSumBlock;
  const auto begin_of = [&](int i) {
    const std::uint64_t begin = static_cast<std::uint64_t>(i) * share;
    return begin < total ? static_cast<std::uint32_t>(begin) : total;
  };
  team.ForEach(kMaskSumBlock, [&](int i) {
    std::uint64_t cells = 0;
    std::uint64_t tiles = 0;
    ForMasks(view, begin_of(i), begin_of(i + 1), [&](const MaskPlace& place, std::uint32_t, std::uint32_t) {
      cells += CellCount(place);
      tiles += place.tiles;
    });
    shared.cells.sums[0][i] = cells;
    shared.tiles.sums[0][i] = tiles;
  });
  const std::uint64_t* cell_sums = PrefixSums(team, shared.cells);
  const std::uint64_t* tile_sums = PrefixSums(team, shared.tiles);
  team.ForEach(kMaskSumBlock, [&](int i) {
    MaskTotals& totals = view.totals();
    std::uint64_t cells = i == 0 ? 0 : cell_sums[i - 1];
    std::uint64_t tiles = i == 0 ? 0 : tile_sums[i - 1];
    const auto fits = [&] { return cells <= job.cell_capacity && tiles <= job.tile_capacity; };
    if (i == 0) {
      totals.masks = total;
      if (total == 0) totals.placed = totals.tiles = 0;
    }
    ForMasks(view, begin_of(i), begin_of(i + 1), [&](MaskPlace& place, std::uint32_t instance, std::uint32_t number) {
      const bool before_fit = fits();
      const auto first_tile = static_cast<std::uint32_t>(tiles);
      place.cells = cells;
      place.number = number;
      place.first_tile = first_tile;
      cells += CellCount(place);
      tiles += place.tiles;
      if (fits()) {
        for (std::uint32_t t = 0; t < place.tiles; ++t) view.tile_places()[first_tile + t] = instance;
        if (number + 1 < total) return;
        totals.placed = total;
        totals.tiles = static_cast<std::uint32_t>(tiles);
      } else if (before_fit) {
        // Sums only grow: nothing behind the first that does not fit does.
        totals.placed = number;
        totals.tiles = first_tile;
      }
    });
  });
}

// -------------------------------------------------------------------------------------------------------------------- cells

struct MaskCellsShared {
  alignas(16) float weights[kMaskGroup][kMaskChannels];  // 0 where there is none
  masks::Region regions[kMaskGroup];
  std::uint64_t cells[kMaskGroup];
  std::int32_t indices[kMaskGroup];
};

// A tile of cells, for the instances of a picture from `group` on in steps of `groups` groups. `Element` is that of the
// planes.
template <typename Element, typename Team>
IM_HOST_DEVICE void ComputeMaskCells(const Team& team, const MaskArguments& arguments, unsigned tile, unsigned group,
                                     unsigned groups, unsigned picture, MaskCellsShared& shared) {
  const MaskView view(arguments);
  const MaskJob& job = view.job;
  const std::int32_t instances = view.instances(static_cast<std::int32_t>(picture));
  const Element* planes = static_cast<const Element*>(arguments.planes) + picture * job.planes_per_picture;
  const std::uint32_t placed = view.totals().placed;
  const MaskPlace* places = view.places() + static_cast<std::uint64_t>(picture) * static_cast<std::uint64_t>(job.limit);

  for (auto first = static_cast<std::int32_t>(group) * kMaskGroup; first < instances;
       first += static_cast<std::int32_t>(groups) * kMaskGroup) {
    const std::int32_t members = masks::Lesser(kMaskGroup, instances - first);
    team.ForEach(kMaskGroup, [&](int i) {
      shared.regions[i] = {};
      if (i >= members || places[first + i].number >= placed) return;
      shared.regions[i] = places[first + i].region;
      shared.cells[i] = places[first + i].cells;
      shared.indices[i] = places[first + i].index;
    });
    if (job.channels != 0) {
      team.ForEach(kMaskGroup * kMaskChannels, [&](int i) {
        const int member = i / kMaskChannels;
        const int channel = i % kMaskChannels;
        const bool exists = !shared.regions[member].empty() && channel < job.channels;
        float weight = 0.0f;
        if (exists) {
          const std::uint64_t coefficient = picture * job.coefficients_per_picture +
                                            static_cast<std::uint64_t>(shared.indices[member]) * job.row_stride +
                                            static_cast<std::uint64_t>(channel) * job.coefficient_stride;
          weight = NumberAt(arguments.coefficients, job.half_coefficients != 0, coefficient);
        }
        shared.weights[member][channel] = weight;
      });
    }
    team.ForEach(kMaskBlock, [&](int thread) {
      const std::uint64_t cell = static_cast<std::uint64_t>(tile) * kMaskBlock + static_cast<unsigned>(thread);
      const auto width = static_cast<std::uint64_t>(job.width);
      if (cell >= width * static_cast<std::uint64_t>(job.height)) return;
      const auto x = static_cast<std::int32_t>(cell % width);
      const auto y = static_cast<std::int32_t>(cell / width);
      std::uint32_t wanted = 0;
      for (int i = 0; i < kMaskGroup; ++i) {
        const masks::Region& region = shared.regions[i];
        const bool inside = x >= region.left && x < region.right && y >= region.top && y < region.bottom;
        wanted |= (inside ? 1u : 0u) << i;
      }
      if (wanted == 0) return;
      const Element* first_value = planes + cell * job.cell_stride;
      float values[kMaskChannels];
      IM_UNROLL
      for (int channel = 0; channel < kMaskChannels; ++channel) {
        values[channel] =
            channel < job.channels ? Widened(first_value[static_cast<std::uint64_t>(channel) * job.plane_stride]) : 0.0f;
      }
      for (int i = 0; i < kMaskGroup; ++i) {
        if ((wanted >> i & 1u) == 0) continue;
        // Products of channels that do not exist add 0, which changes no sum.
        float value = job.channels != 0 ? masks::CombineCell(values, 1, shared.weights[i], kMaskChannels)
                                        : Widened(first_value[static_cast<std::uint64_t>(shared.indices[i]) * job.plane_stride]);
        if (job.sigmoid != 0) value = detection::Sigmoid(value);
        const masks::Region& region = shared.regions[i];
        view.cells()[shared.cells[i] + static_cast<std::uint64_t>(y - region.top) * static_cast<std::uint64_t>(region.width()) +
                     static_cast<std::uint64_t>(x - region.left)] = value;
      }
    });
  }
}

}  // namespace im::kernels
