// What threads of the key point kernels do for points that lie among the attributes of a candidate, as detection::GatherKeyPoints
// takes them. Compiled by nvcc into the kernels (key_points.cu) and by the C++ compiler into their twins on the host
// (test/native/fakes/kernel_twins.cc).
#pragma once

#include <cstdint>

#include "kernels/batch_matrix.h"
#include "kernels/found.h"

namespace im::kernels {

// The only argument of the kernel.
struct KeyPointArguments {
  BatchMatrix attributes;
  const Found* found = nullptr;  // `limit` for each picture
  const std::int32_t* found_count = nullptr;
  // Results, in memory of the host: `numbers` for each place of `found`, and how many places of a picture are filled.
  float* points = nullptr;
  std::uint32_t* counts = nullptr;
  std::int32_t candidates = 0;
  std::int32_t limit = 0;
  std::uint32_t numbers = 0;  // of an instance
};

constexpr unsigned kKeyPointBlock = 128;

// Thread `thread` of `threads` that share a picture. Neighbours write neighbouring numbers, and read them where the attributes of
// a candidate lie side by side.
IM_HOST_DEVICE void CopyKeyPoints(const KeyPointArguments& arguments, std::uint32_t thread, std::uint32_t threads,
                                  unsigned picture) {
  const std::int64_t first = static_cast<std::int64_t>(picture) * arguments.limit;
  std::int32_t count = arguments.found_count[picture];
  if (count > arguments.limit) count = arguments.limit;
  if (count < 0) count = 0;
  if (thread == 0) arguments.counts[picture] = static_cast<std::uint32_t>(count);
  const std::uint32_t total = static_cast<std::uint32_t>(count) * arguments.numbers;
  for (std::uint32_t i = thread; i < total; i += threads) {
    const std::int32_t candidate = arguments.found[first + i / arguments.numbers].candidate;
    // Nothing is read of a candidate that does not exist.
    const bool exists = candidate >= 0 && candidate < arguments.candidates;
    arguments.points[first * arguments.numbers + i] =
        exists ? arguments.attributes.At(picture, static_cast<std::size_t>(candidate), i % arguments.numbers) : 0.0f;
  }
}

}  // namespace im::kernels
