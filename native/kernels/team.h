// What the threads of a block do together. `team.ForEach(count, body)` runs body(0) .. body(count - 1) on them, in any order and
// at the same time, and waits for all of them; no body reads what another of the same call writes. On the host one thread plays
// all.
#pragma once

#include <cstdint>

#include "image/host_device.h"

namespace im::kernels {

// The value before.
IM_HOST_DEVICE std::uint32_t AddTo(std::uint32_t* counter, std::uint32_t number) {
#if defined(__CUDA_ARCH__)
  return atomicAdd(counter, number);
#else
  const std::uint32_t before = *counter;
  *counter += number;
  return before;
#endif
}
IM_HOST_DEVICE std::uint32_t CountUp(std::uint32_t* counter) { return AddTo(counter, 1); }

#if defined(__CUDACC__)
struct Block {
  template <typename Body>
  __device__ void ForEach(int count, Body body) const {
    for (int i = static_cast<int>(threadIdx.x); i < count; i += static_cast<int>(blockDim.x)) body(i);
    __syncthreads();
  }
};
#endif

// What a block shares while it sums up.
template <int kCount>
struct SumsShared {
  std::uint64_t sums[2][kCount];
};

// `shared.sums[0]`, one number a thread, to sums of each and all before it.
template <int kCount, typename Team>
IM_HOST_DEVICE const std::uint64_t* PrefixSums(const Team& team, SumsShared<kCount>& shared) {
  int from = 0;
  for (int distance = 1; distance < kCount; distance *= 2) {
    const std::uint64_t* source = shared.sums[from];
    std::uint64_t* target = shared.sums[1 - from];
    team.ForEach(kCount, [=](int i) { target[i] = source[i] + (i >= distance ? source[i - distance] : 0); });
    from = 1 - from;
  }
  return shared.sums[from];
}

}  // namespace im::kernels
