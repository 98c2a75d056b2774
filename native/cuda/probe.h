// What this machine has of NVIDIA's driver, toolkit and devices. Probes do not fail: what is missing has its reason.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/library.h"
#include "base/status.h"
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

struct MemoryReport {
  std::uint64_t free_bytes = 0;
  std::uint64_t total_bytes = 0;
};

LibrarySearch NvmlSearch(const std::string& configured);
LibrarySearch CudaRuntimeSearch(const std::string& configured);

DriverReport ProbeDriver(const LibrarySearch& search);
// The version is the driver's own: "550.54.15".
LibraryReport ProbeNvml(const LibrarySearch& search);
LibraryReport ProbeCudaRuntime(const LibrarySearch& search);

// How much memory of a device is free at the moment. Only a context tells, so the device's primary one is made for the question
// where nobody has it, and given back: most of a second. Unlike the rest this fails where there is no such device.
Result<MemoryReport> ReadMemory(const LibrarySearch& search, int ordinal);

}  // namespace im::cuda
