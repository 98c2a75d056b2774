// Kernels: machine code, or text that the driver compiles, in the memory of a device.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"

namespace im::cuda {

struct Extent {
  unsigned x = 1;
  unsigned y = 1;
  unsigned z = 1;
};

class Module {
 public:
  // The first of `images` that the device and the driver can use. Machine code (a fatbin) comes before text (PTX, ending with a
  // zero byte), which any newer device can have compiled.
  static Result<Module> Load(const std::shared_ptr<const Device>& device, const std::vector<const void*>& images);

  // Valid as long as the module is.
  Result<FunctionObject*> Find(const char* name) const;
  const std::shared_ptr<const Device>& device() const { return handle_.device(); }

 private:
  explicit Module(Handle<ModuleObject, &DriverTable::cuModuleUnload> handle) : handle_(std::move(handle)) {}
  Handle<ModuleObject, &DriverTable::cuModuleUnload> handle_;
};

// Puts a kernel with one argument into the stream. The argument is copied; an error inside the kernel shows when the stream is
// waited for.
template <typename Argument>
Status Launch(FunctionObject* function, const Extent& grid, const Extent& block, const Argument& argument, const Stream& stream) {
  const Device& device = *stream.device();
  void* parameters[] = {const_cast<Argument*>(&argument)};
  return device.Check(device.table().cuLaunchKernel(function, grid.x, grid.y, grid.z, block.x, block.y, block.z, 0, stream.get(),
                                                    parameters, nullptr),
                      "cuLaunchKernel");
}

}  // namespace im::cuda
