#include "tensorrt/device_tensor.h"

namespace im::trt {

Result<std::shared_ptr<const DeviceStore>> DeviceStore::Create(std::shared_ptr<const cuda::Resources> resources) {
  IM_RETURN_IF_ERROR(resources->device->MakeCurrent());
  Result<cuda::Stream> stream = cuda::Stream::Create(resources->device);
  if (!stream.ok()) return stream.status();
  Result<cuda::Event> allocated = cuda::Event::Create(resources->device);
  if (!allocated.ok()) return allocated.status();
  return std::shared_ptr<const DeviceStore>(
      new DeviceStore(std::move(resources), std::move(stream.value()), std::move(allocated.value())));
}

DeviceStore::~DeviceStore() {
  (void)resources_->device->MakeCurrent();
  // What was given back in the order of the stream has to be free before it is gone.
  (void)stream_.Synchronize();
  resources_->memory->Forget(stream_.get());
}

Result<cuda::DeviceBuffer> DeviceStore::Allocate(std::size_t bytes, const cuda::Stream& user) const {
  Result<cuda::DeviceBuffer> buffer = resources_->memory->Allocate(bytes, stream_.get());
  if (!buffer.ok()) return buffer.status();
  // Allocating is work of this stream; so is giving back what had the memory before.
  IM_RETURN_IF_ERROR(allocated_.Record(stream_));
  IM_RETURN_IF_ERROR(user.WaitFor(allocated_));
  return buffer;
}

}  // namespace im::trt
