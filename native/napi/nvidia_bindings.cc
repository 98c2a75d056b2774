// probeNvidia and readDeviceMemory (src/native/addon.ts). Opening these libraries may take most of a second, so it has a thread
// of its own: the compute threads stay with the pictures.
#include "nvidia_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "cuda/probe.h"
#include "environment.h"
#include "lane_task.h"
#include "tensorrt/library.h"

namespace im {
namespace {

constexpr char kStage[] = "nvidia.probe";
constexpr char kMemoryStage[] = "nvidia.memory";
// As for engines: src/engines/tensorrt/options.ts.
constexpr std::int64_t kMaximumOrdinal = 1023;

Napi::Value TextOrNull(Napi::Env env, const std::string& text) {
  return text.empty() ? env.Null() : Napi::String::New(env, text).As<Napi::Value>();
}

Napi::Object DescribeLibrary(Napi::Env env, const std::string& path, const std::string& version, const std::string& reason) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("path", TextOrNull(env, path));
  result.Set("version", TextOrNull(env, version));
  result.Set("reason", TextOrNull(env, reason));
  return result;
}

Napi::Object DescribeLibrary(Napi::Env env, const cuda::LibraryReport& report) {
  return DescribeLibrary(env, report.path, report.version, report.reason);
}

Napi::Object DescribeDevice(Napi::Env env, const cuda::DeviceReport& device) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", device.name);
  result.Set("computeCapability",
             std::to_string(device.compute_capability_major) + "." + std::to_string(device.compute_capability_minor));
  result.Set("memoryBytes", static_cast<double>(device.memory_bytes));
  result.Set("multiprocessors", device.multiprocessors);
  result.Set("uuid", device.uuid);
  return result;
}

class ProbeTask : public LaneTask {
 public:
  ProbeTask(Napi::Env env, std::shared_ptr<Lanes> lanes, std::string cuda_path, std::string tensorrt_path)
      : LaneTask(env, std::move(lanes), kStage), cuda_path_(std::move(cuda_path)), tensorrt_path_(std::move(tensorrt_path)) {}

  Status Execute() override {
    driver_ = cuda::ProbeDriver(cuda::DriverSearch(cuda_path_));
    nvml_ = cuda::ProbeNvml(cuda::NvmlSearch(cuda_path_));
    runtime_ = cuda::ProbeCudaRuntime(cuda::CudaRuntimeSearch(cuda_path_));
    infer_ = trt::FindInferLibraries(tensorrt_path_);
    parser_ = trt::FindParser(tensorrt_path_);
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("driver", DescribeLibrary(env, driver_.library));
    result.Set("nvml", DescribeLibrary(env, nvml_));
    result.Set("cudaRuntime", DescribeLibrary(env, runtime_));
    Napi::Array devices = Napi::Array::New(env, driver_.devices.size());
    for (std::size_t i = 0; i < driver_.devices.size(); ++i) {
      devices.Set(static_cast<std::uint32_t>(i), DescribeDevice(env, driver_.devices[i]));
    }
    result.Set("devices", devices);
    Napi::Array infer = Napi::Array::New(env, infer_.size());
    for (std::size_t i = 0; i < infer_.size(); ++i) {
      Napi::Object library = DescribeLibrary(env, infer_[i].path, infer_[i].version, infer_[i].reason);
      library.Set("kind", trt::KindName(infer_[i].kind));
      infer.Set(static_cast<std::uint32_t>(i), library);
    }
    result.Set("tensorRt", infer);
    result.Set("onnxParser", DescribeLibrary(env, parser_.path, parser_.version, parser_.reason));
    return result;
  }

 private:
  const std::string cuda_path_;
  const std::string tensorrt_path_;
  cuda::DriverReport driver_;
  cuda::LibraryReport nvml_;
  cuda::LibraryReport runtime_;
  std::vector<trt::FoundLibrary> infer_;
  trt::FoundLibrary parser_;
};

class MemoryTask : public LaneTask {
 public:
  MemoryTask(Napi::Env env, std::shared_ptr<Lanes> lanes, std::string cuda_path, int ordinal)
      : LaneTask(env, std::move(lanes), kMemoryStage), cuda_path_(std::move(cuda_path)), ordinal_(ordinal) {}

  Status Execute() override {
    const Result<cuda::MemoryReport> report = cuda::ReadMemory(cuda::DriverSearch(cuda_path_), ordinal_);
    if (!report.ok()) return report.status();
    report_ = report.value();
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    result.Set("freeBytes", static_cast<double>(report_.free_bytes));
    result.Set("totalBytes", static_cast<double>(report_.total_bytes));
    return result;
  }

 private:
  const std::string cuda_path_;
  const int ordinal_;
  cuda::MemoryReport report_;
};

// Per JavaScript environment.
struct Prober {
  std::shared_ptr<StoppableLanes> lanes;
};

Napi::Value ProbeNvidia(const Napi::CallbackInfo& info, Prober* prober) {
  const Napi::Env env = info.Env();
  Napi::Object options = RequireObject(info[0], "options");
  std::string cuda_path = RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath");
  std::string tensorrt_path = RequireString(Field(options, "tensorRtLibraryPath"), "options.tensorRtLibraryPath");
  const std::shared_ptr<Lanes>& lanes = LanesOf(env, prober->lanes, 1);
  return LaneTask::Submit(env, std::make_unique<ProbeTask>(env, lanes, std::move(cuda_path), std::move(tensorrt_path)),
                          env.Null());
}

Napi::Value ReadDeviceMemory(const Napi::CallbackInfo& info, Prober* prober) {
  const Napi::Env env = info.Env();
  Napi::Object options = RequireObject(info[0], "options");
  std::string cuda_path = RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath");
  const auto ordinal = static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, kMaximumOrdinal));
  const std::shared_ptr<Lanes>& lanes = LanesOf(env, prober->lanes, 1);
  return LaneTask::Submit(env, std::make_unique<MemoryTask>(env, lanes, std::move(cuda_path), ordinal), env.Null());
}

}  // namespace

void ExportNvidia(Napi::Env env, Napi::Object exports) {
  auto* prober = new Prober();
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Prober*>(data); }, prober);
  exports.Set(
      "probeNvidia",
      Napi::Function::New(env, [prober](const Napi::CallbackInfo& info) { return ProbeNvidia(info, prober); }, "probeNvidia"));
  exports.Set("readDeviceMemory",
              Napi::Function::New(
                  env, [prober](const Napi::CallbackInfo& info) { return ReadDeviceMemory(info, prober); }, "readDeviceMemory"));
}

}  // namespace im
