// What threads of the kernel for rows do that went through suppression in the network: which pass, in their order, as
// detection::FilterRows. Compiled like detection_body.h, into the same file of kernels.
//
// One launch: a block per picture, whose threads have neighbouring rows each. How many rows pass before a thread's is a sum.
#pragma once

#include <cstdint>

#include "kernels/batch_matrix.h"
#include "kernels/found.h"
#include "kernels/team.h"

namespace im::kernels {

// The only argument of the kernel.
struct RowsArguments {
  BatchMatrix rows;                     // x1, y1, x2, y2, score, class id, extras
  detection::ThresholdList thresholds;  // one for all classes, or by class id
  // Results: `limit` per picture, and how many of them there are.
  Found* found = nullptr;
  std::int32_t* found_count = nullptr;
  std::int32_t count = 0;  // rows of a picture
  std::int32_t limit = 0;
  bool inclusive = false;
};

constexpr int kRowsBlock = 256;
using RowsShared = SumsShared<kRowsBlock>;

template <typename Team>
IM_HOST_DEVICE void FilterPicture(const Team& team, const RowsArguments& arguments, unsigned picture, RowsShared& shared) {
  const std::int32_t share = (arguments.count + kRowsBlock - 1) / kRowsBlock;
  const PictureMatrix rows = arguments.rows.Of(picture);
  // calls visit(row) for the rows of thread i that pass.
  const auto for_passing = [&](int i, auto visit) {
    const std::int32_t begin = i * share;
    const std::int32_t end = begin + share < arguments.count ? begin + share : arguments.count;
    IM_KEEP_LOOP
    for (std::int32_t row = begin; row < end; ++row) {
      if (RowPasses(rows, static_cast<std::size_t>(row), arguments.thresholds, arguments.inclusive)) visit(row);
    }
  };
  team.ForEach(kRowsBlock, [&](int i) {
    std::uint64_t passing = 0;
    for_passing(i, [&](std::int32_t) { ++passing; });
    shared.sums[0][i] = passing;
  });
  const std::uint64_t* sums = PrefixSums(team, shared);
  team.ForEach(kRowsBlock, [&](int i) {
    const auto limit = static_cast<std::uint64_t>(arguments.limit);
    Found* found = arguments.found + static_cast<std::uint64_t>(picture) * limit;
    std::uint64_t place = i == 0 ? 0 : sums[i - 1];
    if (place < limit) {
      for_passing(i, [&](std::int32_t row) {
        const auto index = static_cast<std::size_t>(row);
        if (place < limit)
          found[place] = {BoxOf(rows, detection::BoxFormat::kCorners, index), rows.At(index, 4),
                          static_cast<std::int32_t>(rows.At(index, 5)), row, 0};
        ++place;
      });
    }
    if (i == kRowsBlock - 1) arguments.found_count[picture] = static_cast<std::int32_t>(sums[i] < limit ? sums[i] : limit);
  });
}

}  // namespace im::kernels
