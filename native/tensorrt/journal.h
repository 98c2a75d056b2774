// What TensorRT says while it works. Its functions answer with null or false; the reason is only here.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "tensorrt/interfaces.h"

namespace im::trt {

// Errors of one engine and its contexts. Any thread.
class Journal final : public ErrorRecorder {
 public:
  std::int32_t getNbErrors() const noexcept override;
  std::int32_t getErrorCode(std::int32_t index) const noexcept override;
  const char* getErrorDesc(std::int32_t index) const noexcept override;
  bool hasOverflowed() const noexcept override;
  void clear() noexcept override;
  bool reportError(std::int32_t code, const char* text) noexcept override;
  // It lives as long as its engine, whoever counts.
  std::int32_t incRefCount() noexcept override { return 1; }
  std::int32_t decRefCount() noexcept override { return 1; }

  // The failure of a call, with what was reported since the last one; `call` as TensorRT's interface writes it.
  Status Failure(const char* stage, const std::string& what, const char* call);

 private:
  struct Entry {
    std::int32_t code;
    std::string text;
  };
  mutable std::mutex mutex_;
  std::vector<Entry> entries_;
  bool overflowed_ = false;
};

// The logger of this process for one major version: made once and never destroyed, as TensorRT keeps the first one that it is
// given.
void* LoggerOf(int major);

// What this thread has logged as warning or worse since the last call.
std::string TakeThreadLog();

}  // namespace im::trt
