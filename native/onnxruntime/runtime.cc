#include "runtime.h"

#include <dlfcn.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

namespace im::ort {
namespace {

constexpr int kSeverityError = 3;
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;
constexpr char kOpenStage[] = "onnxruntime.open";

std::atomic<const Runtime*> the_runtime{nullptr};

// Leaked like the runtime: threads may still log while the process ends.
std::string& LastLogOfThisThread() {
  thread_local auto* text = new std::string();
  return *text;
}

Status OpenFailure(const std::string& path, const std::string& why) {
  return {Code::kRuntime, kOpenStage, "Could not open ONNX Runtime at " + path + ". " + why};
}

bool SameFile(const std::string& a, const std::string& b) {
  std::error_code error;
  return a == b || std::filesystem::equivalent(a, b, error);
}

}  // namespace

void ClearLastLog() { LastLogOfThisThread().clear(); }
const std::string& LastLog() { return LastLogOfThisThread(); }

void RecordLog(void*, int severity, const char*, const char*, const char*, const char* message) {
  if (severity >= kSeverityError && message != nullptr) LastLogOfThisThread() = message;
}

const Runtime* Runtime::Get() { return the_runtime.load(std::memory_order_acquire); }

Result<const Runtime*> Runtime::Open(const std::string& path) {
  static auto* mutex = new std::mutex();
  std::lock_guard<std::mutex> lock(*mutex);
  if (const Runtime* runtime = Get()) {
    if (SameFile(runtime->path_, path)) return runtime;
    return InvalidArgument(kOpenStage, "A process can use one ONNX Runtime: " + runtime->path_ + " (" + runtime->version_ +
                                           ") is open, so " + path + " was not opened.");
  }
  Result<std::unique_ptr<Runtime>> made = Make(path);
  if (!made.ok()) return made.status();
  the_runtime.store(made.value().release(), std::memory_order_release);
  return Get();
}

Result<std::unique_ptr<Runtime>> Runtime::Make(const std::string& path) {
  // The handle is dropped on purpose: closing the library would unmap code that its own threads still run.
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return OpenFailure(path, dlerror());
  auto* get_base = reinterpret_cast<const ApiBase* (*)()>(dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr) return OpenFailure(path, "It is a library, but not ONNX Runtime: it has no OrtGetApiBase.");

  auto runtime = std::make_unique<Runtime>();
  const ApiBase* base = get_base();
  runtime->path_ = path;
  runtime->version_ = base->GetVersionString();
  const std::optional<std::uint32_t> api = ApiOfRelease(runtime->version_);
  if (!api || *api < kMinimumApi) {
    return OpenFailure(
        path, "It is release " + runtime->version_ + "; releases from 1." + std::to_string(kMinimumApi) + " on can be used.");
  }
  runtime->api_ = std::min(*api, kNewestKnownApi);
  const void* slots = base->GetApi(runtime->api_);
  if (slots == nullptr) return OpenFailure(path, "It does not offer interface " + std::to_string(runtime->api_) + ".");
  runtime->table_ = ReadTable(slots, runtime->api_);

  const Table& table = runtime->table_;
  IM_RETURN_IF_ERROR(
      runtime->Check(table.CreateCpuMemoryInfo(kArenaAllocator, kDefaultMemory, &runtime->cpu_memory_), kOpenStage));
  IM_RETURN_IF_ERROR(runtime->Check(table.GetAllocatorWithDefaultOptions(&runtime->allocator_), kOpenStage));
  return runtime;
}

Result<OrtEnv*> Runtime::Environment() const {
  std::lock_guard<std::mutex> lock(environment_mutex_);
  if (environment_ != nullptr) return environment_;
  OrtEnv* made = nullptr;
  IM_RETURN_IF_ERROR(
      Check(table_.CreateEnvWithCustomLogger(RecordLog, nullptr, kSeverityError, "inference-models", &made), kOpenStage));
  IM_RETURN_IF_ERROR(Check(table_.DisableTelemetryEvents(made), kOpenStage));
  environment_ = made;
  return made;
}

std::vector<std::string> Runtime::AvailableProviders() const {
  char** names = nullptr;
  int count = 0;
  if (!Check(table_.GetAvailableProviders(&names, &count), "onnxruntime.providers").ok()) return {};
  std::vector<std::string> providers(names, names + count);
  if (OrtStatus* status = table_.ReleaseAvailableProviders(names, count)) table_.ReleaseStatus(status);
  return providers;
}

Status Runtime::Check(OrtStatus* status, const char* stage) const {
  if (status == nullptr) return {};
  const int code = table_.GetErrorCode(status);
  std::string message = table_.GetErrorMessage(status);
  table_.ReleaseStatus(status);
  if (code == kErrorLoadCancelled) return {Code::kCancelled, stage, std::move(message)};
  if (code == kErrorProvider) return {Code::kRuntime, "onnxruntime.provider", std::move(message)};
  const bool memory =
      message.find("bad_alloc") != std::string::npos || message.find("Failed to allocate memory") != std::string::npos;
  return {memory ? Code::kOutOfMemory : Code::kRuntime, stage, std::move(message)};
}

}  // namespace im::ort
