// What the binary exports; the TypeScript side of this list is src/native/addon.ts.
#include <napi.h>

#include "kernels/images.h"
#include "napi/detection_bindings.h"
#include "napi/device_decode_bindings.h"
#include "napi/device_mask_bindings.h"
#include "napi/device_measure_bindings.h"
#include "napi/device_preprocess_bindings.h"
#include "napi/environment.h"
#include "napi/image_bindings.h"
#include "napi/lane_task.h"
#include "napi/map_bindings.h"
#include "napi/mask_bindings.h"
#include "napi/memory.h"
#include "napi/arguments.h"
#include "napi/nvidia_bindings.h"
#include "napi/onnxruntime_bindings.h"
#include "napi/perspective_bindings.h"
#include "napi/tensorrt_bindings.h"
#include "napi/tensorrt_build_bindings.h"
#include "napi/tensorrt_measure_bindings.h"

namespace {

// Raised together with ADDON_INTERFACE_VERSION whenever a signature changes.
constexpr int kInterfaceVersion = 9;

Napi::Value BuildInfo(const Napi::CallbackInfo& info) {
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("version", IM_VERSION);
  result.Set("compiler", IM_COMPILER);
  result.Set("nodeApi", NAPI_VERSION);
  result.Set("simd", im::SimdName());
  result.Set("kernels", im::kernels::HasMachineCode() ? "machine-code" : "text");
  return result;
}

Napi::Value Allocate(const Napi::CallbackInfo& info) {
  const auto bytes = im::RequireInteger(info[0], "byteLength", 0, std::int64_t{1} << 40);
  return im::AllocateBuffer(info.Env(), static_cast<std::size_t>(bytes));
}

Napi::Value MemoryInUse(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(im::MemoryInUse()));
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  im::Environment::Install(env);
  exports.Set("interfaceVersion", kInterfaceVersion);
  exports.Set("buildInfo", Napi::Function::New(env, BuildInfo, "buildInfo"));
  exports.Set("allocate", Napi::Function::New(env, Allocate, "allocate"));
  exports.Set("memoryInUse", Napi::Function::New(env, MemoryInUse, "memoryInUse"));
  im::ExportImage(env, exports);
  im::ExportDetection(env, exports);
  im::ExportDeviceDecode(env, exports);
  im::ExportDeviceMasks(env, exports);
  im::ExportDeviceMeasure(env, exports);
  im::ExportDevicePreprocess(env, exports);
  im::ExportCancelToken(env, exports);
  im::ExportMaps(env, exports);
  im::ExportMasks(env, exports);
  im::ExportOnnxRuntime(env, exports);
  im::ExportNvidia(env, exports);
  im::ExportPerspective(env, exports);
  im::ExportTensorRt(env, exports);
  im::ExportTensorRtBuild(env, exports);
  im::ExportTensorRtMeasure(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
