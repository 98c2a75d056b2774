// decodeOnDevice of src/native/addon.ts: what a run makes of its outputs, by the kernels of a device, without an engine, for
// comparing them with the CPU. Each call opens the device, uploads, and waits, on a thread of its own.
#include "device_decode_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "device_decode_work.h"
#include "environment.h"
#include "lane_task.h"
#include "tensorrt_decode.h"

namespace im {
namespace {

constexpr char kStage[] = "cuda.decode";

class DecodeTask : public LaneTask {
 public:
  DecodeTask(Napi::Env env, std::shared_ptr<Lanes> lanes, std::string cuda_path, int device, DecodeWork work)
      : LaneTask(env, std::move(lanes), kStage), cuda_path_(std::move(cuda_path)), device_(device), work_(std::move(work)) {}

  Status Execute() override {
    const Result<std::unique_ptr<const DeviceBench>> device = DeviceBench::Open(cuda_path_, device_);
    if (!device.ok()) return device.status();
    DecodeBench bench(*device.value());
    IM_RETURN_IF_ERROR(bench.Prepare(work_));
    Result<std::vector<trt::Decoded>> decoded = bench.Decode();
    if (!decoded.ok()) return decoded.status();
    decoded_ = std::move(decoded.value());
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Array pictures = Napi::Array::New(env, decoded_.size());
    for (std::uint32_t i = 0; i < pictures.Length(); ++i) pictures.Set(i, ToJavaScript(env, std::move(decoded_[i])));
    return pictures;
  }

 private:
  const std::string cuda_path_;
  const int device_;
  const DecodeWork work_;
  std::vector<trt::Decoded> decoded_;
};

Napi::Value DecodeOnDevice(const Napi::CallbackInfo& info, FunctionLane& lane) {
  const Napi::Env env = info.Env();
  const Napi::Object options = RequireObject(info[0], "options");
  std::string cuda_path = RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath");
  const auto device = static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023));
  DecodeWork work = DecodeWork::Read(RequireObject(info[1], "work"));
  const std::shared_ptr<Lanes>& lanes = lane.Get(env);
  auto task = std::make_unique<DecodeTask>(env, lanes, std::move(cuda_path), device, std::move(work));
  return LaneTask::Submit(env, std::move(task), env.Null());
}

}  // namespace

void ExportDeviceDecode(Napi::Env env, Napi::Object exports) { ExportOnLane(env, exports, "decodeOnDevice", DecodeOnDevice); }

}  // namespace im
