#include "allocators.h"

#include <utility>

namespace im::trt {
namespace {

// What the pool aligns to; TensorRT has never asked for more.
constexpr std::uint64_t kAlignment = 256;

cuda::StreamObject* AsDriverStream(CudaStream* stream) { return reinterpret_cast<cuda::StreamObject*>(stream); }
void* AsPointer(cuda::DeviceAddress address) { return reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)); }
cuda::DeviceAddress AsAddress(void* memory) { return static_cast<cuda::DeviceAddress>(reinterpret_cast<std::uintptr_t>(memory)); }

}  // namespace

void* PoolAllocator::allocate(std::uint64_t bytes, std::uint64_t alignment, std::uint32_t flags) noexcept {
  return allocateAsync(bytes, alignment, flags, nullptr);
}

bool PoolAllocator::deallocate(void* memory) noexcept { return deallocateAsync(memory, nullptr); }

void* PoolAllocator::allocateAsync(std::uint64_t bytes, std::uint64_t alignment, std::uint32_t, CudaStream* stream) noexcept {
  if (alignment > kAlignment || !resources_->device->MakeCurrent().ok()) return nullptr;
  const Result<cuda::DeviceAddress> address = resources_->memory->Take(static_cast<std::size_t>(bytes), Order(stream));
  if (!address.ok()) {
    std::lock_guard<std::mutex> lock(mutex_);
    refused_ = address.status().memory();
    return nullptr;
  }
  void* memory = AsPointer(address.value());
  std::lock_guard<std::mutex> lock(mutex_);
  blocks_[memory] = static_cast<std::size_t>(bytes);
  bytes_ += bytes;
  return memory;
}

bool PoolAllocator::deallocateAsync(void* memory, CudaStream* stream) noexcept {
  if (memory == nullptr) return true;
  std::size_t bytes = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto found = blocks_.find(memory);
    if (found == blocks_.end()) return false;
    bytes = found->second;
    blocks_.erase(found);
    bytes_ -= bytes;
  }
  resources_->memory->Return(AsAddress(memory), bytes, Order(stream));
  return true;
}

cuda::StreamObject* PoolAllocator::Order(CudaStream* stream) const {
  return resources_->device->has_memory_pools() ? AsDriverStream(stream) : nullptr;
}

std::uint64_t PoolAllocator::bytes_in_use() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return bytes_;
}

MemoryGap PoolAllocator::refused() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return refused_;
}

void* GrowingOutput::reallocateOutput(const char*, void*, std::uint64_t bytes, std::uint64_t alignment) noexcept {
  if (alignment > kAlignment) return nullptr;
  if (memory_.size() < bytes || memory_.address() == 0) {
    Result<cuda::DeviceBuffer> larger = resources_->memory->Allocate(static_cast<std::size_t>(bytes), stream_);
    if (!larger.ok()) return nullptr;
    memory_ = std::move(larger.value());
  }
  return AsPointer(memory_.address());
}

void* GrowingOutput::reallocateOutputAsync(const char* tensor, void* current, std::uint64_t bytes, std::uint64_t alignment,
                                           CudaStream*) noexcept {
  return reallocateOutput(tensor, current, bytes, alignment);
}

void GrowingOutput::notifyShape(const char*, const Dims* dims) noexcept { dims_ = *dims; }

}  // namespace im::trt
