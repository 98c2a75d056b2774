// A device that is opened for one piece of work, with a stream for it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "cuda/resources.h"

namespace im {

class DeviceBench {
 public:
  static Result<std::unique_ptr<const DeviceBench>> Open(const std::string& cuda_path, int ordinal) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::DriverSearch(cuda_path));
    if (!driver.ok()) return driver.status();
    Result<std::shared_ptr<const cuda::Resources>> opened = cuda::Resources::Open(driver.value(), ordinal);
    if (!opened.ok()) return opened.status();
    Result<cuda::Stream> made = cuda::Stream::Create(opened.value()->device);
    if (!made.ok()) return made.status();
    return std::unique_ptr<const DeviceBench>(new DeviceBench(std::move(opened.value()), std::move(made.value())));
  }
  // Waits for what is in the stream. Memory that was allocated for it has to be given back before.
  ~DeviceBench() {
    (void)stream.Synchronize();
    resources->memory->Forget(stream.get());
  }
  DeviceBench(const DeviceBench&) = delete;
  DeviceBench& operator=(const DeviceBench&) = delete;

  const std::shared_ptr<const cuda::Resources> resources;
  const cuda::Stream stream;

 private:
  DeviceBench(std::shared_ptr<const cuda::Resources> opened, cuda::Stream made)
      : resources(std::move(opened)), stream(std::move(made)) {}
};

}  // namespace im
