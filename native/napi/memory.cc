#include "memory.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>

namespace im {
namespace {

constexpr std::size_t kAlignment = 64;
constexpr std::size_t kMaximumBytes = std::size_t{1} << 33;

// Process-wide: buffers of all environments. Never destroyed, since finalizers may run while the process ends.
struct Registry {
  std::mutex mutex;
  std::map<std::uintptr_t, std::size_t> blocks;
  std::uint64_t bytes = 0;
};
Registry& TheRegistry() {
  static auto* registry = new Registry();
  return *registry;
}

void Add(const void* data, std::size_t size) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  registry.blocks[reinterpret_cast<std::uintptr_t>(data)] = size;
  registry.bytes += size;
}

void Remove(const void* data) {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  auto found = registry.blocks.find(reinterpret_cast<std::uintptr_t>(data));
  if (found == registry.blocks.end()) return;
  registry.bytes -= found->second;
  registry.blocks.erase(found);
}

struct Block {
  void (*release)(void*);
  void* hint;
  std::int64_t size;
};

}  // namespace

Napi::ArrayBuffer AdoptBuffer(Napi::Env env, void* data, std::size_t byte_length, void (*release)(void*), void* hint) {
  if (byte_length == 0) {
    release(hint);
    return Napi::ArrayBuffer::New(env, 0);
  }
  auto block = std::make_unique<Block>(Block{release, hint, static_cast<std::int64_t>(byte_length)});
  Add(data, byte_length);
  napi_value buffer = nullptr;
  const napi_status status = napi_create_external_arraybuffer(
      env, data, byte_length,
      [](napi_env finalizer_env, void* finalized, void* raw) {
        std::unique_ptr<Block> owned(static_cast<Block*>(raw));
        Remove(finalized);
        owned->release(owned->hint);
        Napi::MemoryManagement::AdjustExternalMemory(Napi::Env(finalizer_env), -owned->size);
      },
      block.get(), &buffer);
  if (status == napi_ok) {
    // The collector knows nothing of this memory; told of it, it runs in time.
    Napi::MemoryManagement::AdjustExternalMemory(env, block->size);
    block.release();  // NOLINT(bugprone-unused-return-value): owned by the finalizer now
    return Napi::ArrayBuffer(env, buffer);
  }
  // Runtimes without external buffers (Electron): a copy, which IsOwnedMemory does not know and jobs therefore copy again.
  Napi::ArrayBuffer copy = Napi::ArrayBuffer::New(env, byte_length);
  std::memcpy(copy.Data(), data, byte_length);
  Remove(data);
  release(hint);
  return copy;
}

Napi::ArrayBuffer AllocateBuffer(Napi::Env env, std::size_t byte_length) {
  if (byte_length > kMaximumBytes) throw Napi::RangeError::New(env, "allocate: more than 8 GiB in one buffer are refused.");
  if (byte_length == 0) return Napi::ArrayBuffer::New(env, 0);
  const std::size_t rounded = (byte_length + kAlignment - 1) / kAlignment * kAlignment;
  void* data = std::aligned_alloc(kAlignment, rounded);
  if (data == nullptr)
    throw Napi::RangeError::New(env, "allocate: not enough memory for " + std::to_string(byte_length) + " bytes.");
  std::memset(data, 0, rounded);
  return AdoptBuffer(env, data, byte_length, [](void* hint) { std::free(hint); }, data);
}

bool IsOwnedMemory(const void* data, std::size_t byte_length) {
  Registry& registry = TheRegistry();
  const auto address = reinterpret_cast<std::uintptr_t>(data);
  std::lock_guard<std::mutex> lock(registry.mutex);
  auto after = registry.blocks.upper_bound(address);
  if (after == registry.blocks.begin()) return false;
  const auto& [start, size] = *std::prev(after);
  return address - start <= size && byte_length <= size - (address - start);
}

std::uint64_t MemoryInUse() {
  Registry& registry = TheRegistry();
  std::lock_guard<std::mutex> lock(registry.mutex);
  return registry.bytes;
}

}  // namespace im
