#include "kernels/key_point_kernels.h"

#include <algorithm>
#include <cstdint>

#include "kernels/images.h"

namespace im::kernels {
namespace {

// Blocks that take what was found in turn: how much there is is known on the device only.
constexpr std::uint64_t kMaximumSharedBlocks = 64;

static_assert(kKeyPointBlock == kGatherBlock);

// A thread for each of so many.
std::uint64_t Blocks(std::uint64_t count) { return std::max<std::uint64_t>(1, (count + kKeyPointBlock - 1) / kKeyPointBlock); }

}  // namespace

Result<std::shared_ptr<const KeyPointKernels>> KeyPointKernels::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<cuda::Module> module = cuda::Module::Load(device, KeyPointImages());
  if (!module.ok()) return module.status();
  std::shared_ptr<KeyPointKernels> kernels(new KeyPointKernels(std::move(module.value())));
  const auto find = [&](const char* name, cuda::FunctionObject*& function) -> Status {
    const Result<cuda::FunctionObject*> found = kernels->module_.Find(name);
    if (!found.ok()) return found.status();
    function = found.value();
    return {};
  };
  IM_RETURN_IF_ERROR(find("im_key_points_copy", kernels->copy_));
  IM_RETURN_IF_ERROR(find("im_key_point_queries_weigh", kernels->weigh_));
  IM_RETURN_IF_ERROR(find("im_key_point_queries_gather", kernels->gather_));
  IM_RETURN_IF_ERROR(find("im_key_point_queries_place", kernels->place_));
  IM_RETURN_IF_ERROR(find("im_key_point_queries_write", kernels->write_));
  return std::shared_ptr<const KeyPointKernels>(std::move(kernels));
}

Status KeyPointKernels::Launch(const KeyPointArguments& arguments, unsigned pictures, const cuda::Stream& stream) const {
  const std::uint64_t numbers = static_cast<std::uint64_t>(arguments.limit) * arguments.numbers;
  const auto blocks = static_cast<unsigned>(std::min(Blocks(numbers), kMaximumSharedBlocks));
  return cuda::Launch(copy_, {blocks, pictures, 1}, {kKeyPointBlock, 1, 1}, arguments, stream);
}

Status KeyPointKernels::Launch(const KeyPointQueriesArguments& arguments, unsigned pictures, const cuda::Stream& stream) const {
  const auto launch = [&](cuda::FunctionObject* function, std::uint64_t blocks) {
    return cuda::Launch(function, {static_cast<unsigned>(blocks), pictures, 1}, {kKeyPointBlock, 1, 1}, arguments, stream);
  };
  const auto slots = static_cast<std::uint64_t>(arguments.slots);
  const std::uint64_t pairs = PairCount(arguments);
  IM_RETURN_IF_ERROR(launch(weigh_, Blocks(pairs * slots)));
  IM_RETURN_IF_ERROR(launch(gather_, Blocks(pairs)));
  IM_RETURN_IF_ERROR(launch(place_, Blocks(pairs)));
  return launch(write_, std::min(Blocks(static_cast<std::uint64_t>(arguments.limit) * slots), kMaximumSharedBlocks));
}

}  // namespace im::kernels
