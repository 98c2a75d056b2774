// Errors are values: every fallible function below native/napi returns a Status or a Result, and nothing throws.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "base/reason.h"

namespace im {

enum class Code { kOk, kInvalidArgument, kRuntime, kCancelled, kClosed, kOutOfMemory, kCuda, kTensorRt, kOutOfDeviceMemory };

// Names as JavaScript sees them (NativeFailure.nativeCode).
constexpr const char* CodeName(Code code) {
  switch (code) {
    case Code::kOk: return "ok";
    case Code::kInvalidArgument: return "invalid-argument";
    case Code::kRuntime: return "runtime";
    case Code::kCancelled: return "cancelled";
    case Code::kClosed: return "closed";
    case Code::kOutOfMemory: return "out-of-memory";
    case Code::kCuda: return "cuda";
    case Code::kTensorRt: return "tensorrt";
    case Code::kOutOfDeviceMemory: return "out-of-device-memory";
  }
  return "runtime";
}

// The call into somebody else's library that failed, and the number it answered.
struct FailedCall {
  std::string function;
  int number = 0;
};

// What there was too little of, in bytes; nothing where it is not known.
struct MemoryGap {
  std::optional<std::uint64_t> requested;
  std::optional<std::uint64_t> free;
};

class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string stage, std::string message)
      : code_(code), stage_(std::move(stage)), message_(std::move(message)) {}
  Status(Code code, std::string stage, std::string message, FailedCall call)
      : code_(code), stage_(std::move(stage)), message_(std::move(message)), call_(std::move(call)) {}

  bool ok() const { return code_ == Code::kOk; }
  Code code() const { return code_; }
  const std::string& stage() const { return stage_; }
  const std::string& message() const { return message_; }
  const std::optional<FailedCall>& call() const { return call_; }
  Reason reason() const { return reason_; }
  const MemoryGap& memory() const { return memory_; }

  Status With(Reason reason) && {
    reason_ = reason;
    return std::move(*this);
  }
  Status With(const MemoryGap& memory) && {
    memory_ = memory;
    return std::move(*this);
  }

 private:
  Code code_ = Code::kOk;
  std::string stage_;
  std::string message_;
  std::optional<FailedCall> call_;
  Reason reason_ = Reason::kNone;
  MemoryGap memory_;
};

inline Status InvalidArgument(std::string stage, std::string message) {
  return {Code::kInvalidArgument, std::move(stage), std::move(message)};
}

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}         // NOLINT(google-explicit-constructor)
  Result(Status status) : state_(std::move(status)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  T& value() { return std::get<T>(state_); }
  const T& value() const { return std::get<T>(state_); }
  const Status& status() const { return std::get<Status>(state_); }

 private:
  std::variant<T, Status> state_;
};

}  // namespace im

#define IM_RETURN_IF_ERROR(expression)     \
  do {                                     \
    ::im::Status im_status = (expression); \
    if (!im_status.ok()) return im_status; \
  } while (false)
