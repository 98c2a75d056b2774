// How the threads of a block put what passes behind what those of other blocks have put there: a scan within the block, and one
// addition for all of it. The order is whatever comes of it; whoever reads must not depend on it.
#pragma once

#include <cstdint>

#include "image/host_device.h"
#include "kernels/found.h"
#include "kernels/team.h"

namespace im::kernels {

template <int kCount, typename Item>
struct GatherShared {
  Item items[kCount];
  SumsShared<kCount> sums;
  std::uint32_t first;
};

// A pair of query and class.
struct GatheredPair {
  float score;
  std::uint32_t pair;
};
using PairsShared = GatherShared<kGatherBlock, GatheredPair>;

// Adds up in `gathered` what passes. calls examine(i, item) for 0 .. kCount - 1, which says whether it does and fills the item if
// so; then write(place, item) for those.
template <int kCount, typename Item, typename Team, typename Examine, typename Write>
IM_HOST_DEVICE void GatherPassing(const Team& team, std::uint32_t* gathered, GatherShared<kCount, Item>& shared, Examine examine,
                                  Write write) {
  team.ForEach(kCount, [&](int i) { shared.sums.sums[0][i] = examine(i, shared.items[i]) ? 1 : 0; });
  const std::uint64_t* sums = PrefixSums(team, shared.sums);
  team.ForEach(1, [&](int) {
    const auto passing = static_cast<std::uint32_t>(sums[kCount - 1]);
    shared.first = passing == 0 ? 0 : AddTo(gathered, passing);
  });
  team.ForEach(kCount, [&](int i) {
    const std::uint64_t before = i == 0 ? 0 : sums[i - 1];
    if (sums[i] != before) write(shared.first + static_cast<std::uint32_t>(before), shared.items[i]);
  });
}

}  // namespace im::kernels
