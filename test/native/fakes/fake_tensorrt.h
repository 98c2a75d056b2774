// How tests steer the stand-in for TensorRT (fake_tensorrt.cc) that they have opened with dlopen.
#pragma once

#include <dlfcn.h>

#include <cstdint>
#include <cstring>
#include <string>

struct FakeTrtState {
  // The n-th call from now on that can fail does so; 0 = none.
  long fail_at = 0;
  // Or the next call of this method: "enqueueV3".
  const char* fail_method = nullptr;
  // What it reports: TensorRT's ErrorCode and text. Text null = it reports nothing.
  int fail_code = 7;
  const char* fail_text = "injected failure";
  const char* failed_method = nullptr;

  // Alive right now.
  long runtimes = 0;
  long engines = 0;
  long contexts = 0;
  // Builders, networks, configurations, timing caches, serialized memory, parsers.
  long build_objects = 0;
  // Since the start.
  long enqueues = 0;
  bool host_code_allowed = false;

  long alive() const { return runtimes + engines + contexts + build_objects; }

  static FakeTrtState* Attach(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return nullptr;
    const auto state = reinterpret_cast<FakeTrtState* (*)()>(dlsym(library, "fake_trt_state"));
    return state == nullptr ? nullptr : state();
  }
};

// A plan as the stand-in reads it: TensorRT's header, then lines of text:
//   name N / weights BYTES / scratch BYTES / host-code / compute 89 / config ANYTHING
//   in|out NAME TYPE RANK SIZES... [host] [format F] [at N]      size -1: varies; -2: known only after the run
//   profile INDEX NAME RANK MIN... OPT... MAX...
// Every output is the bytes of the first input of its type, repeated or cut, and zeros where there is none, item by item where
// both are batches of one size, from element N of each item on. An output size of -1 is that of the first input at the same
// position, and -2 becomes 3.
inline std::string FakePlan(int major, int minor, int patch, int build, const std::string& lines) {
  std::string plan("ftrt", 4);
  plan.resize(28, '\0');
  const char version[4] = {static_cast<char>(major), static_cast<char>(minor), static_cast<char>(patch),
                           static_cast<char>(build)};
  std::memcpy(plan.data() + 24, version, 4);
  return plan + lines;
}
