// The opened library: one per process, made once and never closed.
//
// A session that is used after its environment was released, and a library that is closed and opened again, both crash;
// and `process.exit` runs the C library's exit handlers while lanes still compute. So nothing here is ever destroyed.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "onnxruntime/table.h"

namespace im::ort {

class Runtime {
 public:
  // Opens the library, or returns the one that is open. A process can have one: another file is refused. Any thread.
  // Takes a few milliseconds: what is slow waits for the first session.
  static Result<const Runtime*> Open(const std::string& path);
  // Null before the first successful Open.
  static const Runtime* Get();

  const Table& table() const { return table_; }
  const std::string& path() const { return path_; }
  const std::string& version() const { return version_; }
  std::uint32_t api() const { return api_; }
  // Made on first use, which takes some 30 ms: the library registers all operators of ONNX. So not on the JavaScript thread.
  // Before this, nothing that logs may be called: there is no default logger.
  Result<OrtEnv*> Environment() const;
  OrtMemoryInfo* cpu_memory() const { return cpu_memory_; }
  OrtAllocator* allocator() const { return allocator_; }

  // Names that were compiled in, such as "CUDAExecutionProvider"; not a promise that they work.
  std::vector<std::string> AvailableProviders() const;
  // Takes the status over.
  Status Check(OrtStatus* status, const char* stage) const;
  // A text that the library allocated: copied and freed. `call` fills it.
  template <typename Call>
  std::string TakeText(Call call) const;

 private:
  static Result<std::unique_ptr<Runtime>> Make(const std::string& path);

  Table table_;
  std::string path_;
  std::string version_;
  std::uint32_t api_ = 0;
  mutable std::mutex environment_mutex_;
  mutable OrtEnv* environment_ = nullptr;
  OrtMemoryInfo* cpu_memory_ = nullptr;
  OrtAllocator* allocator_ = nullptr;
};

// Last record of severity "error" or worse on this thread since ClearLastLog. For failing providers the status often says
// no more than "failed to load", and the reason is only here.
void ClearLastLog();
const std::string& LastLog();
// For SetUserLoggingFunction: an environment that somebody else made first keeps that one's logger, sessions do not.
void RecordLog(void* user, int severity, const char* category, const char* log_id, const char* where, const char* message);

struct Releaser {
  void operator()(OrtSession* object) const { Runtime::Get()->table().ReleaseSession(object); }
  void operator()(OrtSessionOptions* object) const { Runtime::Get()->table().ReleaseSessionOptions(object); }
  void operator()(OrtRunOptions* object) const { Runtime::Get()->table().ReleaseRunOptions(object); }
  void operator()(OrtValue* object) const { Runtime::Get()->table().ReleaseValue(object); }
  void operator()(OrtTypeInfo* object) const { Runtime::Get()->table().ReleaseTypeInfo(object); }
  void operator()(OrtTensorTypeAndShapeInfo* object) const { Runtime::Get()->table().ReleaseTensorTypeAndShapeInfo(object); }
  void operator()(OrtModelMetadata* object) const { Runtime::Get()->table().ReleaseModelMetadata(object); }
  void operator()(OrtCudaProviderOptions* object) const { Runtime::Get()->table().ReleaseCUDAProviderOptions(object); }
  void operator()(OrtTensorRtProviderOptions* object) const { Runtime::Get()->table().ReleaseTensorRTProviderOptions(object); }
};
template <typename T>
using Owned = std::unique_ptr<T, Releaser>;

template <typename Call>
std::string Runtime::TakeText(Call call) const {
  char* text = nullptr;
  if (!Check(call(&text), "onnxruntime").ok() || text == nullptr) return {};
  std::string copy(text);
  if (OrtStatus* status = table_.AllocatorFree(allocator_, text)) table_.ReleaseStatus(status);
  return copy;
}

}  // namespace im::ort
