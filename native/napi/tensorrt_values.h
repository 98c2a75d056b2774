// What loading and building engines have in common: ports as JavaScript sees them, whole files.
#pragma once

#include <napi.h>

#include <cstddef>
#include <string>
#include <vector>

#include "base/status.h"
#include "tensor_values.h"
#include "tensorrt/engine.h"

namespace im {

// NativeTensorRtPort in src/native/addon.ts.
Napi::Array DescribePorts(Napi::Env env, const std::vector<trt::Tensor>& tensors);

const char* CompatibilityName(trt::HardwareCompatibility level);

struct FileBytes {
  HostMemory memory;
  std::size_t size = 0;
};
// `what` is what the file should be: "engine".
Result<FileBytes> ReadFile(const std::string& path, const std::string& what, const char* stage);

}  // namespace im
