// What the classes of the kernels share: matrices in memory of the device, and memory cut into parts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/status.h"
#include "cuda/resources.h"
#include "detection/detections.h"
#include "kernels/batch_matrix.h"

namespace im::kernels {

// A matrix for each picture, in memory of the device. Addresses are aligned to the size of an element.
struct DeviceMatrix {
  cuda::DeviceAddress address = 0;
  std::size_t length = 0;  // elements from there on, for the whole batch
  detection::MatrixLayout layout;
  std::size_t per_picture = 0;  // elements from one picture to the next
  bool half = false;            // float16 instead of float32
};

// For kernels, if every element of all pictures lies within the memory; see CheckMatrix.
Result<BatchMatrix> ViewOnDevice(const DeviceMatrix& matrix, std::size_t pictures, std::size_t candidates, std::size_t attributes,
                                 const char* name);

// For arguments of kernels; not to be followed here.
template <typename T>
T* DevicePointer(cuda::DeviceAddress address) {
  return reinterpret_cast<T*>(static_cast<std::uintptr_t>(address));
}
inline cuda::DeviceAddress AddressOf(const void* pointer) {
  return static_cast<cuda::DeviceAddress>(reinterpret_cast<std::uintptr_t>(pointer));
}

// Parts of one block of memory, one after the other.
class Parts {
 public:
  std::size_t Take(std::size_t bytes) {
    constexpr std::size_t kAlignment = 256;
    const std::size_t offset = total_;
    total_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
    return offset;
  }
  std::size_t total() const { return total_; }

 private:
  std::size_t total_ = 0;
};

// A larger buffer where it is too small.
template <typename Pool, typename Buffer, typename... Stream>
Status Reserve(Pool& pool, Buffer& buffer, std::size_t bytes, Stream... stream) {
  if (buffer.size() >= bytes) return {};
  auto larger = pool.Allocate(bytes, stream...);
  if (!larger.ok()) return larger.status();
  buffer = std::move(larger.value());
  return {};
}

// The large blocks, which several users in one stream share when no two of them have a batch under way at a time: captured graphs
// would each hold some 50 MB otherwise. Whoever was given a block holds on to it; who needs a larger one has one made, for the
// others too.
struct LargeBlocks {
  std::shared_ptr<const cuda::DeviceBuffer> device;
  std::shared_ptr<const cuda::PinnedBuffer> pinned;
};

// The block that others use, where the own one is too small; a larger one where that is, too.
template <typename Pool, typename Buffer, typename... Stream>
Status ReserveShared(Pool& pool, std::shared_ptr<const Buffer>& own, std::shared_ptr<const Buffer>& shared, std::size_t bytes,
                     Stream... stream) {
  if (own != nullptr && own->size() >= bytes) return {};
  if (shared == nullptr || shared->size() < bytes) {
    auto larger = pool.Allocate(bytes, stream...);
    if (!larger.ok()) return larger.status();
    shared = std::make_shared<const Buffer>(std::move(larger.value()));
  }
  own = shared;
  return {};
}

}  // namespace im::kernels
