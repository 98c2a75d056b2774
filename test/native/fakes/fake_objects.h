// How stand-ins for TensorRT's libraries make objects: vtables by the measured facts of test/native/data/tensorrt_abi.inc, which
// know nothing of native/tensorrt/table.h, so a call through a wrong slot ends in Wrong() below and not in a lucky hit.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "data/tensorrt_abi.h"
#include "fake_tensorrt.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace fake {

constexpr int kMajor = FAKE_TRT_VERSION / 10000;
constexpr int kErrorSeverity = 1;
constexpr int kInvalidArgument = 3;
constexpr int kFailedAllocation = 5;
constexpr int kInvalidState = 9;

// Of the libnvinfer in this process that the code at hand belongs to. Mutex-free: tests steer it from the thread that makes the
// calls, or between them.
FakeTrtState& State();

struct Dims {
  std::int32_t rank;
  std::int64_t sizes[8];
};

inline int SlotOf(const char* interface, const char* method) {
  const auto* fact = im::trt::abi::FindSlot(kMajor, interface, method);
  return fact == nullptr || fact->since > FAKE_TRT_VERSION ? -1 : fact->slot;
}

[[noreturn]] inline void Wrong() {
  std::fputs("The TensorRT stand-in was called through a slot that should not have been called.\n", stderr);
  std::abort();
}

using Table = std::vector<void*>;

class TableBuilder {
 public:
  explicit TableBuilder(const char* interface) : interface_(interface), table_(128, reinterpret_cast<void*>(Wrong)) {}
  // Leaves out what this version does not have.
  template <typename Function>
  TableBuilder& Add(const char* method, Function function) {
    const int slot = SlotOf(interface_, method);
    if (slot >= 0) table_[static_cast<std::size_t>(slot)] = reinterpret_cast<void*>(function);
    return *this;
  }
  Table Take() { return std::move(table_); }

 private:
  const char* const interface_;
  Table table_;
};

// Calls an interface that the application implements.
template <typename Result, typename... Arguments>
Result CallBack(void* object, const char* interface, const char* method, Arguments... arguments) {
  void** table = *static_cast<void***>(object);
  return reinterpret_cast<Result (*)(void*, Arguments...)>(table[SlotOf(interface, method)])(object, arguments...);
}

struct Reporter {
  void* logger = nullptr;
  void* recorder = nullptr;

  void Report(int code, const std::string& text) const {
    if (logger != nullptr) CallBack<void>(logger, "ILogger", "log", kErrorSeverity, text.c_str());
    if (recorder != nullptr) CallBack<bool>(recorder, "IErrorRecorder", "reportError", code, text.c_str());
  }
  // Whether this call is made to fail.
  bool Injected(const char* method) const {
    const bool by_count = State().fail_at > 0 && --State().fail_at == 0;
    const bool by_name = State().fail_method != nullptr && std::strcmp(State().fail_method, method) == 0;
    if (!by_count && !by_name) return false;
    if (by_name) State().fail_method = nullptr;
    State().failed_method = method;
    if (State().fail_text != nullptr) Report(State().fail_code, State().fail_text);
    return true;
  }
};

// What the caller gets: a vtable with the destructor, and the implementation.
struct Public {
  void** table;
  void* implementation;
};

template <typename Implementation>
void Delete(Public* object) {
  delete static_cast<Implementation*>(object->implementation);
  delete object;
}

template <typename Implementation>
Public* MakePublic(std::unique_ptr<Implementation> implementation) {
  static void* table[2] = {reinterpret_cast<void*>(Wrong), reinterpret_cast<void*>(Delete<Implementation>)};
  return new Public{table, implementation.release()};
}

// Implementations begin with their vtable, as real ones do.
template <typename State>
struct Head {
  void* const* table;
  State state;
};

}  // namespace fake
