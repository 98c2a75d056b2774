// Memory that TensorRT asks for, from the device's pool.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "cuda/resources.h"
#include "tensorrt/interfaces.h"

namespace im::trt {

// For weights and scratch memory. Any thread; outlives everything that was made with it.
class PoolAllocator final : public GpuAllocator {
 public:
  explicit PoolAllocator(std::shared_ptr<const cuda::Resources> resources) : resources_(std::move(resources)) {}

  void* allocate(std::uint64_t bytes, std::uint64_t alignment, std::uint32_t flags) noexcept override;
  bool deallocate(void* memory) noexcept override;
  void* allocateAsync(std::uint64_t bytes, std::uint64_t alignment, std::uint32_t flags, CudaStream* stream) noexcept override;
  bool deallocateAsync(void* memory, CudaStream* stream) noexcept override;

  std::uint64_t bytes_in_use() const;
  // The last request for which the device had no memory; nothing where there was none.
  MemoryGap refused() const;

 private:
  // TensorRT's own streams come and go; where blocks are kept by stream, theirs must not be.
  cuda::StreamObject* Order(CudaStream* stream) const;

  const std::shared_ptr<const cuda::Resources> resources_;
  mutable std::mutex mutex_;
  std::map<void*, std::size_t> blocks_;
  std::uint64_t bytes_ = 0;
  MemoryGap refused_;
};

// For an output whose size is known only once it has been computed.
class GrowingOutput final : public OutputAllocator {
 public:
  GrowingOutput(std::shared_ptr<const cuda::Resources> resources, cuda::StreamObject* stream)
      : resources_(std::move(resources)), stream_(stream) {}

  void* reallocateOutput(const char* tensor, void* current, std::uint64_t bytes, std::uint64_t alignment) noexcept override;
  void* reallocateOutputAsync(const char* tensor, void* current, std::uint64_t bytes, std::uint64_t alignment,
                              CudaStream* stream) noexcept override;
  void notifyShape(const char* tensor, const Dims* dims) noexcept override;

  void Reset() { dims_ = Dims{-1, {}}; }
  // Rank -1 until the run has told it.
  const Dims& dims() const { return dims_; }
  const cuda::DeviceBuffer& memory() const { return memory_; }

 private:
  const std::shared_ptr<const cuda::Resources> resources_;
  cuda::StreamObject* const stream_;
  cuda::DeviceBuffer memory_;
  Dims dims_{-1, {}};
};

}  // namespace im::trt
