// Prepares batches of pictures on the device.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/module.h"
#include "cuda/resources.h"
#include "kernels/preprocess_job.h"

namespace im::kernels {

enum class InputType { kFloat32, kFloat16 };

// The kernels in the memory of a device. Any number of preprocessors share them.
class PreprocessKernel {
 public:
  static Result<std::shared_ptr<const PreprocessKernel>> Load(const std::shared_ptr<const cuda::Device>& device);

  // What the contrast of the pictures of a job needs.
  Status LaunchContrast(const ContrastArguments& arguments, ContrastNeed need, unsigned pictures,
                        const cuda::Stream& stream) const;
  // One pass of all pictures of a job.
  Status Launch(const PreprocessArguments& arguments, const PassGrid& grid, const cuda::Stream& stream) const;

 private:
  explicit PreprocessKernel(cuda::Module module) : module_(std::move(module)) {}
  const cuda::Module module_;
  cuda::FunctionObject* pass_ = nullptr;
  cuda::FunctionObject* count_ = nullptr;
  cuda::FunctionObject* map_ = nullptr;
  cuda::FunctionObject* tiles_ = nullptr;
  cuda::FunctionObject* levels_ = nullptr;
  cuda::FunctionObject* rescale_ = nullptr;
};

// Memory for one batch at a time, on both sides, and the work on it in one stream, which must outlive it. One thread at a time.
class Preprocessor {
 public:
  Preprocessor(std::shared_ptr<const cuda::Resources> resources, std::shared_ptr<const PreprocessKernel> kernel,
               const cuda::Stream& stream)
      : resources_(std::move(resources)), kernel_(std::move(kernel)), stream_(stream) {}

  // Copies the pictures to where the device reads; work on the batch before must be done.
  Status Prepare(const PreprocessJob& job);
  // Upload, contrast and passes, into the stream. `target`: [pictures, 3, height, width] of `type` on the device. The same work
  // may be put in again, or captured, as long as jobs have the same Shape.
  Status Enqueue(cuda::DeviceAddress target, InputType type) const;
  // The same without the upload, which must have been before.
  Status EnqueueKernels(cuda::DeviceAddress target, InputType type) const;

  // What Enqueue depends on, apart from the memory's contents.
  struct Shape {
    std::size_t bytes = 0;
    std::size_t scratch_bytes = 0;
    std::size_t pictures = 0;
    ContrastNeed contrast = ContrastNeed::kNothing;
    std::size_t contrast_tasks = 0;
    std::vector<PassGrid> grids;

    bool operator==(const Shape& other) const {
      return bytes == other.bytes && scratch_bytes == other.scratch_bytes && pictures == other.pictures &&
             contrast == other.contrast && contrast_tasks == other.contrast_tasks && grids == other.grids;
    }
  };
  static Shape ShapeOf(const PreprocessJob& job) {
    return {job.bytes(), job.scratch_bytes(), job.pictures(), job.contrast(), job.contrast_tasks(), job.grids()};
  }

 private:
  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<const PreprocessKernel> kernel_;
  const cuda::Stream& stream_;
  cuda::PinnedBuffer staging_;
  cuda::DeviceBuffer job_;
  cuda::DeviceBuffer scratch_;
  Shape shape_;
};

}  // namespace im::kernels
