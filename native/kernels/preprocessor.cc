#include "kernels/preprocessor.h"

#include "kernels/images.h"

namespace im::kernels {

Result<std::shared_ptr<const PreprocessKernel>> PreprocessKernel::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<cuda::Module> module = cuda::Module::Load(device, PreprocessImages());
  if (!module.ok()) return module.status();
  std::shared_ptr<PreprocessKernel> kernel(new PreprocessKernel(std::move(module.value())));
  const std::pair<const char*, cuda::FunctionObject**> functions[] = {
      {"im_preprocess", &kernel->pass_},        {"im_contrast_count", &kernel->count_},
      {"im_contrast_map", &kernel->map_},       {"im_contrast_tiles", &kernel->tiles_},
      {"im_contrast_levels", &kernel->levels_}, {"im_contrast_rescale", &kernel->rescale_},
  };
  for (const auto& [name, place] : functions) {
    const Result<cuda::FunctionObject*> function = kernel->module_.Find(name);
    if (!function.ok()) return function.status();
    *place = function.value();
  }
  return std::shared_ptr<const PreprocessKernel>(std::move(kernel));
}

Status PreprocessKernel::LaunchContrast(const ContrastArguments& arguments, ContrastNeed need, unsigned pictures,
                                        const cuda::Stream& stream) const {
  const auto launch = [&](cuda::FunctionObject* function, const cuda::Extent& grid) {
    return cuda::Launch(function, grid, {kContrastBlock, 1, 1}, arguments, stream);
  };
  if (need == ContrastNeed::kNothing) return {};
  IM_RETURN_IF_ERROR(launch(count_, {kStripes, pictures, 1}));
  IM_RETURN_IF_ERROR(launch(map_, {pictures, 1, 1}));
  if (need == ContrastNeed::kMaps) return {};
  IM_RETURN_IF_ERROR(launch(tiles_, {kMostTiles, pictures, 1}));
  IM_RETURN_IF_ERROR(launch(levels_, {kStripes, pictures, 1}));
  return launch(rescale_, {kStripes, pictures, 1});
}

Status PreprocessKernel::Launch(const PreprocessArguments& arguments, const PassGrid& grid, const cuda::Stream& stream) const {
  const cuda::Extent blocks{(grid.groups + kBlockWidth - 1) / kBlockWidth, (grid.rows + kBlockHeight - 1) / kBlockHeight,
                            static_cast<unsigned>(arguments.pictures)};
  return cuda::Launch(pass_, blocks, {kBlockWidth, kBlockHeight, 1}, arguments, stream);
}

Status Preprocessor::Prepare(const PreprocessJob& job) {
  shape_ = {};  // until all of it has succeeded
  if (staging_.data() == nullptr || staging_.size() < job.bytes()) {
    Result<cuda::PinnedBuffer> staging = resources_->pinned->Allocate(job.bytes());
    if (!staging.ok()) return staging.status();
    staging_ = std::move(staging.value());
  }
  const auto reserve = [&](cuda::DeviceBuffer& buffer, std::size_t bytes) -> Status {
    if (bytes == 0 || (buffer.address() != 0 && buffer.size() >= bytes)) return {};
    Result<cuda::DeviceBuffer> larger = resources_->memory->Allocate(bytes, stream_.get());
    if (!larger.ok()) return larger.status();
    buffer = std::move(larger.value());
    return {};
  };
  IM_RETURN_IF_ERROR(reserve(job_, job.bytes()));
  IM_RETURN_IF_ERROR(reserve(scratch_, job.scratch_bytes()));
  job.WriteTo(staging_.data());
  shape_ = ShapeOf(job);
  return {};
}

Status Preprocessor::Enqueue(cuda::DeviceAddress target, InputType type) const {
  const cuda::Device& device = *resources_->device;
  if (shape_.pictures == 0) return InvalidArgument("preprocess", "There is no batch to prepare.");
  IM_RETURN_IF_ERROR(device.Check(
      device.table().cuMemcpyHtoDAsync_v2(job_.address(), staging_.data(), shape_.bytes, stream_.get()), "cuMemcpyHtoDAsync"));
  return EnqueueKernels(target, type);
}

Status Preprocessor::EnqueueKernels(cuda::DeviceAddress target, InputType type) const {
  ContrastArguments contrast;
  contrast.job = reinterpret_cast<const unsigned char*>(static_cast<std::uintptr_t>(job_.address()));
  contrast.scratch = reinterpret_cast<unsigned char*>(static_cast<std::uintptr_t>(scratch_.address()));
  contrast.tasks = static_cast<std::int64_t>(shape_.contrast_tasks);
  IM_RETURN_IF_ERROR(kernel_->LaunchContrast(contrast, shape_.contrast, static_cast<unsigned>(shape_.pictures), stream_));
  PreprocessArguments arguments;
  arguments.job = contrast.job;
  arguments.scratch = contrast.scratch;
  arguments.target = reinterpret_cast<void*>(static_cast<std::uintptr_t>(target));
  arguments.pictures = static_cast<std::int32_t>(shape_.pictures);
  arguments.half = type == InputType::kFloat16 ? 1 : 0;
  for (const PassGrid& grid : shape_.grids) {
    IM_RETURN_IF_ERROR(kernel_->Launch(arguments, grid, stream_));
    ++arguments.pass;
  }
  return {};
}

}  // namespace im::kernels
