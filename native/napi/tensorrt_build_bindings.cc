#include "tensorrt_build_bindings.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "device_queue.h"
#include "environment.h"
#include "lane_task.h"
#include "tensor_values.h"
#include "tensorrt/builder.h"
#include "tensorrt/plan.h"
#include "tensorrt_values.h"

namespace im {
namespace {

constexpr char kStage[] = "tensorrt.build";
constexpr int kByteType = 2;  // ONNX's uint8
constexpr std::uint32_t kMaximumProfiles = 64;
constexpr std::int64_t kMaximumWorkspace = std::int64_t{1} << 50;

// Per JavaScript environment. One thread: builds measure how long things take, and would disturb each other.
struct Workshop {
  DeviceQueues queues;
  // After what its tasks use: destroyed, that is stopped, before it.
  std::shared_ptr<StoppableLanes> builder;
};

struct Where {
  std::string cuda_path;
  std::string tensorrt_path;
  int device = 0;
};

Where ReadWhere(Napi::Object options) {
  return {RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath"),
          RequireString(Field(options, "tensorRtLibraryPath"), "options.tensorRtLibraryPath"),
          static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023))};
}

std::vector<char> CopyBytes(const Span<const std::uint8_t>& bytes) { return {bytes.data, bytes.data + bytes.size}; }

Napi::Value HandOver(Napi::Env env, const std::vector<char>& bytes) {
  return CopyElements(env, kByteType, bytes.data(), bytes.size());
}

// ---------------------------------------------------------------------------------------------------------------- build

struct BuildSettings {
  Where where;
  trt::BuildOptions options;
  bool with_cache = false;
  std::vector<char> timing_cache;
};

trt::InputRange ReadRange(Napi::Object given, const std::string& where) {
  return {RequireString(Field(given, "input"), where + ".input"),
          {ReadDims(Field(given, "minimum"), where + ".minimum"), ReadDims(Field(given, "optimum"), where + ".optimum"),
           ReadDims(Field(given, "maximum"), where + ".maximum")}};
}

std::vector<std::vector<trt::InputRange>> ReadProfiles(Napi::Value value) {
  if (!value.IsArray()) ThrowArgument(value.Env(), "options.profiles", "an array", value);
  Napi::Array given = value.As<Napi::Array>();
  if (given.Length() > kMaximumProfiles)
    ThrowInvalid(value.Env(), "At most " + std::to_string(kMaximumProfiles) + " profiles can be built.");
  std::vector<std::vector<trt::InputRange>> profiles(given.Length());
  for (std::uint32_t i = 0; i < given.Length(); ++i) {
    const std::string where = "options.profiles[" + std::to_string(i) + "]";
    Napi::Value ranges = given.Get(i);
    if (!ranges.IsArray()) ThrowArgument(value.Env(), where, "an array", ranges);
    for (std::uint32_t j = 0; j < ranges.As<Napi::Array>().Length(); ++j) {
      const std::string inside = where + "[" + std::to_string(j) + "]";
      profiles[i].push_back(ReadRange(RequireObject(ranges.As<Napi::Array>().Get(j), inside), inside));
    }
  }
  return profiles;
}

BuildSettings ReadSettings(Napi::Object options) {
  BuildSettings settings;
  settings.where = ReadWhere(options);
  trt::BuildOptions& build = settings.options;
  build.fp16 = RequireBoolean(Field(options, "fp16"), "options.fp16");
  build.strongly_typed = RequireBoolean(Field(options, "stronglyTyped"), "options.stronglyTyped");
  build.version_compatible = RequireBoolean(Field(options, "versionCompatible"), "options.versionCompatible");
  build.workspace_bytes = static_cast<std::uint64_t>(
      RequireInteger(Field(options, "workspaceBytes"), "options.workspaceBytes", 0, kMaximumWorkspace));
  build.hardware = static_cast<trt::HardwareCompatibility>(RequireOneOf(
      Field(options, "hardwareCompatibility"), "options.hardwareCompatibility",
      {CompatibilityName(trt::HardwareCompatibility::kNone), CompatibilityName(trt::HardwareCompatibility::kAmperePlus),
       CompatibilityName(trt::HardwareCompatibility::kSameComputeCapability)}));
  const Napi::Value batch = Field(options, "batch");
  if (!batch.IsNull()) {
    Napi::Object range = RequireObject(batch, "options.batch");
    const auto size = [&](const char* key) {
      return RequireInteger(Field(range, key), std::string("options.batch.") + key, 1, kMaximumDimension);
    };
    build.shapes.batch = trt::BatchRange{size("minimum"), size("optimum"), size("maximum")};
  }
  const Napi::Value image = Field(options, "imageSize");
  if (!image.IsNull()) {
    Napi::Object size = RequireObject(image, "options.imageSize");
    build.shapes.image = trt::ImageSize{RequireInteger(Field(size, "height"), "options.imageSize.height", 1, kMaximumDimension),
                                        RequireInteger(Field(size, "width"), "options.imageSize.width", 1, kMaximumDimension)};
  }
  build.shapes.profiles = ReadProfiles(Field(options, "profiles"));
  const Napi::Value cache = Field(options, "timingCache");
  settings.with_cache = !cache.IsNull();
  if (settings.with_cache) settings.timing_cache = CopyBytes(RequireUint8Array(cache, "options.timingCache"));
  return settings;
}

// How progress gets to JavaScript: asked for by the builder's threads, at most one call on its way at a time.
struct Announcer {
  Environment* environment = nullptr;
  std::atomic<bool> on_its_way{false};
  // JavaScript thread; null when the build is over.
  const trt::BuildProgress* progress = nullptr;
  Napi::FunctionReference* callback = nullptr;

  void Announce(Napi::Env env) {
    on_its_way = false;
    if (progress == nullptr || callback->IsEmpty()) return;
    const std::vector<trt::BuildPhase> phases = progress->phases();
    Napi::Array result = Napi::Array::New(env, phases.size());
    for (std::size_t i = 0; i < phases.size(); ++i) {
      Napi::Object phase = Napi::Object::New(env);
      phase.Set("name", phases[i].name);
      phase.Set("parent", phases[i].parent);
      phase.Set("steps", phases[i].steps);
      phase.Set("done", phases[i].done);
      result.Set(static_cast<std::uint32_t>(i), phase);
    }
    callback->Call({result});
  }
};

class BuildTask : public LaneTask {
 public:
  BuildTask(Napi::Env env, Workshop* workshop, BuildSettings settings)
      : LaneTask(env, workshop->builder->lanes, kStage),
        workshop_(workshop),
        announcer_(std::make_shared<Announcer>()),
        progress_([announcer = announcer_] {
          if (announcer->on_its_way.exchange(true)) return;
          announcer->environment->Post([announcer](Napi::Env now) { announcer->Announce(now); });
        }),
        settings_(std::move(settings)) {
    announcer_->environment = Environment::Get(env);
    announcer_->progress = &progress_;
    announcer_->callback = &callback_;
    if (settings_.with_cache) settings_.options.timing_cache = &settings_.timing_cache;
  }
  ~BuildTask() override { announcer_->progress = nullptr; }

  void SetCallback(Napi::Function callback) { callback_ = Napi::Persistent(callback); }
  void SetPath(std::string path) { path_ = std::move(path); }
  void SetBytes(Napi::Env env, const Span<const std::uint8_t>& bytes) {
    StableBytes stable = Stabilize(env, bytes, "the model");
    if (stable.copy == nullptr) Hold(stable.owner);
    model_ = std::move(stable.copy);
    data_ = stable.data;
    size_ = stable.size;
  }

  void Interrupt() override { progress_.Cancel(); }

  Status Execute() override {
    const Result<std::shared_ptr<DeviceQueue>> queue =
        workshop_->queues.Get(announcer_->environment, settings_.where.cuda_path, settings_.where.device);
    if (!queue.ok()) return queue.status();
    const cuda::Device& device = *queue.value()->resources()->device;
    const Result<trt::InferLibrary> library = trt::OpenBuilderLibrary(settings_.where.tensorrt_path);
    if (!library.ok()) return library.status();
    if (data_ == nullptr) {
      Result<FileBytes> file = ReadFile(path_, "model", "tensorrt.parse");
      if (!file.ok()) return file.status();
      model_ = std::move(file.value().memory);
      data_ = model_.get();
      size_ = file.value().size;
    }
    Result<trt::BuiltEngine> built = trt::BuildEngine(library.value(), device, settings_.where.tensorrt_path, data_, size_, path_,
                                                      settings_.options, progress_);
    if (!built.ok()) return built.status();
    model_.reset();
    built_ = std::move(built.value());
    library_version_ = library.value().version().Text();
    device_name_ = device.name();
    compute_capability_ = device.compute_capability();
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    void* memory = built_.memory.release();
    result.Set("engine", AdoptElements(env, kByteType, memory, built_.size, std::free, memory));
    result.Set("inputs", DescribePorts(env, built_.inputs));
    result.Set("outputs", DescribePorts(env, built_.outputs));
    result.Set("layers", built_.layers);
    result.Set("profiles", built_.profiles);
    result.Set("timingCache", settings_.with_cache ? HandOver(env, built_.timing_cache) : env.Null());
    result.Set("timingCacheRefused", built_.timing_cache_refused);
    result.Set("warnings", built_.warnings);
    result.Set("libraryVersion", library_version_);
    result.Set("device", settings_.where.device);
    result.Set("deviceName", device_name_);
    result.Set("computeCapability", std::to_string(compute_capability_ / 10) + "." + std::to_string(compute_capability_ % 10));
    return result;
  }

 private:
  Workshop* const workshop_;
  Napi::FunctionReference callback_;
  const std::shared_ptr<Announcer> announcer_;
  trt::BuildProgress progress_;
  BuildSettings settings_;
  std::string path_;
  HostMemory model_;
  const void* data_ = nullptr;
  std::size_t size_ = 0;
  trt::BuiltEngine built_;
  std::string library_version_;
  std::string device_name_;
  int compute_capability_ = 0;
};

// --------------------------------------------------------------------------------------------------------- timing caches

class CombineTask : public LaneTask {
 public:
  CombineTask(Napi::Env env, Workshop* workshop, Where where, std::vector<char> first, std::vector<char> second)
      : LaneTask(env, workshop->builder->lanes, kStage),
        workshop_(workshop),
        environment_(Environment::Get(env)),
        where_(std::move(where)),
        first_(std::move(first)),
        second_(std::move(second)) {}

  Status Execute() override {
    const Result<std::shared_ptr<DeviceQueue>> queue = workshop_->queues.Get(environment_, where_.cuda_path, where_.device);
    if (!queue.ok()) return queue.status();
    const Result<trt::InferLibrary> library = trt::OpenBuilderLibrary(where_.tensorrt_path);
    if (!library.ok()) return library.status();
    Result<std::vector<char>> combined =
        trt::CombineTimingCaches(library.value(), *queue.value()->resources()->device, first_, second_);
    if (!combined.ok()) return combined.status();
    combined_ = std::move(combined.value());
    return {};
  }
  Napi::Value Value(Napi::Env env) override { return HandOver(env, combined_); }

 private:
  Workshop* const workshop_;
  Environment* const environment_;
  const Where where_;
  const std::vector<char> first_;
  const std::vector<char> second_;
  std::vector<char> combined_;
};

void Start(Napi::Env env, Workshop* workshop) {
  if (workshop->builder != nullptr) return;
  auto builder = std::make_shared<StoppableLanes>(Environment::Get(env));
  const Status started = builder->lanes->Start(1);
  if (!started.ok()) ThrowStatus(env, started);
  Environment::Get(env)->StopAtExit(builder);
  workshop->builder = std::move(builder);
}

Napi::Value BuildEngine(const Napi::CallbackInfo& info, Workshop* workshop) {
  const Napi::Env env = info.Env();
  BuildSettings settings = ReadSettings(RequireObject(info[1], "options"));
  if (!info[2].IsNull() && !info[2].IsFunction()) ThrowArgument(env, "onProgress", "a function or null", info[2]);
  Start(env, workshop);
  auto task = std::make_unique<BuildTask>(env, workshop, std::move(settings));
  if (info[0].IsString()) task->SetPath(RequireString(info[0], "model"));
  else if (info[0].IsTypedArray()) task->SetBytes(env, RequireUint8Array(info[0], "model"));
  else ThrowArgument(env, "model", "a path or a Uint8Array", info[0]);
  if (info[2].IsFunction()) task->SetCallback(info[2].As<Napi::Function>());
  return LaneTask::Submit(env, std::move(task), info[3].IsUndefined() ? env.Null() : info[3]);
}

Napi::Value CombineCaches(const Napi::CallbackInfo& info, Workshop* workshop) {
  const Napi::Env env = info.Env();
  std::vector<char> first = CopyBytes(RequireUint8Array(info[0], "first"));
  std::vector<char> second = CopyBytes(RequireUint8Array(info[1], "second"));
  Where where = ReadWhere(RequireObject(info[2], "options"));
  Start(env, workshop);
  return LaneTask::Submit(
      env, std::make_unique<CombineTask>(env, workshop, std::move(where), std::move(first), std::move(second)), env.Null());
}

Napi::Value ReadPlanVersion(const Napi::CallbackInfo& info) {
  const Span<const std::uint8_t> bytes = RequireUint8Array(info[0], "plan");
  const Result<trt::Version> version = trt::ReadPlanVersion(bytes.data, bytes.size);
  if (!version.ok()) ThrowStatus(info.Env(), version.status());
  return Napi::String::New(info.Env(), version.value().Text());
}

}  // namespace

void ExportTensorRtBuild(Napi::Env env, Napi::Object exports) {
  auto* workshop = new Workshop();
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Workshop*>(data); }, workshop);
  exports.Set("buildTensorRtEngine", Napi::Function::New(
                                         env, [workshop](const Napi::CallbackInfo& info) { return BuildEngine(info, workshop); },
                                         "buildTensorRtEngine"));
  exports.Set("combineTensorRtTimingCaches",
              Napi::Function::New(
                  env, [workshop](const Napi::CallbackInfo& info) { return CombineCaches(info, workshop); },
                  "combineTensorRtTimingCaches"));
  exports.Set("readTensorRtPlanVersion", Napi::Function::New(env, ReadPlanVersion, "readTensorRtPlanVersion"));
}

}  // namespace im
