// How tests steer the stand-in for the CUDA driver (fake_cuda.cc) that they have opened with dlopen.
#pragma once

#include <dlfcn.h>

#include <cstddef>
#include <cstdint>

struct FakeCudaState {
  // What the machine looks like.
  int devices = 1;
  int driver_version = 12040;
  int compute_capability = 89;
  std::size_t memory_bytes = std::size_t{1} << 30;
  bool memory_pools = true;

  // The n-th call from now on (counting from 1, over all functions that can fail) answers `fail_code`; 0 = none does.
  long fail_at = 0;
  // Or the next call of this one function.
  const char* fail_function = nullptr;
  int fail_code = 719;
  // Calls so far, and what the last injected failure hit.
  long calls = 0;
  const char* failed_function = nullptr;

  // Alive right now.
  long device_blocks = 0;
  long pinned_blocks = 0;
  long streams = 0;
  long events = 0;
  long modules = 0;
  long graphs = 0;
  long pools = 0;
  long retained_contexts = 0;
  // Since the start.
  long graph_launches = 0;
  long kernel_launches = 0;
  long allocations = 0;

  long alive() const { return device_blocks + pinned_blocks + streams + events + modules + graphs + pools + retained_contexts; }
};

struct FakeCuda {
  FakeCudaState* (*state)() = nullptr;
  // Host memory behind a device address, null when the range is not allocated.
  void* (*host)(std::uint64_t address, std::size_t bytes) = nullptr;
  // Work in a stream's order: carried out when somebody waits for the stream.
  int (*enqueue)(void* stream, void (*run)(void*), void* data, void (*release)(void*)) = nullptr;

  // Of the library that is open under this path or name; members stay null when it is not.
  static FakeCuda Attach(const char* path) {
    FakeCuda fake;
    if (void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
      fake.state = reinterpret_cast<FakeCudaState* (*)()>(dlsym(library, "fake_cuda_state"));
      fake.host = reinterpret_cast<void* (*)(std::uint64_t, std::size_t)>(dlsym(library, "fake_cuda_host"));
      fake.enqueue =
          reinterpret_cast<int (*)(void*, void (*)(void*), void*, void (*)(void*))>(dlsym(library, "fake_cuda_enqueue"));
    }
    return fake;
  }
};
