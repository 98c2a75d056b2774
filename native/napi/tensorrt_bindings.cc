// loadTensorRtEngine and the engine object (src/native/addon.ts).
#include "tensorrt_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "base/elements.h"
#include "device_queue.h"
#include "device_tensor.h"
#include "environment.h"
#include "lane_task.h"
#include "tensor_values.h"
#include "tensorrt_run.h"
#include "tensorrt_values.h"
#include "tensorrt/plan.h"

namespace im {
namespace {

constexpr char kLoadStage[] = "tensorrt.load";
// Loading is bound by the disk and by copies to the device; more at once would not be faster.
constexpr unsigned kLoaderThreads = 2;
constexpr std::int64_t kMaximumContexts = 64;
constexpr std::int64_t kMaximumGraphs = 1024;

// Per JavaScript environment.
struct Room {
  Napi::FunctionReference engine_class;
  Napi::FunctionReference tensor_class;
  DeviceQueues queues;
  // After what its tasks use: destroyed, that is stopped, before it.
  std::shared_ptr<StoppableLanes> loader;
  // Handed from a finished load to the constructor of the engine object, so that nobody else can call that.
  std::shared_ptr<EngineState> arriving;
};

// Frees the executors when no run waits for one or has one.
class CloseTask : public DeviceTask {
 public:
  CloseTask(Napi::Env env, std::shared_ptr<EngineState> state)
      : DeviceTask(env, *state->queue, kTensorRtRunStage), state_(std::move(state)) {}
  Napi::Value Value(Napi::Env env) override { return env.Undefined(); }

 protected:
  bool CanSubmit() override { return state_->counters->Read().waiting == 0 && state_->executors->AllFree(); }
  Status Submit() override {
    state_->completion->Stop();
    state_->executors.reset();
    state_->engine.reset();
    return {};
  }

 private:
  const std::shared_ptr<EngineState> state_;
};

// --------------------------------------------------------------------------------------------------------------- engine

Napi::Object DescribeRuns(Napi::Env env, const RunCounts& counts) {
  Napi::Object result = Napi::Object::New(env);
  const auto set = [&](const char* name, std::uint64_t value) { result.Set(name, static_cast<double>(value)); };
  set("waiting", counts.waiting);
  set("running", counts.running);
  set("completed", counts.completed);
  set("failed", counts.failed);
  set("cancelled", counts.cancelled);
  set("refused", counts.refused);
  set("mostWaiting", counts.most_waiting);
  result.Set("longestWaitMs", std::chrono::duration<double, std::milli>(counts.longest_wait).count());
  return result;
}

class NativeTensorRtEngine : public Napi::ObjectWrap<NativeTensorRtEngine> {
 public:
  static Napi::Function Define(Napi::Env env, Room* room) {
    return DefineClass(
        env, "NativeTensorRtEngine",
        {InstanceMethod<&NativeTensorRtEngine::Run>("run"), InstanceMethod<&NativeTensorRtEngine::RunDetections>("runDetections"),
         InstanceMethod<&NativeTensorRtEngine::RunMaps>("runMaps"),
         InstanceMethod<&NativeTensorRtEngine::Statistics>("statistics"),
         InstanceMethod<&NativeTensorRtEngine::CountRefusal>("countRefusal"),
         InstanceMethod<&NativeTensorRtEngine::Close>("close")},
        room);
  }

  explicit NativeTensorRtEngine(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    auto* room = static_cast<Room*>(info.Data());
    if (room->arriving == nullptr) throw Napi::TypeError::New(info.Env(), "Engines are made by loadTensorRtEngine.");
    state_ = std::move(room->arriving);
    const Napi::Env env = info.Env();
    const trt::Engine& engine = *state_->engine;
    const trt::EngineDescription& description = engine.description();
    const cuda::Device& device = *engine.resources()->device;
    Napi::Object self = info.This().As<Napi::Object>();
    self.Set("name", description.name);
    self.Set("inputs", DescribePorts(env, engine.inputs()));
    self.Set("outputs", DescribePorts(env, engine.outputs()));
    self.Set("libraryVersion", state_->library.Text());
    self.Set("builtByVersion", description.plan_version.Text());
    self.Set("layers", description.layers);
    self.Set("profile", engine.profile());
    self.Set("profiles", description.profiles);
    self.Set("hardwareCompatibility", CompatibilityName(description.hardware_compatibility));
    self.Set("device", device.ordinal());
    self.Set("deviceName", device.name());
  }

 private:
  Napi::Value Run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    return StartRun(env, state_, info[0], info[1], info[2]);
  }

  Napi::Value RunDetections(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    return StartDetections(env, state_, info[0], info[1], info[2]);
  }

  Napi::Value RunMaps(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    return StartMaps(env, state_, info[0], info[1], info[2]);
  }

  void RequireOpen(Napi::Env env) const {
    if (state_->closed) ThrowStatus(env, {Code::kClosed, kTensorRtRunStage, "The engine is closed."});
  }

  Napi::Value Statistics(const Napi::CallbackInfo& info) {
    Napi::Object result = Napi::Object::New(info.Env());
    const auto set = [&](const char* name, std::uint64_t value) { result.Set(name, static_cast<double>(value)); };
    result.Set("runs", DescribeRuns(info.Env(), state_->counters->Read()));
    result.Set("deviceRuns", DescribeRuns(info.Env(), state_->queue->counters()->Read()));
    // Closing takes these away on another thread; what was is not of interest then.
    const bool open = !state_->closed;
    const trt::ExecutorStatistics graphs = open ? state_->executors->statistics() : trt::ExecutorStatistics();
    set("graphLaunches", graphs.graph_launches);
    set("graphsCaptured", graphs.graphs_captured);
    set("graphsGivenUp", graphs.graphs_given_up);
    result.Set("lastCaptureFailure", graphs.last_capture_failure.empty()
                                         ? info.Env().Null()
                                         : Napi::String::New(info.Env(), graphs.last_capture_failure).As<Napi::Value>());
    set("engineBytes", open ? state_->engine->bytes_in_use() : 0);
    set("scratchBytes", open ? state_->engine->description().scratch_bytes : 0);
    set("deviceBytes", state_->queue->resources()->memory->bytes_in_use());
    set("pinnedBytes", state_->queue->resources()->pinned->bytes_in_use());
    return result;
  }

  // A run that found no place in the queue, which is counted on the other side.
  Napi::Value CountRefusal(const Napi::CallbackInfo& info) {
    state_->counters->Refuse();
    state_->queue->counters()->Refuse();
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    state_->closed = true;
    auto task = std::make_unique<CloseTask>(env, state_);
    return LaneTask::Submit(env, std::move(task), env.Null());
  }

  std::shared_ptr<EngineState> state_;
};

// ----------------------------------------------------------------------------------------------------------------- load

struct LoadSettings {
  std::string cuda_path;
  std::string tensorrt_path;
  int device = 0;
  std::size_t contexts = 1;
  trt::EngineOptions engine;
  trt::ExecutorOptions executor;
  bool prepares_pictures = false;
  bool decodes_outputs = false;
};

class LoadTask : public LaneTask {
 public:
  LoadTask(Napi::Env env, std::shared_ptr<Lanes> lanes, Room* room, LoadSettings settings)
      : LaneTask(env, std::move(lanes), kLoadStage),
        room_(room),
        environment_(Environment::Get(env)),
        settings_(std::move(settings)) {}

  void SetPath(std::string path) { path_ = std::move(path); }
  void SetBytes(Napi::Env env, const Span<const std::uint8_t>& bytes) {
    StableBytes stable = Stabilize(env, bytes, "the engine");
    if (stable.copy == nullptr) Hold(stable.owner);
    plan_ = std::move(stable.copy);
    data_ = stable.data;
    size_ = stable.size;
  }

  Status Execute() override {
    if (data_ == nullptr) {
      Result<FileBytes> file = ReadFile(path_, "engine", kLoadStage);
      if (!file.ok()) return Status(file.status()).With(Reason::kEngineUnreadable);
      plan_ = std::move(file.value().memory);
      data_ = plan_.get();
      size_ = file.value().size;
    }
    // The file first: it is the part that is wrong most often, and needs nothing installed to be found out.
    const Result<trt::Version> plan = trt::ReadPlanVersion(data_, size_);
    if (!plan.ok()) return plan.status();
    const Result<std::shared_ptr<DeviceQueue>> queue = room_->queues.Get(environment_, settings_.cuda_path, settings_.device);
    if (!queue.ok()) return queue.status();
    const Result<trt::InferLibrary> library =
        trt::OpenInferLibraryFor(plan.value(), settings_.tensorrt_path, settings_.engine.host_code_allowed);
    if (!library.ok()) return library.status();
    Result<std::shared_ptr<const trt::Engine>> engine =
        trt::Engine::Load(library.value(), queue.value()->resources(), data_, size_, settings_.engine);
    if (!engine.ok()) return engine.status();
    plan_.reset();
    trt::ExecutorOptions options = settings_.executor;
    Result<std::shared_ptr<const trt::DeviceStore>> store = trt::DeviceStore::Create(queue.value()->resources());
    if (!store.ok()) return store.status();
    options.store = std::move(store.value());
    if (settings_.prepares_pictures) {
      Result<std::shared_ptr<const kernels::PreprocessKernel>> kernel =
          kernels::PreprocessKernel::Load(queue.value()->resources()->device);
      if (!kernel.ok()) return kernel.status();
      options.kernels.preprocess = std::move(kernel.value());
    }
    if (settings_.decodes_outputs) {
      Result<std::shared_ptr<const trt::DecodingKernels>> kernels =
          trt::DecodingKernels::Load(queue.value()->resources()->device);
      if (!kernels.ok()) return kernels.status();
      options.kernels.decoding = std::move(kernels.value());
    }
    Result<std::shared_ptr<trt::ExecutorPool>> executors = trt::ExecutorPool::Create(engine.value(), settings_.contexts, options);
    if (!executors.ok()) return executors.status();
    // An engine that nobody has closed ends with its JavaScript object or with its last run, both on JavaScript's thread.
    state_.reset(new EngineState(),
                 [](EngineState* last) { DeviceQueue::Discard(last->queue, std::shared_ptr<const EngineState>(last)); });
    state_->queue = queue.value();
    state_->engine = std::move(engine.value());
    state_->inputs = state_->engine->inputs();
    state_->outputs = state_->engine->outputs();
    state_->executors = std::move(executors.value());
    state_->library = library.value().version();
    state_->tensor_class = &room_->tensor_class;
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    const Status started = state_->queue->Start(state_->queue);
    if (!started.ok()) ThrowStatus(env, started);
    Result<std::shared_ptr<Lanes>> completion = state_->queue->AddCompletion();
    if (!completion.ok()) ThrowStatus(env, completion.status());
    state_->completion = std::move(completion.value());
    room_->arriving = std::move(state_);
    return room_->engine_class.New({});
  }

 private:
  Room* const room_;
  Environment* const environment_;
  const LoadSettings settings_;
  std::string path_;
  HostMemory plan_;
  const void* data_ = nullptr;
  std::size_t size_ = 0;
  std::shared_ptr<EngineState> state_;
};

LoadSettings ReadSettings(Napi::Object options) {
  LoadSettings settings;
  settings.cuda_path = RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath");
  settings.tensorrt_path = RequireString(Field(options, "tensorRtLibraryPath"), "options.tensorRtLibraryPath");
  settings.device = static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023));
  settings.contexts =
      static_cast<std::size_t>(RequireInteger(Field(options, "contexts"), "options.contexts", 1, kMaximumContexts));
  settings.executor.graphs =
      static_cast<std::size_t>(RequireInteger(Field(options, "graphs"), "options.graphs", 0, kMaximumGraphs));
  settings.engine.profile = static_cast<int>(RequireInteger(Field(options, "profile"), "options.profile", 0, 1023));
  settings.prepares_pictures = RequireBoolean(Field(options, "preparesPictures"), "options.preparesPictures");
  settings.decodes_outputs = RequireBoolean(Field(options, "decodesOutputs"), "options.decodesOutputs");
  settings.engine.host_code_allowed = RequireBoolean(Field(options, "engineHostCodeAllowed"), "options.engineHostCodeAllowed");
  return settings;
}

Napi::Value LoadEngine(const Napi::CallbackInfo& info, Room* room) {
  const Napi::Env env = info.Env();
  LoadSettings settings = ReadSettings(RequireObject(info[1], "options"));
  const std::shared_ptr<Lanes>& lanes = LanesOf(env, room->loader, kLoaderThreads);
  auto task = std::make_unique<LoadTask>(env, lanes, room, std::move(settings));
  if (info[0].IsString()) task->SetPath(RequireString(info[0], "plan"));
  else if (info[0].IsTypedArray()) task->SetBytes(env, RequireUint8Array(info[0], "plan"));
  else ThrowArgument(env, "plan", "a path or a Uint8Array", info[0]);
  return LaneTask::Submit(env, std::move(task), info[2].IsUndefined() ? env.Null() : info[2]);
}

}  // namespace

void ExportTensorRt(Napi::Env env, Napi::Object exports) {
  auto* room = new Room();
  room->engine_class = Napi::Persistent(NativeTensorRtEngine::Define(env, room));
  room->tensor_class = Napi::Persistent(NativeDeviceTensor::Define(env));
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Room*>(data); }, room);
  exports.Set(
      "loadTensorRtEngine",
      Napi::Function::New(env, [room](const Napi::CallbackInfo& info) { return LoadEngine(info, room); }, "loadTensorRtEngine"));
}

}  // namespace im
