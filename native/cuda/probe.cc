#include "probe.h"

#include <array>
#include <cstdio>

#include "cuda/device.h"

namespace im::cuda {
namespace {

std::string UuidText(const Uuid& uuid) {
  std::string text = "GPU-";
  for (int i = 0; i < 16; ++i) {
    std::array<char, 3> digits{};
    std::snprintf(digits.data(), digits.size(), "%02x", uuid.bytes[i]);
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += digits.data();
  }
  return text;
}

Status Describe(const Driver& driver, int ordinal, DeviceReport& report) {
  const DriverTable& table = driver.table();
  DeviceNumber device = 0;
  IM_RETURN_IF_ERROR(driver.Check(table.cuDeviceGet(&device, ordinal), "cuDeviceGet"));
  std::array<char, 256> name{};
  IM_RETURN_IF_ERROR(
      driver.Check(table.cuDeviceGetName(name.data(), static_cast<int>(name.size()) - 1, device), "cuDeviceGetName"));
  report.name = name.data();
  std::size_t bytes = 0;
  IM_RETURN_IF_ERROR(driver.Check(table.cuDeviceTotalMem_v2(&bytes, device), "cuDeviceTotalMem"));
  report.memory_bytes = bytes;
  const auto attribute = [&](DeviceAttribute which, int* value) {
    return driver.Check(table.cuDeviceGetAttribute(value, which, device), "cuDeviceGetAttribute");
  };
  IM_RETURN_IF_ERROR(attribute(kMultiprocessorCount, &report.multiprocessors));
  IM_RETURN_IF_ERROR(attribute(kComputeCapabilityMajor, &report.compute_capability_major));
  IM_RETURN_IF_ERROR(attribute(kComputeCapabilityMinor, &report.compute_capability_minor));
  Uuid uuid{};
  if (table.cuDeviceGetUuid != nullptr && table.cuDeviceGetUuid(&uuid, device) == kSuccess) report.uuid = UuidText(uuid);
  return {};
}

Status ListDevices(const Driver& driver, std::vector<DeviceReport>& devices) {
  IM_RETURN_IF_ERROR(driver.RequireComplete());
  IM_RETURN_IF_ERROR(driver.Initialize());
  int count = 0;
  IM_RETURN_IF_ERROR(driver.CountDevices(&count));
  for (int ordinal = 0; ordinal < count; ++ordinal) {
    DeviceReport report;
    const Status status = Describe(driver, ordinal, report);
    if (!status.ok()) return {status.code(), status.stage(), "Device " + std::to_string(ordinal) + ": " + status.message()};
    devices.push_back(std::move(report));
  }
  return {};
}

const std::vector<std::string> kToolkitFolders = {"/usr/local/cuda/lib64",
                                                  "/usr/local/cuda/targets/x86_64-linux/lib",
                                                  "/usr/local/cuda/targets/aarch64-linux/lib",
                                                  "/usr/lib/x86_64-linux-gnu",
                                                  "/usr/lib/aarch64-linux-gnu",
                                                  "/usr/lib64",
                                                  "/opt/cuda/lib64"};

}  // namespace

LibrarySearch NvmlSearch(const std::string& configured) {
  LibrarySearch search = DriverSearch(configured);
  search.names = {"libnvidia-ml.so.1"};
  search.symbol = "nvmlSystemGetDriverVersion";
  return search;
}

LibrarySearch CudaRuntimeSearch(const std::string& configured) {
  LibrarySearch search;
  search.names = {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0", "libcudart.so"};
  search.configured = configured;
  search.folders = kToolkitFolders;
  search.symbol = "cudaRuntimeGetVersion";
  return search;
}

DriverReport ProbeDriver(const LibrarySearch& search) {
  DriverReport report;
  const Result<Driver> opened = Driver::Open(search);
  if (!opened.ok()) {
    report.library.reason = opened.status().message();
    return report;
  }
  const Driver& driver = opened.value();
  report.library.path = driver.path();
  if (driver.version() > 0) report.library.version = VersionText(driver.version());
  const Status listed = ListDevices(driver, report.devices);
  report.library.reason = listed.message();
  return report;
}

LibraryReport ProbeNvml(const LibrarySearch& search) {
  LibraryReport report;
  const Result<Library> opened = Library::Open(search);
  if (!opened.ok()) {
    report.reason = opened.status().message();
    return report;
  }
  const Library& library = opened.value();
  report.path = library.path();
  const auto start = library.Find<int (*)()>("nvmlInit_v2");
  const auto stop = library.Find<int (*)()>("nvmlShutdown");
  const auto explain = library.Find<const char* (*)(int)>("nvmlErrorString");
  const auto version = library.Find<int (*)(char*, unsigned)>("nvmlSystemGetDriverVersion");
  if (start == nullptr || stop == nullptr) {
    report.reason = report.path + " has no nvmlInit_v2 or no nvmlShutdown.";
    return report;
  }
  const auto failed = [&](const char* function, int result) {
    const char* meaning = explain == nullptr ? nullptr : explain(result);
    report.reason = std::string(function) + " failed with " + std::to_string(result) +
                    (meaning == nullptr ? "" : std::string(", ") + meaning) + ".";
  };
  if (const int result = start(); result != 0) {
    failed("nvmlInit_v2", result);
    return report;
  }
  std::array<char, 96> text{};
  if (const int result = version(text.data(), static_cast<unsigned>(text.size()) - 1); result != 0)
    failed("nvmlSystemGetDriverVersion", result);
  else report.version = text.data();
  stop();
  return report;
}

LibraryReport ProbeCudaRuntime(const LibrarySearch& search) {
  LibraryReport report;
  const Result<Library> opened = Library::Open(search);
  if (!opened.ok()) {
    report.reason = opened.status().message();
    return report;
  }
  report.path = opened.value().path();
  int version = 0;
  const int result = opened.value().Find<int (*)(int*)>("cudaRuntimeGetVersion")(&version);
  if (result == 0) report.version = VersionText(version);
  else report.reason = "cudaRuntimeGetVersion failed with " + std::to_string(result) + ".";
  return report;
}

Result<MemoryReport> ReadMemory(const LibrarySearch& search, int ordinal) {
  const Result<Driver> driver = Driver::Open(search);
  if (!driver.ok()) return driver.status();
  const Result<std::shared_ptr<const Device>> device = Device::Open(driver.value(), ordinal);
  if (!device.ok()) return device.status();
  std::size_t free = 0;
  std::size_t total = 0;
  IM_RETURN_IF_ERROR(device.value()->MemoryInfo(&free, &total));
  return MemoryReport{free, total};
}

}  // namespace im::cuda
