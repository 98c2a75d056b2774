// What this machine has of NVIDIA's driver, toolkit and devices. Nothing here fails: what is missing has its reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/library.h"
#include "cuda/driver.h"

namespace im::cuda {

struct LibraryReport {
  std::string path;     // "" = not found
  std::string version;  // "" = not known
  std::string reason;   // "" = nothing went wrong
};

struct DeviceReport {
  std::string name;
  int compute_capability_major = 0;
  int compute_capability_minor = 0;
  std::uint64_t memory_bytes = 0;
  int multiprocessors = 0;
  std::string uuid;  // "" = not known
};

struct DriverReport {
  LibraryReport library;
  // Position = the device's number. The list ends at the first device that cannot be described.
  std::vector<DeviceReport> devices;
};

LibrarySearch NvmlSearch(const std::string& configured);
LibrarySearch CudaRuntimeSearch(const std::string& configured);

DriverReport ProbeDriver(const LibrarySearch& search);
// The version is the driver's own: "550.54.15".
LibraryReport ProbeNvml(const LibrarySearch& search);
LibraryReport ProbeCudaRuntime(const LibrarySearch& search);

}  // namespace im::cuda
