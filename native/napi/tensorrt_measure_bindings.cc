// measureTensorRtEngine (src/native/addon.ts): GPU time of a network, alone on the device.
#include "tensorrt_measure_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "decoding.h"
#include "cuda/resources.h"
#include "environment.h"
#include "lane_task.h"
#include "tensor_values.h"
#include "tensorrt/measure_network.h"
#include "tensorrt/plan.h"
#include "tensorrt_values.h"

namespace im {
namespace {

constexpr char kStage[] = "tensorrt.measure";
constexpr std::int64_t kMaximumRounds = 1000;
constexpr std::uint32_t kMaximumInputs = 1024;

class MeasureEngineTask : public LaneTask {
 public:
  MeasureEngineTask(Napi::Env env, std::shared_ptr<Lanes> lanes, std::string path, Napi::Object options)
      : LaneTask(env, std::move(lanes), kStage),
        path_(std::move(path)),
        cuda_path_(RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath")),
        tensorrt_path_(RequireString(Field(options, "tensorRtLibraryPath"), "options.tensorRtLibraryPath")),
        device_(static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023))),
        engine_{RequireBoolean(Field(options, "engineHostCodeAllowed"), "options.engineHostCodeAllowed"),
                static_cast<int>(RequireInteger(Field(options, "profile"), "options.profile", 0, 1023))},
        rounds_{static_cast<int>(RequireInteger(Field(options, "rounds"), "options.rounds", 1, kMaximumRounds)),
                static_cast<int>(RequireInteger(Field(options, "together"), "options.together", 1, kMaximumRounds))} {}

  void SetInputs(Napi::Value value) {
    const Napi::Env env = value.Env();
    if (!value.IsArray()) ThrowArgument(env, "inputs", "an array of tensors", value);
    const Napi::Array array = value.As<Napi::Array>();
    if (array.Length() > kMaximumInputs) ThrowInvalid(env, "There are more inputs than any engine has.");
    for (std::uint32_t i = 0; i < array.Length(); ++i) {
      const std::string where = "inputs[" + std::to_string(i) + "]";
      const Napi::Object tensor = RequireObject(array.Get(i), where);
      trt::InputView input;
      input.shape = ReadDims(Field(tensor, "dims"), where + ".dims");
      const Span<std::uint8_t> given = ReadTypedArray(Field(tensor, "data"), where + ".data");
      StableBytes stable = Stabilize(env, {given.data, given.size, given.owner}, where);
      input.data = stable.data;
      input.bytes = stable.size;
      if (stable.copy == nullptr) Hold(stable.owner);
      else copies_.push_back(std::move(stable.copy));
      inputs_.push_back(std::move(input));
    }
  }

  Status Execute() override {
    const Result<FileBytes> file = ReadFile(path_, "engine", kStage);
    if (!file.ok()) return file.status();
    const void* plan = file.value().memory.get();
    const std::size_t size = file.value().size;
    const Result<trt::Version> version = trt::ReadPlanVersion(plan, size);
    if (!version.ok()) return version.status();
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::DriverSearch(cuda_path_));
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), device_);
    if (!resources.ok()) return resources.status();
    const Result<trt::InferLibrary> library =
        trt::OpenInferLibraryFor(version.value(), tensorrt_path_, engine_.host_code_allowed);
    if (!library.ok()) return library.status();
    const Result<std::shared_ptr<const trt::Engine>> engine =
        trt::Engine::Load(library.value(), resources.value(), plan, size, engine_);
    if (!engine.ok()) return engine.status();
    Result<std::vector<double>> measured = trt::MeasureNetwork(engine.value(), inputs_, rounds_);
    if (!measured.ok()) return measured.status();
    microseconds_ = std::move(measured.value());
    return {};
  }

  Napi::Value Value(Napi::Env env) override { return ToJavaScript(env, microseconds_); }

 private:
  const std::string path_;
  const std::string cuda_path_;
  const std::string tensorrt_path_;
  const int device_;
  const trt::EngineOptions engine_;
  const kernels::Rounds rounds_;
  std::vector<HostMemory> copies_;
  std::vector<trt::InputView> inputs_;
  std::vector<double> microseconds_;
};

Napi::Value MeasureEngine(const Napi::CallbackInfo& info, FunctionLane& lane) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<Lanes>& lanes = lane.Get(env);
  auto task = std::make_unique<MeasureEngineTask>(env, lanes, RequireString(info[0], "plan"), RequireObject(info[1], "options"));
  task->SetInputs(info[2]);
  return LaneTask::Submit(env, std::move(task), env.Null());
}

}  // namespace

void ExportTensorRtMeasure(Napi::Env env, Napi::Object exports) {
  ExportOnLane(env, exports, "measureTensorRtEngine", MeasureEngine);
}

}  // namespace im
