#include "module.h"

#include <array>
#include <cstdint>
#include <string>

namespace im::cuda {
namespace {

// Whether another image may do where this result came from.
bool IsMisfit(int result) {
  return result == kInvalidImage || result == kNoBinaryForGpu || result == kInvalidPtx || result == kUnsupportedPtxVersion;
}

}  // namespace

Result<Module> Module::Load(const std::shared_ptr<const Device>& device, const std::vector<const void*>& images) {
  Status status = {Code::kCuda, "cuda", "This build has no kernels for NVIDIA GPUs."};
  for (const void* image : images) {
    std::array<char, 4096> log{};
    int options[] = {kJitErrorLogBuffer, kJitErrorLogBytes};
    // The size is handed over in the place of a pointer.
    void* values[] = {log.data(), reinterpret_cast<void*>(static_cast<std::uintptr_t>(log.size() - 1))};
    ModuleObject* module = nullptr;
    const int result = device->table().cuModuleLoadDataEx(&module, image, 2, options, values);
    if (result == kSuccess) return Module({device, module});
    status = device->Check(result, "cuModuleLoadDataEx");
    if (log[0] != 0)
      status = {status.code(), status.stage(), status.message() + " The driver's compiler says: " + log.data(), *status.call()};
    if (!IsMisfit(result)) break;
  }
  return status;
}

Result<FunctionObject*> Module::Find(const char* name) const {
  FunctionObject* function = nullptr;
  const Status status =
      device()->Check(device()->table().cuModuleGetFunction(&function, handle_.get(), name), "cuModuleGetFunction");
  if (!status.ok())
    return Status(status.code(), status.stage(), std::string("Kernel ") + name + ": " + status.message(), *status.call());
  return function;
}

}  // namespace im::cuda
