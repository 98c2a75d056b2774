// The kernels of detection in the memory of a device. Any number of detectors share them.
#pragma once

#include <memory>
#include <utility>

#include "base/status.h"
#include "cuda/module.h"
#include "kernels/detection_body.h"
#include "kernels/queries_body.h"
#include "kernels/rows_body.h"

namespace im::kernels {

class DetectionKernels {
 public:
  static Result<std::shared_ptr<const DetectionKernels>> Load(const std::shared_ptr<const cuda::Device>& device);

  // All launches that a head takes; `arguments` holds addresses of the device.
  Status Launch(const DetectionArguments& arguments, unsigned pictures, const cuda::Stream& stream) const;
  Status Launch(const QueriesArguments& arguments, unsigned pictures, const cuda::Stream& stream) const;
  Status Launch(const RowsArguments& arguments, unsigned pictures, const cuda::Stream& stream) const;

 private:
  explicit DetectionKernels(cuda::Module module) : module_(std::move(module)) {}
  const cuda::Module module_;
  cuda::FunctionObject* gather_ = nullptr;
  cuda::FunctionObject* rank_ = nullptr;
  cuda::FunctionObject* suppress_ = nullptr;
  cuda::FunctionObject* gather_pairs_ = nullptr;
  cuda::FunctionObject* place_pairs_ = nullptr;
  cuda::FunctionObject* filter_rows_ = nullptr;
};

}  // namespace im::kernels
