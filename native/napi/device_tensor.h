// Tensors of the device as JavaScript holds them (NativeDeviceTensor in src/native/addon.ts).
#pragma once

#include <napi.h>

#include <memory>

#include "device_queue.h"
#include "tensorrt/device_tensor.h"

namespace im {

class NativeDeviceTensor : public Napi::ObjectWrap<NativeDeviceTensor> {
 public:
  static Napi::Function Define(Napi::Env env);
  // Makes the object; only this can.
  static Napi::Object New(const Napi::FunctionReference& tensor_class, std::shared_ptr<const trt::DeviceTensor> tensor,
                          std::shared_ptr<DeviceQueue> queue);
  // Throws when the value is no such object of this binary, or is closed. `where` is for that message.
  static const std::shared_ptr<const trt::DeviceTensor>& From(Napi::Value value, const std::string& where);

  explicit NativeDeviceTensor(const Napi::CallbackInfo& info);
  ~NativeDeviceTensor() override;

 private:
  Napi::Value Read(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

  // Null once it is closed.
  std::shared_ptr<const trt::DeviceTensor> tensor_;
  std::shared_ptr<DeviceQueue> queue_;
};

}  // namespace im
