// Working memory of a job.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

#include "base/status.h"

namespace im {

// Contents start undefined: clearing megabytes that are about to be overwritten costs as much as the work itself.
template <typename T>
class Scratch {
 public:
  Status Allocate(std::size_t count) {
    if (count <= kMaximumBytes / sizeof(T)) data_.reset(new (std::nothrow) T[count]);
    if (data_ == nullptr)
      return {Code::kOutOfMemory, "preprocess", "There is not enough memory to prepare a picture of this size."};
    return {};
  }
  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }

 private:
  // Extreme shapes (one column to 65535) could ask for far more; no real picture does.
  static constexpr std::size_t kMaximumBytes = std::size_t{1} << 30;
  std::unique_ptr<T[]> data_;
};

}  // namespace im
