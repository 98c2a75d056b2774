#include "memory.h"

#include <optional>
#include <string>

namespace im::cuda {
namespace {

constexpr std::size_t kSmallestBlock = 512;
constexpr std::size_t kLargestBlock = std::size_t{1} << 46;

std::string MegabyteText(std::size_t bytes) { return std::to_string((bytes + (1u << 20) - 1) >> 20) + " MB"; }

// What the device has left; nothing where the driver does not answer.
std::optional<std::uint64_t> FreeBytes(const Device& device) {
  std::size_t free = 0;
  std::size_t total = 0;
  if (!device.MemoryInfo(&free, &total).ok()) return {};
  return free;
}

Status TooLarge(const Device& device, std::size_t bytes) {
  return Status(Code::kOutOfDeviceMemory, "cuda", "No device has " + std::to_string(bytes) + " bytes of memory.")
      .With(MemoryGap{bytes, FreeBytes(device)});
}

// Which allocation failed, and what the device has left.
Status Describe(const Device& device, const Status& status, std::size_t bytes) {
  std::size_t free = 0;
  std::size_t total = 0;
  if (status.code() != Code::kOutOfDeviceMemory) return status;
  if (!device.MemoryInfo(&free, &total).ok()) return Status(status).With(MemoryGap{bytes, {}});
  return Status(status.code(), status.stage(),
                MegabyteText(bytes) + " of memory were asked of device " + std::to_string(device.ordinal()) + " (" +
                    device.name() + "), which has " + MegabyteText(free) + " of " + MegabyteText(total) + " free. " +
                    status.message(),
                *status.call())
      .With(MemoryGap{bytes, free});
}

}  // namespace

std::size_t RoundedSize(std::size_t bytes) {
  if (bytes > kLargestBlock) return 0;
  std::size_t step = kSmallestBlock;
  while (step * 16 < bytes) step *= 2;
  return bytes == 0 ? step : (bytes + step - 1) / step * step;
}

// ------------------------------------------------------------------------------------------------------------------ device

DeviceBuffer& DeviceBuffer::operator=(DeviceBuffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(address_, other.address_);
  std::swap(size_, other.size_);
  std::swap(stream_, other.stream_);
  return *this;
}

DeviceBuffer::~DeviceBuffer() {
  if (pool_ != nullptr) pool_->Return(address_, size_, stream_);
}

Result<std::shared_ptr<DevicePool>> DevicePool::Create(std::shared_ptr<const Device> device, std::size_t kept_bytes) {
  std::shared_ptr<DevicePool> pool(new DevicePool(std::move(device), kept_bytes));
  if (!pool->device_->has_memory_pools()) return pool;
  const DriverTable& table = pool->device_->table();
  MemoryPoolProperties properties;
  properties.location_number = pool->device_->ordinal();
  IM_RETURN_IF_ERROR(pool->device_->Check(table.cuMemPoolCreate(&pool->driver_pool_, &properties), "cuMemPoolCreate"));
  std::uint64_t threshold = kept_bytes;
  IM_RETURN_IF_ERROR(pool->device_->Check(table.cuMemPoolSetAttribute(pool->driver_pool_, kPoolReleaseThreshold, &threshold),
                                          "cuMemPoolSetAttribute"));
  return pool;
}

DevicePool::~DevicePool() {
  (void)device_->MakeCurrent();
  FreeKept();
  if (driver_pool_ != nullptr) device_->table().cuMemPoolDestroy(driver_pool_);
}

Result<DeviceBuffer> DevicePool::Allocate(std::size_t bytes, StreamObject* stream) {
  Result<DeviceAddress> address = Take(bytes, stream);
  if (!address.ok()) return address.status();
  DeviceBuffer buffer;
  buffer.pool_ = shared_from_this();
  buffer.address_ = address.value();
  buffer.size_ = bytes;
  buffer.stream_ = stream;
  return buffer;
}

Result<DeviceAddress> DevicePool::Take(std::size_t bytes, StreamObject* stream) {
  const std::size_t rounded = RoundedSize(bytes);
  if (rounded == 0) return TooLarge(*device_, bytes);
  DeviceAddress address = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = free_.find({stream, rounded});
    if (found != free_.end()) {
      address = found->second;
      free_.erase(found);
      kept_ -= rounded;
      in_use_ += rounded;
      return address;
    }
  }
  Status status = AllocateFromDriver(&address, rounded, stream);
  if (status.code() == Code::kOutOfDeviceMemory) {
    FreeKept();
    status = AllocateFromDriver(&address, rounded, stream);
  }
  if (!status.ok()) return Describe(*device_, status, rounded);
  std::lock_guard<std::mutex> lock(mutex_);
  in_use_ += rounded;
  return address;
}

Status DevicePool::AllocateFromDriver(DeviceAddress* address, std::size_t bytes, StreamObject* stream) {
  const DriverTable& table = device_->table();
  // Without a stream there is no order to allocate in.
  if (driver_pool_ == nullptr || stream == nullptr) return device_->Check(table.cuMemAlloc_v2(address, bytes), "cuMemAlloc");
  return device_->Check(table.cuMemAllocFromPoolAsync(address, bytes, driver_pool_, stream), "cuMemAllocFromPoolAsync");
}

void DevicePool::Return(DeviceAddress address, std::size_t bytes, StreamObject* stream) {
  const std::size_t rounded = RoundedSize(bytes);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    in_use_ -= rounded;
    if (driver_pool_ == nullptr && stream != nullptr && kept_ + rounded <= kept_limit_) {
      free_.emplace(std::pair(stream, rounded), address);
      kept_ += rounded;
      return;
    }
  }
  (void)device_->MakeCurrent();
  // cuMemFree waits for the device first.
  if (driver_pool_ == nullptr || stream == nullptr) device_->table().cuMemFree_v2(address);
  else device_->table().cuMemFreeAsync(address, stream);
}

void DevicePool::Forget(StreamObject* stream) {
  std::vector<DeviceAddress> blocks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto block = free_.lower_bound({stream, 0}); block != free_.end() && block->first.first == stream;
         block = free_.erase(block)) {
      blocks.push_back(block->second);
      kept_ -= block->first.second;
    }
  }
  if (blocks.empty()) return;
  (void)device_->MakeCurrent();
  for (const DeviceAddress address : blocks) device_->table().cuMemFree_v2(address);
}

void DevicePool::FreeKept() {
  std::multimap<std::pair<StreamObject*, std::size_t>, DeviceAddress> blocks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    blocks.swap(free_);
    kept_ = 0;
  }
  for (const auto& [key, address] : blocks) device_->table().cuMemFree_v2(address);
}

std::size_t DevicePool::bytes_in_use() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return in_use_;
}

// ------------------------------------------------------------------------------------------------------------------ pinned

PinnedBuffer& PinnedBuffer::operator=(PinnedBuffer&& other) noexcept {
  std::swap(pool_, other.pool_);
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

PinnedBuffer::~PinnedBuffer() {
  if (pool_ != nullptr) pool_->Return(data_, size_);
}

std::shared_ptr<PinnedPool> PinnedPool::Create(std::shared_ptr<const Device> device, std::size_t kept_bytes) {
  return std::shared_ptr<PinnedPool>(new PinnedPool(std::move(device), kept_bytes));
}

PinnedPool::~PinnedPool() {
  (void)device_->MakeCurrent();
  FreeKept();
}

Result<PinnedBuffer> PinnedPool::Allocate(std::size_t bytes) {
  const std::size_t rounded = RoundedSize(bytes);
  if (rounded == 0) {
    return Status(Code::kOutOfMemory, "cuda", "No machine has " + std::to_string(bytes) + " bytes of pinned memory.")
        .With(MemoryGap{bytes, {}});
  }
  PinnedBuffer buffer;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = free_.find(rounded);
    if (found != free_.end()) {
      buffer.data_ = found->second;
      free_.erase(found);
      kept_ -= rounded;
    }
  }
  if (buffer.data_ == nullptr) {
    Status status = device_->Check(device_->table().cuMemHostAlloc(&buffer.data_, rounded, 0), "cuMemHostAlloc");
    if (status.code() == Code::kOutOfDeviceMemory) {
      FreeKept();
      status = device_->Check(device_->table().cuMemHostAlloc(&buffer.data_, rounded, 0), "cuMemHostAlloc");
    }
    // It is the host that is full, whatever the driver calls it.
    if (status.code() == Code::kOutOfDeviceMemory) {
      return Status(Code::kOutOfMemory, status.stage(),
                    MegabyteText(rounded) + " of pinned host memory could not be had. " + status.message())
          .With(MemoryGap{rounded, {}});
    }
    if (!status.ok()) return status;
  }
  buffer.pool_ = shared_from_this();
  buffer.size_ = bytes;
  std::lock_guard<std::mutex> lock(mutex_);
  in_use_ += rounded;
  return buffer;
}

void PinnedPool::Return(void* data, std::size_t bytes) {
  const std::size_t rounded = RoundedSize(bytes);
  {
    std::lock_guard<std::mutex> lock(mutex_);
    in_use_ -= rounded;
    if (kept_ + rounded <= kept_limit_) {
      free_.emplace(rounded, data);
      kept_ += rounded;
      return;
    }
  }
  (void)device_->MakeCurrent();
  device_->table().cuMemFreeHost(data);
}

void PinnedPool::FreeKept() {
  std::multimap<std::size_t, void*> blocks;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    blocks.swap(free_);
    kept_ = 0;
  }
  for (const auto& [size, data] : blocks) device_->table().cuMemFreeHost(data);
}

std::size_t PinnedPool::bytes_in_use() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return in_use_;
}

}  // namespace im::cuda
