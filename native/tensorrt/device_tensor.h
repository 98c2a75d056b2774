// Tensors that stay on the device: what one run leaves there for another, of the same engine or of another one.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

#include "base/status.h"
#include "cuda/resources.h"
#include "tensorrt/tensors.h"

namespace im::trt {

// Where they live: memory in the order of a stream of its own, so that they outlive the engines and streams that fill and read
// them. One thread at a time.
class DeviceStore {
 public:
  static Result<std::shared_ptr<const DeviceStore>> Create(std::shared_ptr<const cuda::Resources> resources);
  ~DeviceStore();
  DeviceStore(const DeviceStore&) = delete;
  DeviceStore& operator=(const DeviceStore&) = delete;

  const cuda::Resources& resources() const { return *resources_; }
  const cuda::Stream& stream() const { return stream_; }
  // Memory that work in `user` may fill from now on.
  Result<cuda::DeviceBuffer> Allocate(std::size_t bytes, const cuda::Stream& user) const;

 private:
  DeviceStore(std::shared_ptr<const cuda::Resources> resources, cuda::Stream stream, cuda::Event allocated)
      : resources_(std::move(resources)), stream_(std::move(stream)), allocated_(std::move(allocated)) {}

  const std::shared_ptr<const cuda::Resources> resources_;
  const cuda::Stream stream_;
  const cuda::Event allocated_;
};

// Complete once the run that fills it has been waited for; never changed afterwards. Whoever reads it on the device holds it
// until then.
class DeviceTensor {
 public:
  DeviceTensor(std::shared_ptr<const DeviceStore> store, cuda::DeviceBuffer buffer, int type, Shape shape, std::size_t bytes)
      : store_(std::move(store)), buffer_(std::move(buffer)), type_(type), shape_(std::move(shape)), bytes_(bytes) {}
  ~DeviceTensor() { (void)store_->resources().device->MakeCurrent(); }
  DeviceTensor(const DeviceTensor&) = delete;
  DeviceTensor& operator=(const DeviceTensor&) = delete;

  const std::shared_ptr<const DeviceStore>& store() const { return store_; }
  cuda::DeviceAddress address() const { return buffer_.address(); }
  // ONNX's number.
  int type() const { return type_; }
  const Shape& shape() const { return shape_; }
  std::size_t bytes() const { return bytes_; }

 private:
  const std::shared_ptr<const DeviceStore> store_;
  const cuda::DeviceBuffer buffer_;
  const int type_;
  const Shape shape_;
  const std::size_t bytes_;
};

}  // namespace im::trt
