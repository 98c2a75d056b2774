// measureDevice (src/native/addon.ts): GPU time of the kernels, alone on the device.
#include "device_measure_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arguments.h"
#include "cuda/resources.h"
#include "decoding.h"
#include "device_bench.h"
#include "device_decode_work.h"
#include "environment.h"
#include "image_arguments.h"
#include "kernels/measure.h"
#include "kernels/preprocessor.h"
#include "lane_task.h"

namespace im {
namespace {

constexpr char kStage[] = "cuda.measure";
constexpr std::int64_t kMaximumRounds = 1000;
constexpr std::int64_t kMaximumBytes = std::int64_t{1} << 32;

struct FillWork {
  std::size_t bytes = 0;
};

struct PreprocessWork {
  kernels::Picture picture;
  bool half = false;
};

using Work = std::variant<FillWork, PreprocessWork, DecodeWork>;

class Bench {
 public:
  explicit Bench(const DeviceBench& device) : device_(device), resources_(device.resources), stream_(device.stream) {}

  Result<std::vector<double>> Measure(const FillWork& work, const kernels::Rounds& rounds) const {
    const Result<cuda::DeviceBuffer> target = resources_->memory->Allocate(work.bytes, stream_.get());
    if (!target.ok()) return target.status();
    return kernels::MeasureMicroseconds(stream_, rounds, [&] {
      return Check(table().cuMemsetD8Async(target.value().address(), 0, work.bytes, stream_.get()), "cuMemsetD8Async");
    });
  }

  Result<std::vector<double>> Measure(const PreprocessWork& work, const kernels::Rounds& rounds) const {
    const Result<kernels::PreprocessJob> job = kernels::PreprocessJob::Make({work.picture});
    if (!job.ok()) return job.status();
    const auto kernel = kernels::PreprocessKernel::Load(resources_->device);
    if (!kernel.ok()) return kernel.status();
    const kernels::InputType type = work.half ? kernels::InputType::kFloat16 : kernels::InputType::kFloat32;
    const Result<cuda::DeviceBuffer> target =
        resources_->memory->Allocate(job.value().output_length() * (work.half ? 2 : 4), stream_.get());
    if (!target.ok()) return target.status();
    kernels::Preprocessor preprocessor(resources_, kernel.value(), stream_);
    IM_RETURN_IF_ERROR(preprocessor.Prepare(job.value()));
    const Status uploaded = preprocessor.Enqueue(target.value().address(), type);
    if (!uploaded.ok()) return Ended(uploaded);
    return Ended(kernels::MeasureMicroseconds(stream_, rounds,
                                              [&] { return preprocessor.EnqueueKernels(target.value().address(), type); }));
  }

  Result<std::vector<double>> Measure(const DecodeWork& work, const kernels::Rounds& rounds) const {
    DecodeBench bench(device_);
    IM_RETURN_IF_ERROR(bench.Prepare(work));
    return kernels::MeasureMicroseconds(stream_, rounds, [&] { return bench.Enqueue(); });
  }

 private:
  const cuda::DriverTable& table() const { return resources_->device->table(); }
  Status Check(int code, const char* call) const { return resources_->device->Check(code, call); }
  // Memory that the work uses goes with its caller.
  Result<std::vector<double>> Ended(Result<std::vector<double>> measured) const {
    (void)stream_.Synchronize();
    return measured;
  }

  const DeviceBench& device_;
  const std::shared_ptr<const cuda::Resources>& resources_;
  const cuda::Stream& stream_;
};

class MeasureTask : public LaneTask {
 public:
  MeasureTask(Napi::Env env, std::shared_ptr<Lanes> lanes, Napi::Object options)
      : LaneTask(env, std::move(lanes), kStage),
        cuda_path_(RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath")),
        device_(static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023))),
        rounds_{static_cast<int>(RequireInteger(Field(options, "rounds"), "options.rounds", 1, kMaximumRounds)),
                static_cast<int>(RequireInteger(Field(options, "together"), "options.together", 1, kMaximumRounds))} {}

  void SetWork(Napi::Object work) {
    switch (RequireOneOf(Field(work, "kind"), "work.kind", {"fill", "preprocess", "decode", "map"})) {
      case 0: return SetFill(work);
      case 1: return SetPreprocess(work);
      default: work_ = DecodeWork::Read(work);
    }
  }

  Status Execute() override {
    const Result<std::unique_ptr<const DeviceBench>> device = DeviceBench::Open(cuda_path_, device_);
    if (!device.ok()) return device.status();
    const Bench bench(*device.value());
    Result<std::vector<double>> measured = std::visit([&](const auto& work) { return bench.Measure(work, rounds_); }, work_);
    if (!measured.ok()) return measured.status();
    microseconds_ = std::move(measured.value());
    return {};
  }

  Napi::Value Value(Napi::Env env) override { return ToJavaScript(env, microseconds_); }

 private:
  void SetFill(Napi::Object work) {
    work_ = FillWork{static_cast<std::size_t>(RequireInteger(Field(work, "bytes"), "work.bytes", 1, kMaximumBytes))};
  }

  void SetPreprocess(Napi::Object work) {
    const bool half = RequireBoolean(Field(work, "half"), "work.half");
    StablePicture picture = ReadPicture(Field(work, "pixels"), Field(work, "image"), Field(work, "steps"));
    if (picture.copy == nullptr) Hold(picture.owner);
    copy_ = std::move(picture.copy);
    work_ = PreprocessWork{std::move(picture.picture), half};
  }

  const std::string cuda_path_;
  const int device_;
  const kernels::Rounds rounds_;
  Work work_;
  HostMemory copy_;
  std::vector<double> microseconds_;
};

Napi::Value MeasureDevice(const Napi::CallbackInfo& info, FunctionLane& lane) {
  const Napi::Env env = info.Env();
  const std::shared_ptr<Lanes>& lanes = lane.Get(env);
  auto task = std::make_unique<MeasureTask>(env, lanes, RequireObject(info[0], "options"));
  task->SetWork(RequireObject(info[1], "work"));
  return LaneTask::Submit(env, std::move(task), env.Null());
}

}  // namespace

void ExportDeviceMeasure(Napi::Env env, Napi::Object exports) { ExportOnLane(env, exports, "measureDevice", MeasureDevice); }

}  // namespace im
