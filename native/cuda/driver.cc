#include "driver.h"

namespace im::cuda {
namespace {

constexpr char kStage[] = "cuda";
constexpr char kOpenStage[] = "cuda.open";

// What to do about a result, "" when there is nothing better to say than its meaning.
const char* Advice(int result) {
  switch (result) {
    case kOutOfMemory:
      return "Use smaller batches or fewer models at once, or end other processes that use the GPU (nvidia-smi lists them).";
    case kStubLibrary:
      return "The toolkit's stub of libcuda was opened instead of the driver: take its folder (.../stubs) out of "
             "LD_LIBRARY_PATH.";
    case kDeviceUnavailable:
      return "Another process holds the GPU exclusively, or it is in prohibited mode (nvidia-smi -q -d COMPUTE).";
    case kNoDevice:
      return "Check that nvidia-smi lists a GPU, that CUDA_VISIBLE_DEVICES does not hide it, and that a container was started "
             "with it (--gpus all).";
    case kInvalidDevice: return "Name a device that nvidia-smi lists, counted from 0.";
    case kNoBinaryForGpu:
    case kUnsupportedPtxVersion: return "The GPU or the driver is outside of what this build was made for: update the driver.";
    case kIllegalAddress:
    case kLaunchTimeout:
    case kAssert:
    case kLaunchFailed: return "After this the process cannot use the GPU any more: restart it.";
    case kSystemNotReady: return "The system still starts up or its fabric manager does not run.";
    case kSystemDriverMismatch: return "The driver was updated while its kernel module runs: restart the machine.";
    case kCompatibilityNotSupported:
      return "A forward-compatibility libcuda was opened on a GPU that does not support it: use the driver's own.";
    default: return "";
  }
}

Reason ReasonOf(int result) {
  switch (result) {
    case kNoDevice: return Reason::kNoGpu;
    case kInvalidDevice: return Reason::kNoSuchGpu;
    default: return Reason::kNone;
  }
}

Status CannotOpen(const Status& failure) {
  if (failure.reason() == Reason::kLibraryMissing) {
    return Status(Code::kCuda, kOpenStage,
                  "There is no NVIDIA driver on this machine: libcuda.so.1 was not found. Install the driver, or name its folder "
                  "with INFERENCE_MODELS_CUDA_LIBRARY_PATH; in a container, start it with the GPU (--gpus all). Looked for: " +
                      failure.message())
        .With(Reason::kDriverMissing);
  }
  return Status(Code::kCuda, kOpenStage,
                "The library of the NVIDIA driver is there but cannot be opened: " + failure.message() +
                    " Install the driver anew, or name the folder of another libcuda.so.1 with "
                    "INFERENCE_MODELS_CUDA_LIBRARY_PATH.")
      .With(Reason::kDriverNotLoadable);
}

}  // namespace

LibrarySearch DriverSearch(const std::string& configured) {
  LibrarySearch search;
  search.names = {"libcuda.so.1"};
  search.configured = configured;
  search.folders = {"/usr/lib/x86_64-linux-gnu",
                    "/usr/lib/aarch64-linux-gnu",
                    "/usr/lib64",
                    "/usr/lib/aarch64-linux-gnu/nvidia",
                    "/usr/lib/aarch64-linux-gnu/tegra",
                    "/usr/lib/wsl/lib",
                    "/usr/local/nvidia/lib64"};
  search.symbol = "cuInit";
  return search;
}

Result<Driver> Driver::Open(const LibrarySearch& search) {
  Result<Library> library = Library::Open(search);
  if (!library.ok()) return CannotOpen(library.status());
  Driver driver;
  driver.path_ = library.value().path();
#define IM_CUDA_READ(symbol, since, parameters)                                         \
  driver.table_.symbol = library.value().Find<decltype(driver.table_.symbol)>(#symbol); \
  if (driver.table_.symbol == nullptr && (since) <= kMinimumCudaVersion && driver.missing_ == nullptr) driver.missing_ = #symbol;
  IM_CUDA_FUNCTIONS(IM_CUDA_READ)
#undef IM_CUDA_READ
  if (driver.table_.cuDriverGetVersion != nullptr && driver.table_.cuDriverGetVersion(&driver.version_) != kSuccess)
    driver.version_ = 0;
  return driver;
}

Status Driver::Initialize() const { return Check(table_.cuInit(0), "cuInit"); }

Status Driver::CountDevices(int* count) const {
  IM_RETURN_IF_ERROR(Check(table_.cuDeviceGetCount(count), "cuDeviceGetCount"));
  if (*count > 0) return {};
  return Status(Code::kCuda, kStage,
                std::string("The NVIDIA driver at ") + path_ + " works but lists no GPU. " + Advice(kNoDevice),
                {"cuDeviceGetCount", 0})
      .With(Reason::kNoGpu);
}

Status Driver::RequireComplete() const {
  const bool older = version_ > 0 && version_ < kMinimumCudaVersion;
  if (missing_ == nullptr && !older) return {};
  const std::string supports = version_ > 0 ? "supports CUDA " + VersionText(version_) : "does not say which CUDA it supports";
  const std::string lacks = missing_ == nullptr ? "" : std::string(" and has no ") + missing_;
  return Status(Code::kCuda, kStage,
                "The NVIDIA driver is too old: " + path_ + " " + supports + lacks + "; CUDA " + VersionText(kMinimumCudaVersion) +
                    " (driver 470) or newer is needed. Update the driver.")
      .With(Reason::kDriverTooOld);
}

Status Driver::Check(int result, const char* function) const {
  if (result == kSuccess) return {};
  const auto describe = [result](int (*call)(int, const char**)) -> std::string {
    const char* text = nullptr;
    return call != nullptr && call(result, &text) == kSuccess && text != nullptr ? text : "";
  };
  const std::string name = describe(table_.cuGetErrorName);
  const std::string meaning = describe(table_.cuGetErrorString);
  const std::string advice = Advice(result);
  std::string message =
      std::string(function) + " failed: " + (name.empty() ? "CUDA error" : name) + " (" + std::to_string(result) + ")";
  if (!meaning.empty()) message += ", " + meaning;
  message += advice.empty() ? "." : ". " + advice;
  return Status(result == kOutOfMemory ? Code::kOutOfDeviceMemory : Code::kCuda, kStage, std::move(message), {function, result})
      .With(ReasonOf(result));
}

std::string VersionText(int version) { return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10); }

}  // namespace im::cuda
