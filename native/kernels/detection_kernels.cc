#include "kernels/detection_kernels.h"

#include "kernels/images.h"

namespace im::kernels {
namespace {

// Enough blocks for as many candidates as there could be: how many have passed is known on the device only.
cuda::Extent BlocksFor(std::int32_t candidates, unsigned pictures, unsigned of_block = kGatherBlock) {
  return {(static_cast<unsigned>(candidates) + of_block - 1) / of_block, pictures, 1};
}

}  // namespace

Result<std::shared_ptr<const DetectionKernels>> DetectionKernels::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<cuda::Module> module = cuda::Module::Load(device, DetectionImages());
  if (!module.ok()) return module.status();
  std::shared_ptr<DetectionKernels> kernels(new DetectionKernels(std::move(module.value())));
  const auto find = [&](const char* name, cuda::FunctionObject*& function) -> Status {
    const Result<cuda::FunctionObject*> found = kernels->module_.Find(name);
    if (!found.ok()) return found.status();
    function = found.value();
    return {};
  };
  IM_RETURN_IF_ERROR(find("im_detection_gather", kernels->gather_));
  IM_RETURN_IF_ERROR(find("im_detection_rank", kernels->rank_));
  IM_RETURN_IF_ERROR(find("im_detection_suppress", kernels->suppress_));
  IM_RETURN_IF_ERROR(find("im_queries_gather", kernels->gather_pairs_));
  IM_RETURN_IF_ERROR(find("im_queries_place", kernels->place_pairs_));
  IM_RETURN_IF_ERROR(find("im_rows_filter", kernels->filter_rows_));
  return std::shared_ptr<const DetectionKernels>(std::move(kernels));
}

Status DetectionKernels::Launch(const DetectionArguments& arguments, unsigned pictures, const cuda::Stream& stream) const {
  const cuda::Extent slices = BlocksFor(arguments.candidates, pictures, kGatheredCandidates);
  IM_RETURN_IF_ERROR(cuda::Launch(gather_, slices, {kGatherBlock, 1, 1}, arguments, stream));
  const cuda::Extent candidates = BlocksFor(arguments.candidates, pictures);
  IM_RETURN_IF_ERROR(cuda::Launch(rank_, candidates, {kGatherBlock, 1, 1}, arguments, stream));
  return cuda::Launch(suppress_, {pictures, 1, 1}, {kSuppressBlock, 1, 1}, arguments, stream);
}

Status DetectionKernels::Launch(const QueriesArguments& arguments, unsigned pictures, const cuda::Stream& stream) const {
  const cuda::Extent pairs = BlocksFor(arguments.queries * arguments.classes, pictures);
  IM_RETURN_IF_ERROR(cuda::Launch(gather_pairs_, pairs, {kGatherBlock, 1, 1}, arguments, stream));
  return cuda::Launch(place_pairs_, pairs, {kGatherBlock, 1, 1}, arguments, stream);
}

Status DetectionKernels::Launch(const RowsArguments& arguments, unsigned pictures, const cuda::Stream& stream) const {
  return cuda::Launch(filter_rows_, {pictures, 1, 1}, {kRowsBlock, 1, 1}, arguments, stream);
}

}  // namespace im::kernels
