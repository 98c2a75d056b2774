// Memory of the device, and memory of the host that the device copies from and to without a detour. Both come from pools: the
// driver's own calls take from microseconds to milliseconds and may wait for the whole device.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"

namespace im::cuda {

// Sizes that differ little share blocks: up to an eighth is wasted. 0 when the size is absurd.
std::size_t RoundedSize(std::size_t bytes);

class DevicePool;
class PinnedPool;

// Usable by work in the stream that it was allocated for, or after waiting for that stream. Returns to its pool in the order of
// that stream: work that was put in before may still use it.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  DeviceBuffer(DeviceBuffer&& other) noexcept { *this = std::move(other); }
  DeviceBuffer& operator=(DeviceBuffer&& other) noexcept;
  ~DeviceBuffer();

  DeviceAddress address() const { return address_; }
  std::size_t size() const { return size_; }

 private:
  friend class DevicePool;
  std::shared_ptr<DevicePool> pool_;
  DeviceAddress address_ = 0;
  std::size_t size_ = 0;
  StreamObject* stream_ = nullptr;
};

// Any thread on which the device is current.
class DevicePool : public std::enable_shared_from_this<DevicePool> {
 public:
  // `kept_bytes`: how much of what is not in use stays allocated.
  static Result<std::shared_ptr<DevicePool>> Create(std::shared_ptr<const Device> device, std::size_t kept_bytes);
  ~DevicePool();
  DevicePool(const DevicePool&) = delete;
  DevicePool& operator=(const DevicePool&) = delete;

  // Memory at least `bytes` long (0 counts as 1), aligned to 256 bytes, for work in `stream`, which must outlive it. When the
  // device is full, what is kept is given up first.
  Result<DeviceBuffer> Allocate(std::size_t bytes, StreamObject* stream);
  // The same without an owner.
  Result<DeviceAddress> Take(std::size_t bytes, StreamObject* stream);
  void Return(DeviceAddress address, std::size_t bytes, StreamObject* stream);
  // Nothing will be put into this stream any more: what was kept for it is freed.
  void Forget(StreamObject* stream);

  std::size_t bytes_in_use() const;

 private:
  DevicePool(std::shared_ptr<const Device> device, std::size_t kept_bytes)
      : device_(std::move(device)), kept_limit_(kept_bytes) {}
  Status AllocateFromDriver(DeviceAddress* address, std::size_t bytes, StreamObject* stream);
  void FreeKept();

  const std::shared_ptr<const Device> device_;
  const std::size_t kept_limit_;
  // The driver's pool, or null where it has none and blocks are kept here.
  MemoryPoolObject* driver_pool_ = nullptr;
  mutable std::mutex mutex_;
  std::size_t in_use_ = 0;
  std::size_t kept_ = 0;
  // By stream: a block may be used again only after the work that it was freed behind.
  std::multimap<std::pair<StreamObject*, std::size_t>, DeviceAddress> free_;
};

// Returns to its pool; nothing may be copying from or to it then.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  PinnedBuffer(PinnedBuffer&& other) noexcept { *this = std::move(other); }
  PinnedBuffer& operator=(PinnedBuffer&& other) noexcept;
  ~PinnedBuffer();

  void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  friend class PinnedPool;
  std::shared_ptr<PinnedPool> pool_;
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

class PinnedPool : public std::enable_shared_from_this<PinnedPool> {
 public:
  static std::shared_ptr<PinnedPool> Create(std::shared_ptr<const Device> device, std::size_t kept_bytes);
  ~PinnedPool();
  PinnedPool(const PinnedPool&) = delete;
  PinnedPool& operator=(const PinnedPool&) = delete;

  // On a thread on which the device is current.
  Result<PinnedBuffer> Allocate(std::size_t bytes);
  std::size_t bytes_in_use() const;

 private:
  friend class PinnedBuffer;
  PinnedPool(std::shared_ptr<const Device> device, std::size_t kept_bytes)
      : device_(std::move(device)), kept_limit_(kept_bytes) {}
  void Return(void* data, std::size_t bytes);
  void FreeKept();

  const std::shared_ptr<const Device> device_;
  const std::size_t kept_limit_;
  mutable std::mutex mutex_;
  std::size_t in_use_ = 0;
  std::size_t kept_ = 0;
  std::multimap<std::size_t, void*> free_;
};

}  // namespace im::cuda
