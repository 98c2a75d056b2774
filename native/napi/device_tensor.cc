#include "device_tensor.h"

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "tensor_values.h"

namespace im {
namespace {

constexpr char kStage[] = "tensorrt.device-tensor";
constexpr std::uint64_t kTensorKind = 3;

// Handed from New to the constructor, so that nobody else can call that.
struct Arriving {
  std::shared_ptr<const trt::DeviceTensor> tensor;
  std::shared_ptr<DeviceQueue> queue;
};
thread_local Arriving* arriving_here = nullptr;

class ReadTask : public DeviceTask {
 public:
  ReadTask(Napi::Env env, std::shared_ptr<const trt::DeviceTensor> tensor, const DeviceQueue& queue)
      : DeviceTask(env, queue, kStage), tensor_(std::move(tensor)), type_(tensor_->type()), bytes_(tensor_->bytes()) {}

  Napi::Value Value(Napi::Env env) override {
    if (bytes_ <= kCopiedOutputBytes) return CopyElements(env, type_, memory_.get(), bytes_);
    void* memory = memory_.release();
    return AdoptElements(env, type_, memory, bytes_, std::free, memory);
  }

  void Abandon() override {
    DeviceTask::Abandon();
    Settled();
  }

 protected:
  Status Submit() override {
    const trt::DeviceStore& store = *tensor_->store();
    const cuda::Device& device = *store.resources().device;
    IM_RETURN_IF_ERROR(device.MakeCurrent());
    Result<cuda::PinnedBuffer> host = store.resources().pinned->Allocate(bytes_);
    if (!host.ok()) return host.status();
    host_ = std::move(host.value());
    Result<cuda::Event> copied = cuda::Event::Create(store.resources().device);
    if (!copied.ok()) return copied.status();
    copied_ = std::move(copied.value());
    if (bytes_ > 0) {
      IM_RETURN_IF_ERROR(
          device.Check(device.table().cuMemcpyDtoHAsync_v2(host_.data(), tensor_->address(), bytes_, store.stream().get()),
                       "cuMemcpyDtoHAsync"));
    }
    const Status recorded = copied_->Record(store.stream());
    // The copy may still write to memory that is given back otherwise.
    if (!recorded.ok()) (void)store.stream().Synchronize();
    else ExpectCompletion();
    return recorded;
  }

  Status Complete() override {
    const trt::DeviceStore& store = *tensor_->store();
    IM_RETURN_IF_ERROR(store.resources().device->MakeCurrent());
    if (const Status waited = copied_->Wait(); !waited.ok()) {
      (void)store.stream().Synchronize();
      return waited;
    }
    memory_.reset(std::malloc(bytes_ == 0 ? 1 : bytes_));
    if (memory_ == nullptr) return {Code::kOutOfMemory, kStage, "Not enough memory to read this tensor."};
    if (bytes_ > 0) std::memcpy(memory_.get(), host_.data(), bytes_);
    return {};
  }

  void Settled() override {
    (void)tensor_->store()->resources().device->MakeCurrent();
    host_ = {};
    copied_.reset();
    tensor_.reset();
  }

 private:
  std::shared_ptr<const trt::DeviceTensor> tensor_;
  const int type_;
  const std::size_t bytes_;
  cuda::PinnedBuffer host_;
  std::optional<cuda::Event> copied_;
  HostMemory memory_;
};

// Behind all work that is in the queue already and may read it.
class ReleaseTask : public DeviceTask {
 public:
  ReleaseTask(Napi::Env env, std::shared_ptr<const trt::DeviceTensor> tensor, const DeviceQueue& queue)
      : DeviceTask(env, queue, kStage), tensor_(std::move(tensor)) {}
  Napi::Value Value(Napi::Env env) override { return env.Undefined(); }

 protected:
  Status Submit() override {
    tensor_.reset();
    return {};
  }

 private:
  std::shared_ptr<const trt::DeviceTensor> tensor_;
};

}  // namespace

Napi::Function NativeDeviceTensor::Define(Napi::Env env) {
  return DefineClass(env, "NativeDeviceTensor",
                     {InstanceMethod<&NativeDeviceTensor::Read>("read"), InstanceMethod<&NativeDeviceTensor::Close>("close")});
}

Napi::Object NativeDeviceTensor::New(const Napi::FunctionReference& tensor_class, std::shared_ptr<const trt::DeviceTensor> tensor,
                                     std::shared_ptr<DeviceQueue> queue) {
  Arriving arriving{std::move(tensor), std::move(queue)};
  arriving_here = &arriving;
  return tensor_class.New({});
}

const std::shared_ptr<const trt::DeviceTensor>& NativeDeviceTensor::From(Napi::Value value, const std::string& where) {
  const napi_type_tag tag = MakeTag(kTensorKind);
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag))
    ThrowArgument(value.Env(), where, "a tensor on the device", value);
  const NativeDeviceTensor* self = Unwrap(value.As<Napi::Object>());
  if (self->tensor_ == nullptr) ThrowStatus(value.Env(), {Code::kClosed, kStage, "The tensor on the device is closed."});
  return self->tensor_;
}

NativeDeviceTensor::NativeDeviceTensor(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const Napi::Env env = info.Env();
  Arriving* arriving = std::exchange(arriving_here, nullptr);
  if (arriving == nullptr) throw Napi::TypeError::New(env, "Tensors on the device are made by runs.");
  tensor_ = std::move(arriving->tensor);
  queue_ = std::move(arriving->queue);
  Napi::Object self = info.This().As<Napi::Object>();
  const napi_type_tag tag = MakeTag(kTensorKind);
  self.TypeTag(&tag);
  self.Set("type", tensor_->type());
  Napi::Array dims = Napi::Array::New(env, tensor_->shape().size());
  for (std::size_t i = 0; i < tensor_->shape().size(); ++i)
    dims.Set(static_cast<std::uint32_t>(i), static_cast<double>(tensor_->shape()[i]));
  self.Set("dims", dims);
  self.Set("device", tensor_->store()->resources().device->ordinal());
}

NativeDeviceTensor::~NativeDeviceTensor() {
  if (tensor_ != nullptr) DeviceQueue::Discard(std::move(queue_), std::move(tensor_));
}

Napi::Value NativeDeviceTensor::Read(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (tensor_ == nullptr) ThrowStatus(env, {Code::kClosed, kStage, "The tensor on the device is closed."});
  return LaneTask::Submit(env, std::make_unique<ReadTask>(env, tensor_, *queue_), info[0].IsUndefined() ? env.Null() : info[0]);
}

Napi::Value NativeDeviceTensor::Close(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (tensor_ == nullptr) ThrowStatus(env, {Code::kClosed, kStage, "The tensor on the device is closed."});
  return LaneTask::Submit(env, std::make_unique<ReleaseTask>(env, std::move(tensor_), *queue_), env.Null());
}

}  // namespace im
