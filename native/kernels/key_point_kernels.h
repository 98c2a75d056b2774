// The kernels of key points in the memory of a device. Any number of stages share them.
#pragma once

#include <memory>
#include <utility>

#include "base/status.h"
#include "cuda/module.h"
#include "kernels/key_point_queries_body.h"
#include "kernels/key_points_body.h"

namespace im::kernels {

class KeyPointKernels {
 public:
  static Result<std::shared_ptr<const KeyPointKernels>> Load(const std::shared_ptr<const cuda::Device>& device);

  // All launches that a stage takes; `arguments` holds addresses of the device, and of pinned memory.
  Status Launch(const KeyPointArguments& arguments, unsigned pictures, const cuda::Stream& stream) const;
  Status Launch(const KeyPointQueriesArguments& arguments, unsigned pictures, const cuda::Stream& stream) const;

 private:
  explicit KeyPointKernels(cuda::Module module) : module_(std::move(module)) {}
  const cuda::Module module_;
  cuda::FunctionObject* copy_ = nullptr;
  cuda::FunctionObject* weigh_ = nullptr;
  cuda::FunctionObject* gather_ = nullptr;
  cuda::FunctionObject* place_ = nullptr;
  cuda::FunctionObject* write_ = nullptr;
};

}  // namespace im::kernels
