// A stand-in for libcuda.so.1: the functions of native/cuda/driver_table.h without a GPU.
//
// Work on a stream is put off until somebody waits for it, so code that forgets to wait reads what was there before, every
// time. Device addresses are no addresses of the process: touching them from the host crashes. Memory starts as 0xCD. Any call
// can be made to fail, and everything that is alive is counted.
//
// It is no driver for NVIDIA's own libraries, which verify that theirs is genuine.
#include "fake_cuda.h"
#include "kernel_twins.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <unistd.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Code {
  kOk = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kNotInitialized = 3,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kInvalidContext = 201,
  kInvalidHandle = 400,
  kNotFound = 500,
  kIllegalAddress = 700,
  kCaptureUnsupported = 900,
  kCaptureInvalidated = 901,
};

using Operation = std::shared_ptr<std::function<void()>>;

struct Stream {
  std::deque<Operation> queue;
  std::uint64_t queued = 0;
  std::uint64_t done = 0;
  bool capturing = false;
  bool invalidated = false;
  std::vector<Operation> captured;
};

struct Event {
  Stream* stream = nullptr;
  std::uint64_t position = 0;
};

struct Graph {
  std::vector<Operation> operations;
};

struct Module {};

// One lock for everything: what matters here is order, not speed.
std::recursive_mutex g_mutex;
FakeCudaState g_state;
bool g_initialized = false;
int g_sticky = kOk;
std::map<std::uint64_t, std::vector<unsigned char>> g_device_memory;
std::map<void*, std::size_t> g_pinned;
std::map<Stream*, std::unique_ptr<Stream>> g_streams;
std::map<Event*, std::unique_ptr<Event>> g_events;
std::map<Module*, std::unique_ptr<Module>> g_modules;
std::map<Graph*, std::unique_ptr<Graph>> g_graphs;
std::map<int*, std::unique_ptr<int>> g_pools;
std::uint64_t g_next_address = 0xD000000000000000u;
std::size_t g_used = 0;
int g_context[16];
thread_local int* t_context = nullptr;
thread_local Stream* t_capturing = nullptr;

void ReadEnvironment() {
  static const bool once = [] {
    const auto number = [](const char* name, long otherwise) {
      const char* text = std::getenv(name);
      return text == nullptr || *text == 0 ? otherwise : std::strtol(text, nullptr, 0);
    };
    g_state.devices = static_cast<int>(number("FAKE_CUDA_DEVICES", g_state.devices));
    g_state.driver_version = static_cast<int>(number("FAKE_CUDA_VERSION", g_state.driver_version));
    g_state.compute_capability = static_cast<int>(number("FAKE_CUDA_SM", g_state.compute_capability));
    g_state.memory_bytes = static_cast<std::size_t>(number("FAKE_CUDA_MEMORY", static_cast<long>(g_state.memory_bytes)));
    if (const char* function = std::getenv("FAKE_CUDA_FAIL")) g_state.fail_function = function;
    g_state.fail_code = static_cast<int>(number("FAKE_CUDA_FAIL_CODE", g_state.fail_code));
    return true;
  }();
  (void)once;
}

// While the file that FAKE_CUDA_HOLD names is there, the device gets nowhere: who waits for its work goes on waiting. Before any
// lock.
void WaitWhileHeld() {
  static const char* const path = std::getenv("FAKE_CUDA_HOLD");
  while (path != nullptr && access(path, F_OK) == 0) usleep(500);
}

// While the file that FAKE_CUDA_HOLD_STREAM names is there, the stream that the first event was recorded in since then gets
// nowhere, and the others go on.
Stream* g_held = nullptr;

bool IsHoldingOneStream() {
  static const char* const path = std::getenv("FAKE_CUDA_HOLD_STREAM");
  const bool holding = path != nullptr && access(path, F_OK) == 0;
  if (!holding) g_held = nullptr;
  return holding;
}

// `stream_of`: asked with the lock.
template <typename StreamOf>
void WaitWhileHeld(StreamOf stream_of) {
  WaitWhileHeld();
  while (true) {
    {
      const std::lock_guard<std::recursive_mutex> lock(g_mutex);
      if (!IsHoldingOneStream() || g_held == nullptr || stream_of() != g_held) return;
    }
    usleep(500);
  }
}

int Injected(const char* function) {
  ReadEnvironment();
  ++g_state.calls;
  const bool by_count = g_state.fail_at > 0 && --g_state.fail_at == 0;
  const bool by_name = g_state.fail_function != nullptr && std::strcmp(g_state.fail_function, function) == 0;
  if (!by_count && !by_name) return kOk;
  if (by_name) g_state.fail_function = nullptr;
  g_state.failed_function = function;
  return g_state.fail_code;
}

// What every function begins with. Those that release something do it even when they are made to fail, as the real ones do:
// they report what went wrong before.
#define ENTER()                                              \
  const std::lock_guard<std::recursive_mutex> lock(g_mutex); \
  const int injected = Injected(__func__);                   \
  (void)injected
#define FAIL_IF_INJECTED() \
  if (injected != kOk) return injected
#define NEED_INIT() \
  if (!g_initialized) return kNotInitialized
#define NEED_CONTEXT() \
  NEED_INIT();         \
  if (t_context == nullptr) return kInvalidContext
// Calls that may wait for the device spoil the capture of the thread they are made on.
#define NOT_WHILE_CAPTURING()        \
  if (t_capturing != nullptr) {      \
    t_capturing->invalidated = true; \
    return kCaptureUnsupported;      \
  }                                  \
  (void)0

void* HostOf(std::uint64_t address, std::size_t bytes) {
  auto after = g_device_memory.upper_bound(address);
  if (after == g_device_memory.begin()) return nullptr;
  auto& [begin, memory] = *--after;
  const std::uint64_t offset = address - begin;
  return offset <= memory.size() && bytes <= memory.size() - offset ? memory.data() + offset : nullptr;
}

bool IsPinned(const void* data, std::size_t bytes) {
  auto after = g_pinned.upper_bound(const_cast<void*>(data));
  if (after == g_pinned.begin()) return false;
  const auto& [begin, size] = *--after;
  const auto offset = static_cast<std::size_t>(static_cast<const char*>(data) - static_cast<const char*>(begin));
  return offset <= size && bytes <= size - offset;
}

Stream* Find(void* handle) {
  const auto found = g_streams.find(static_cast<Stream*>(handle));
  return found == g_streams.end() ? nullptr : found->second.get();
}

void RunUntil(Stream& stream, std::uint64_t position) {
  while (stream.done < position && !stream.queue.empty()) {
    const Operation operation = std::move(stream.queue.front());
    stream.queue.pop_front();
    (*operation)();
    ++stream.done;
  }
}

void Drain(Stream& stream) { RunUntil(stream, stream.queued); }

void DrainAll() {
  for (auto& [handle, stream] : g_streams) Drain(*stream);
}

int Enqueue(void* handle, std::function<void()> run) {
  Stream* stream = Find(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (g_sticky != kOk) return g_sticky;
  auto operation = std::make_shared<std::function<void()>>(std::move(run));
  if (stream->capturing) {
    stream->captured.push_back(std::move(operation));
  } else {
    stream->queue.push_back(std::move(operation));
    ++stream->queued;
  }
  return kOk;
}

int Allocate(std::uint64_t* address, std::size_t bytes) {
  if (bytes == 0) return kInvalidValue;
  if (bytes > g_state.memory_bytes || g_used > g_state.memory_bytes - bytes) return kOutOfMemory;
  *address = g_next_address;
  g_next_address += (bytes / 512 + 2) * 512;  // never adjacent: running off one block does not hit the next
  g_device_memory.emplace(*address, std::vector<unsigned char>(bytes, 0xCD));
  g_used += bytes;
  ++g_state.device_blocks;
  ++g_state.allocations;
  return kOk;
}

int Free(std::uint64_t address) {
  const auto found = g_device_memory.find(address);
  if (found == g_device_memory.end()) return kInvalidValue;
  g_used -= found->second.size();
  g_device_memory.erase(found);
  --g_state.device_blocks;
  return kOk;
}

struct ErrorText {
  int code;
  const char* name;
  const char* text;
};
constexpr ErrorText kErrors[] = {
    {kOk, "CUDA_SUCCESS", "no error"},
    {kInvalidValue, "CUDA_ERROR_INVALID_VALUE", "invalid argument"},
    {kOutOfMemory, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {kNotInitialized, "CUDA_ERROR_NOT_INITIALIZED", "initialization error"},
    {kNoDevice, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {kInvalidDevice, "CUDA_ERROR_INVALID_DEVICE", "invalid device ordinal"},
    {kInvalidContext, "CUDA_ERROR_INVALID_CONTEXT", "invalid device context"},
    {kIllegalAddress, "CUDA_ERROR_ILLEGAL_ADDRESS", "an illegal memory access was encountered"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {kCaptureUnsupported, "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", "operation not permitted when stream is capturing"},
};

int ErrorTextOf(int code, const char** out, const char* ErrorText::* member) {
  *out = nullptr;
  for (const ErrorText& error : kErrors) {
    if (error.code == code) *out = error.*member;
  }
  return *out == nullptr ? kInvalidValue : kOk;
}

}  // namespace

// ---------------------------------------------------------------------------------------------------------------- steering

EXPORT FakeCudaState* fake_cuda_state() {
  const std::lock_guard<std::recursive_mutex> lock(g_mutex);
  ReadEnvironment();
  return &g_state;
}

EXPORT void* fake_cuda_host(std::uint64_t address, std::size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(g_mutex);
  return HostOf(address, bytes);
}

EXPORT int fake_cuda_enqueue(void* stream, void (*run)(void*), void* data, void (*release)(void*)) {
  const std::lock_guard<std::recursive_mutex> lock(g_mutex);
  const std::shared_ptr<void> owned(data, release);  // a captured operation runs any number of times
  return Enqueue(stream, [run, owned] { run(owned.get()); });
}

// --------------------------------------------------------------------------------------------------- devices and contexts

EXPORT int cuInit(unsigned flags) {
  ENTER();
  FAIL_IF_INJECTED();
  if (flags != 0) return kInvalidValue;
  if (g_state.devices <= 0) return kNoDevice;
  g_initialized = true;
  return kOk;
}

EXPORT int cuDriverGetVersion(int* version) {
  const std::lock_guard<std::recursive_mutex> lock(g_mutex);
  ReadEnvironment();
  *version = g_state.driver_version;
  return kOk;
}

EXPORT int cuGetErrorName(int code, const char** text) { return ErrorTextOf(code, text, &ErrorText::name); }
EXPORT int cuGetErrorString(int code, const char** text) { return ErrorTextOf(code, text, &ErrorText::text); }

EXPORT int cuDeviceGetCount(int* count) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  *count = g_state.devices;
  return kOk;
}

EXPORT int cuDeviceGet(int* device, int ordinal) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  if (ordinal < 0 || ordinal >= g_state.devices) return kInvalidDevice;
  *device = ordinal;
  return kOk;
}

EXPORT int cuDeviceGetName(char* text, int bytes, int device) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  std::snprintf(text, static_cast<std::size_t>(bytes), "Stand-in GPU %d", device);
  return kOk;
}

EXPORT int cuDeviceGetUuid(unsigned char* uuid, int device) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  for (int i = 0; i < 16; ++i) uuid[i] = static_cast<unsigned char>(i * 16 + device);
  return kOk;
}

EXPORT int cuDeviceTotalMem_v2(std::size_t* bytes, int) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  *bytes = g_state.memory_bytes;
  return kOk;
}

EXPORT int cuDeviceGetAttribute(int* value, int attribute, int) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  switch (attribute) {
    case 16: *value = 58; break;
    case 75: *value = g_state.compute_capability / 10; break;
    case 76: *value = g_state.compute_capability % 10; break;
    case 115: *value = g_state.memory_pools ? 1 : 0; break;
    default: *value = 0;
  }
  return kOk;
}

EXPORT int cuDevicePrimaryCtxRetain(void** context, int device) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  if (device < 0 || device >= g_state.devices || device >= 16) return kInvalidDevice;
  ++g_context[device];
  ++g_state.retained_contexts;
  *context = &g_context[device];
  return kOk;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  ENTER();
  NEED_INIT();
  if (device < 0 || device >= 16 || g_context[device] == 0) return kInvalidContext;
  --g_context[device];
  --g_state.retained_contexts;
  return injected;
}

EXPORT int cuCtxSetCurrent(void* context) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  t_context = static_cast<int*>(context);
  return kOk;
}

// ------------------------------------------------------------------------------------------------------------------ memory

EXPORT int cuMemGetInfo_v2(std::size_t* free, std::size_t* total) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  *total = g_state.memory_bytes;
  *free = g_state.memory_bytes - g_used;
  return kOk;
}

EXPORT int cuMemAlloc_v2(std::uint64_t* address, std::size_t bytes) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  NOT_WHILE_CAPTURING();
  return Allocate(address, bytes);
}

EXPORT int cuMemFree_v2(std::uint64_t address) {
  ENTER();
  NEED_CONTEXT();
  NOT_WHILE_CAPTURING();
  DrainAll();
  const int result = Free(address);
  return injected != kOk ? injected : result;
}

EXPORT int cuMemHostAlloc(void** data, std::size_t bytes, unsigned) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  NOT_WHILE_CAPTURING();
  *data = bytes == 0 ? nullptr : std::aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
  if (*data == nullptr) return kOutOfMemory;
  std::memset(*data, 0xCD, bytes);
  g_pinned.emplace(*data, bytes);
  ++g_state.pinned_blocks;
  return kOk;
}

EXPORT int cuMemFreeHost(void* data) {
  ENTER();
  NEED_CONTEXT();
  NOT_WHILE_CAPTURING();
  DrainAll();
  if (g_pinned.erase(data) == 0) return kInvalidValue;
  std::free(data);
  --g_state.pinned_blocks;
  return injected;
}

EXPORT int cuMemAllocFromPoolAsync(std::uint64_t* address, std::size_t bytes, void* pool, void* stream) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  return Find(stream) == nullptr || g_pools.count(static_cast<int*>(pool)) == 0 ? kInvalidHandle : Allocate(address, bytes);
}

EXPORT int cuMemFreeAsync(std::uint64_t address, void* stream) {
  ENTER();
  NEED_CONTEXT();
  const int result = Enqueue(stream, [address] {
    if (Free(address) != kOk) g_sticky = kIllegalAddress;
  });
  return injected != kOk ? injected : result;
}

EXPORT int cuMemPoolCreate(void** pool, const void*) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  auto made = std::make_unique<int>(0);
  *pool = made.get();
  g_pools.emplace(made.get(), std::move(made));
  ++g_state.pools;
  return kOk;
}

EXPORT int cuMemPoolDestroy(void* pool) {
  ENTER();
  NEED_INIT();
  if (g_pools.erase(static_cast<int*>(pool)) == 0) return kInvalidHandle;
  --g_state.pools;
  return injected;
}

EXPORT int cuMemPoolSetAttribute(void*, int, void*) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_INIT();
  return kOk;
}

EXPORT int cuMemcpyHtoDAsync_v2(std::uint64_t to, const void* from, std::size_t bytes, void* stream) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  if (HostOf(to, bytes) == nullptr) return kInvalidValue;
  // Pageable memory is staged at the call; pinned memory is read when the copy is carried out.
  std::shared_ptr<std::vector<char>> staged;
  if (!IsPinned(from, bytes)) {
    staged = std::make_shared<std::vector<char>>(static_cast<const char*>(from), static_cast<const char*>(from) + bytes);
  }
  return Enqueue(stream, [to, from, bytes, staged] {
    void* target = HostOf(to, bytes);
    if (target == nullptr) g_sticky = kIllegalAddress;
    else std::memcpy(target, staged == nullptr ? from : staged->data(), bytes);
  });
}

EXPORT int cuMemcpyDtoDAsync_v2(std::uint64_t to, std::uint64_t from, std::size_t bytes, void* stream) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  if (HostOf(to, bytes) == nullptr || HostOf(from, bytes) == nullptr) return kInvalidValue;
  return Enqueue(stream, [to, from, bytes] {
    void* target = HostOf(to, bytes);
    const void* source = HostOf(from, bytes);
    if (target == nullptr || source == nullptr) g_sticky = kIllegalAddress;
    else std::memmove(target, source, bytes);
  });
}

EXPORT int cuMemcpyDtoHAsync_v2(void* to, std::uint64_t from, std::size_t bytes, void* stream) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  if (HostOf(from, bytes) == nullptr) return kInvalidValue;
  const int result = Enqueue(stream, [to, from, bytes] {
    const void* source = HostOf(from, bytes);
    if (source == nullptr) g_sticky = kIllegalAddress;
    else std::memcpy(to, source, bytes);
  });
  if (result == kOk && !IsPinned(to, bytes)) {  // a copy to pageable memory waits
    NOT_WHILE_CAPTURING();
    Drain(*Find(stream));
  }
  return result;
}

EXPORT int cuMemsetD8Async(std::uint64_t to, unsigned char value, std::size_t bytes, void* stream) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  if (HostOf(to, bytes) == nullptr) return kInvalidValue;
  return Enqueue(stream, [to, value, bytes] {
    void* target = HostOf(to, bytes);
    if (target == nullptr) g_sticky = kIllegalAddress;
    else std::memset(target, value, bytes);
  });
}

// ------------------------------------------------------------------------------------------------------ streams and events

EXPORT int cuStreamCreate(void** handle, unsigned) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  auto stream = std::make_unique<Stream>();
  *handle = stream.get();
  g_streams.emplace(stream.get(), std::move(stream));
  ++g_state.streams;
  return kOk;
}

EXPORT int cuStreamDestroy_v2(void* handle) {
  ENTER();
  NEED_CONTEXT();
  Stream* stream = Find(handle);
  if (stream == nullptr) return kInvalidHandle;
  Drain(*stream);
  if (t_capturing == stream) t_capturing = nullptr;
  for (auto& [key, event] : g_events) {
    if (event->stream == stream) event->stream = nullptr;
  }
  g_streams.erase(stream);
  --g_state.streams;
  return injected;
}

EXPORT int cuStreamSynchronize(void* handle) {
  WaitWhileHeld([handle] { return Find(handle); });
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  Stream* stream = Find(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (stream->capturing) {
    stream->invalidated = true;
    return kCaptureUnsupported;
  }
  Drain(*stream);
  return g_sticky;
}

EXPORT int cuEventCreate(void** handle, unsigned) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  auto event = std::make_unique<Event>();
  *handle = event.get();
  g_events.emplace(event.get(), std::move(event));
  ++g_state.events;
  return kOk;
}

EXPORT int cuEventDestroy_v2(void* handle) {
  ENTER();
  NEED_CONTEXT();
  if (g_events.erase(static_cast<Event*>(handle)) == 0) return kInvalidHandle;
  --g_state.events;
  return injected;
}

EXPORT int cuEventRecord(void* handle, void* stream_handle) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  const auto found = g_events.find(static_cast<Event*>(handle));
  Stream* stream = Find(stream_handle);
  if (found == g_events.end() || stream == nullptr) return kInvalidHandle;
  if (stream->capturing) return kOk;
  if (IsHoldingOneStream() && g_held == nullptr) g_held = stream;
  found->second->stream = stream;
  found->second->position = stream->queued;
  return g_sticky;
}

EXPORT int cuStreamWaitEvent(void* stream, void* handle, unsigned) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  const auto found = g_events.find(static_cast<Event*>(handle));
  if (found == g_events.end()) return kInvalidHandle;
  Stream* other = found->second->stream;
  const std::uint64_t position = found->second->position;
  return Enqueue(stream, [other, position] {
    if (Find(other) != nullptr) RunUntil(*other, position);
  });
}

EXPORT int cuEventSynchronize(void* handle) {
  WaitWhileHeld([handle]() -> Stream* {
    const auto found = g_events.find(static_cast<Event*>(handle));
    return found == g_events.end() ? nullptr : found->second->stream;
  });
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  const auto found = g_events.find(static_cast<Event*>(handle));
  if (found == g_events.end()) return kInvalidHandle;
  if (found->second->stream != nullptr) RunUntil(*found->second->stream, found->second->position);
  return g_sticky;
}

EXPORT int cuEventElapsedTime(float* milliseconds, void*, void*) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  *milliseconds = 1.5f;
  return kOk;
}

// ---------------------------------------------------------------------------------------------------- modules and kernels

EXPORT int cuModuleLoadDataEx(void** handle, const void* image, unsigned count, int* options, void** values) {
  ENTER();
  if (injected != kOk) {
    for (unsigned i = 0; i < count; ++i) {
      if (options[i] == 5) std::strcpy(static_cast<char*>(values[i]), "ptxas fatal : injected");
    }
  }
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  std::uint32_t magic = 0;
  std::memcpy(&magic, image, sizeof magic);
  const bool known = magic == 0xba55ed50u || std::memcmp(image, "\177ELF", 4) == 0 ||
                     std::strstr(static_cast<const char*>(image), ".version") != nullptr;
  if (!known) return kInvalidImage;
  auto loaded = std::make_unique<Module>();
  *handle = loaded.get();
  g_modules.emplace(loaded.get(), std::move(loaded));
  ++g_state.modules;
  return kOk;
}

EXPORT int cuModuleUnload(void* handle) {
  ENTER();
  NEED_CONTEXT();
  if (g_modules.erase(static_cast<Module*>(handle)) == 0) return kInvalidHandle;
  --g_state.modules;
  return injected;
}

EXPORT int cuModuleGetFunction(void** function, void*, const char* name) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  // Kernels may use pinned memory of the host by the same address, as on every system of 64 bits.
  const KernelTwin* twin = FindKernelTwin(name, [](std::uint64_t address) {
    auto* pinned = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
    return IsPinned(pinned, 1) ? pinned : HostOf(address, 1);
  });
  if (twin == nullptr) return kNotFound;
  *function = const_cast<KernelTwin*>(twin);
  return kOk;
}

EXPORT int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz, unsigned,
                          void* stream, void** parameters, void**) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  if (gx == 0 || gy == 0 || gz == 0 || bx == 0 || by == 0 || bz == 0 || bx * by * bz > 1024 || gy > 65535 || gz > 65535)
    return kInvalidValue;
  const auto* twin = static_cast<KernelTwin*>(function);
  // The argument is copied when the launch is queued, as the real driver does.
  const char* value = static_cast<const char*>(parameters[0]);
  ++g_state.kernel_launches;
  return Enqueue(stream, [run = twin->run, copy = std::vector<char>(value, value + twin->parameter_bytes), gx, gy, gz, bx, by,
                          bz]() mutable {
    void* pointers[] = {copy.data()};
    const unsigned grid[3] = {gx, gy, gz};
    const unsigned block[3] = {bx, by, bz};
    if (!run(pointers, grid, block)) g_sticky = kIllegalAddress;
  });
}

// ------------------------------------------------------------------------------------------------------------------ graphs

EXPORT int cuStreamBeginCapture_v2(void* handle, int) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  Stream* stream = Find(handle);
  if (stream == nullptr) return kInvalidHandle;
  if (stream->capturing) return kCaptureUnsupported;
  stream->capturing = true;
  stream->invalidated = false;
  stream->captured.clear();
  t_capturing = stream;
  return kOk;
}

EXPORT int cuStreamEndCapture(void* handle, void** out) {
  ENTER();
  NEED_CONTEXT();
  *out = nullptr;
  Stream* stream = Find(handle);
  if (stream == nullptr || !stream->capturing) return kInvalidHandle;
  stream->capturing = false;
  t_capturing = nullptr;
  if (stream->invalidated) return kCaptureInvalidated;
  FAIL_IF_INJECTED();
  auto graph = std::make_unique<Graph>();
  graph->operations = std::move(stream->captured);
  *out = graph.get();
  g_graphs.emplace(graph.get(), std::move(graph));
  ++g_state.graphs;
  return kOk;
}

EXPORT int cuGraphInstantiateWithFlags(void** out, void* handle, unsigned long long) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  const auto found = g_graphs.find(static_cast<Graph*>(handle));
  if (found == g_graphs.end()) return kInvalidHandle;
  auto copy = std::make_unique<Graph>(*found->second);
  *out = copy.get();
  g_graphs.emplace(copy.get(), std::move(copy));
  ++g_state.graphs;
  return kOk;
}

EXPORT int cuGraphLaunch(void* handle, void* stream) {
  ENTER();
  FAIL_IF_INJECTED();
  NEED_CONTEXT();
  const auto found = g_graphs.find(static_cast<Graph*>(handle));
  if (found == g_graphs.end()) return kInvalidHandle;
  ++g_state.graph_launches;
  return Enqueue(stream, [operations = found->second->operations] {
    for (const Operation& operation : operations) (*operation)();
  });
}

EXPORT int cuGraphDestroy(void* handle) {
  ENTER();
  NEED_CONTEXT();
  if (g_graphs.erase(static_cast<Graph*>(handle)) == 0) return kInvalidHandle;
  --g_state.graphs;
  return injected;
}

EXPORT int cuGraphExecDestroy(void* handle) {
  ENTER();
  NEED_CONTEXT();
  if (g_graphs.erase(static_cast<Graph*>(handle)) == 0) return kInvalidHandle;
  --g_state.graphs;
  return injected;
}
