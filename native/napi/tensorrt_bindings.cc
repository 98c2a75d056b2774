// loadTensorRtEngine and the engine object (src/native/addon.ts).
#include "tensorrt_bindings.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "base/elements.h"
#include "device_queue.h"
#include "environment.h"
#include "image_arguments.h"
#include "lane_task.h"
#include "tensor_values.h"
#include "tensorrt_values.h"
#include "tensorrt/executor_pool.h"
#include "tensorrt/library.h"
#include "tensorrt/plan.h"

namespace im {
namespace {

constexpr char kLoadStage[] = "tensorrt.load";
constexpr char kRunStage[] = "tensorrt.run";
// Loading is bound by the disk and by copies to the device; more at once would not be faster.
constexpr unsigned kLoaderThreads = 2;
constexpr std::int64_t kMaximumContexts = 64;
constexpr std::int64_t kMaximumGraphs = 1024;

// An engine and what runs it. Tasks share it, so it outlives its JavaScript object while a run is in progress.
struct EngineState {
  std::shared_ptr<DeviceQueue> queue;
  // Closing frees these two on the device's thread, while runs that have ended are still to be settled on the JavaScript thread.
  std::shared_ptr<const trt::Engine> engine;
  std::shared_ptr<trt::ExecutorPool> executors;
  std::vector<trt::Tensor> inputs;
  std::vector<trt::Tensor> outputs;
  trt::Version library;
  // JavaScript thread.
  bool closed = false;
  const std::shared_ptr<RunCounters> counters = std::make_shared<RunCounters>();
};

// Per JavaScript environment.
struct Room {
  Napi::FunctionReference engine_class;
  DeviceQueues queues;
  // After what its tasks use: destroyed, that is stopped, before it.
  std::shared_ptr<StoppableLanes> loader;
  // Handed from a finished load to the constructor of the engine object, so that nobody else can call that.
  std::shared_ptr<EngineState> arriving;
};

// ------------------------------------------------------------------------------------------------------------------ run

class RunTask : public DeviceTask {
 public:
  RunTask(Napi::Env env, std::shared_ptr<EngineState> state)
      : DeviceTask(env, state->queue->lanes(), kRunStage),
        state_(std::move(state)),
        counted_(state_->counters, state_->queue->counters()) {}

  void SetInput(std::size_t index, Napi::Object tensor, const std::string& where) {
    const Napi::Env env = tensor.Env();
    const trt::Tensor& port = state_->inputs[index];
    const int type = static_cast<int>(RequireInteger(Field(tensor, "type"), where + ".type", 0, 1000));
    if (type != port.type) {
      ThrowInvalid(env, where + " has elements of type " + ElementName(type) + "; input \"" + port.name + "\" takes " +
                            ElementName(port.type) + ".");
    }
    trt::InputView& view = inputs_[index];
    if (view.data != nullptr) ThrowInvalid(env, where + " names input \"" + port.name + "\" a second time.");
    view.shape = ReadDims(Field(tensor, "dims"), where + ".dims");
    const Napi::Value pictures = Field(tensor, "pictures");
    if (!pictures.IsUndefined()) return SetPictures(view, port, pictures, where + ".pictures");
    const Span<std::uint8_t> given = ReadTypedArray(Field(tensor, "data"), where + ".data");
    StableBytes stable = Stabilize(env, {given.data, given.size, given.owner}, "input \"" + port.name + "\"");
    view.data = stable.data;
    view.bytes = stable.size;
    if (stable.copy == nullptr) Hold(stable.owner);
    else copies_.push_back(std::move(stable.copy));
  }

  // The device makes the tensor of them.
  void SetPictures(trt::InputView& view, const trt::Tensor& port, Napi::Value value, const std::string& where) {
    const Napi::Env env = value.Env();
    if (!value.IsArray() || value.As<Napi::Array>().Length() == 0) ThrowArgument(env, where, "an array of pictures", value);
    if (!pictures_.empty()) ThrowInvalid(env, where + ": only one input can be made of pictures.");
    const Napi::Array list = value.As<Napi::Array>();
    for (std::uint32_t i = 0; i < list.Length(); ++i) {
      const Napi::Object entry = RequireObject(list.Get(i), where + "[" + std::to_string(i) + "]");
      StablePicture picture = ReadPicture(Field(entry, "pixels"), Field(entry, "image"), Field(entry, "steps"));
      pictures_.push_back(std::move(picture.picture));
      if (picture.copy == nullptr) Hold(picture.owner);
      else copies_.push_back(std::move(picture.copy));
    }
    view.bytes = ElementCount(view.shape).value_or(0) * ElementSize(port.type);
    view.data = pictures_.front().image.pixels;  // anything: the input is not missing
    pictured_ = &view;
  }

  void SetInputs(Napi::Array tensors) {
    const std::vector<trt::Tensor>& ports = state_->inputs;
    inputs_.resize(ports.size());
    for (std::uint32_t i = 0; i < tensors.Length(); ++i) {
      const std::string where = "inputs[" + std::to_string(i) + "]";
      Napi::Object tensor = RequireObject(tensors.Get(i), where);
      const std::string name = RequireString(Field(tensor, "name"), where + ".name");
      std::size_t index = 0;
      while (index < ports.size() && ports[index].name != name) ++index;
      if (index == ports.size()) ThrowInvalid(tensors.Env(), where + ": the engine has no input \"" + name + "\".");
      SetInput(index, tensor, where);
    }
    for (std::size_t i = 0; i < ports.size(); ++i) {
      if (inputs_[i].data == nullptr) ThrowInvalid(tensors.Env(), "Input \"" + ports[i].name + "\" is missing.");
    }
  }

  void Abandon() override {
    DeviceTask::Abandon();
    Settled();
  }

  Napi::Value Value(Napi::Env env) override {
    const std::vector<trt::Tensor>& ports = state_->outputs;
    Napi::Array tensors = Napi::Array::New(env, outputs_.size());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      Output& output = outputs_[i];
      Napi::Object tensor = Napi::Object::New(env);
      tensor.Set("name", ports[i].name);
      tensor.Set("type", ports[i].type);
      Napi::Array dims = Napi::Array::New(env, output.shape.size());
      for (std::size_t d = 0; d < output.shape.size(); ++d)
        dims.Set(static_cast<std::uint32_t>(d), static_cast<double>(output.shape[d]));
      tensor.Set("dims", dims);
      if (output.bytes <= kCopiedOutputBytes) {
        tensor.Set("data", CopyElements(env, ports[i].type, output.memory.get(), output.bytes));
      } else {
        void* memory = output.memory.release();
        tensor.Set("data", AdoptElements(env, ports[i].type, memory, output.bytes, std::free, memory));
      }
      tensors.Set(static_cast<std::uint32_t>(i), tensor);
    }
    return tensors;
  }

 protected:
  bool CanSubmit() override {
    lease_ = state_->executors->TryTake();
    return static_cast<bool>(lease_);
  }

  Status Submit() override {
    counted_.Start();
    if (!pictures_.empty()) {
      Result<kernels::PreprocessJob> job = kernels::PreprocessJob::Make(pictures_);
      if (!job.ok()) return job.status();
      job_ = std::move(job.value());
      pictured_->job = &job_;
    }
    IM_RETURN_IF_ERROR(lease_->Submit(inputs_));
    ExpectCompletion();
    return {};
  }

  Status Complete() override {
    const Result<std::vector<trt::OutputView>> views = lease_->Wait();
    if (!views.ok()) return views.status();
    for (const trt::OutputView& view : views.value()) {
      Output output{HostMemory(std::malloc(view.bytes == 0 ? 1 : view.bytes)), view.bytes, view.shape};
      if (output.memory == nullptr) return {Code::kOutOfMemory, kRunStage, "Not enough memory for the outputs of this run."};
      if (view.bytes > 0) std::memcpy(output.memory.get(), view.data, view.bytes);
      outputs_.push_back(std::move(output));
    }
    return {};
  }

  void Settled() override {
    lease_ = {};
    counted_.End(status().code());
    state_->queue->lanes()->Wake();
  }

 private:
  struct Output {
    HostMemory memory;
    std::size_t bytes;
    trt::Shape shape;
  };

  const std::shared_ptr<EngineState> state_;
  trt::ExecutorPool::Lease lease_;
  std::vector<trt::InputView> inputs_;
  std::vector<HostMemory> copies_;
  std::vector<kernels::Picture> pictures_;
  kernels::PreprocessJob job_;
  trt::InputView* pictured_ = nullptr;  // the input that they make
  std::vector<Output> outputs_;
  CountedRun counted_;
};

// Frees the executors when no run waits for one or has one.
class CloseTask : public DeviceTask {
 public:
  CloseTask(Napi::Env env, std::shared_ptr<EngineState> state)
      : DeviceTask(env, state->queue->lanes(), kRunStage), state_(std::move(state)) {}
  Napi::Value Value(Napi::Env env) override { return env.Undefined(); }

 protected:
  bool CanSubmit() override { return state_->counters->Read().waiting == 0 && state_->executors->AllFree(); }
  Status Submit() override {
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
        {InstanceMethod<&NativeTensorRtEngine::Run>("run"), InstanceMethod<&NativeTensorRtEngine::Statistics>("statistics"),
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
    if (state_->closed) ThrowStatus(env, {Code::kClosed, kRunStage, "The engine is closed."});
    if (!info[0].IsArray()) ThrowArgument(env, "inputs", "an array of tensors", info[0]);
    auto task = std::make_unique<RunTask>(env, state_);
    task->SetInputs(info[0].As<Napi::Array>());
    return LaneTask::Submit(env, std::move(task), info[1].IsUndefined() ? env.Null() : info[1]);
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
    if (state_->closed) ThrowStatus(env, {Code::kClosed, kRunStage, "The engine is closed."});
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
};

class LoadTask : public LaneTask {
 public:
  LoadTask(Napi::Env env, Room* room, LoadSettings settings)
      : LaneTask(env, room->loader->lanes, kLoadStage),
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
      if (!file.ok()) return file.status();
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
    if (settings_.prepares_pictures) {
      Result<std::shared_ptr<const kernels::PreprocessKernel>> kernel =
          kernels::PreprocessKernel::Load(queue.value()->resources()->device);
      if (!kernel.ok()) return kernel.status();
      options.preprocess = std::move(kernel.value());
    }
    Result<std::shared_ptr<trt::ExecutorPool>> executors = trt::ExecutorPool::Create(engine.value(), settings_.contexts, options);
    if (!executors.ok()) return executors.status();
    state_ = std::make_shared<EngineState>();
    state_->queue = queue.value();
    state_->engine = std::move(engine.value());
    state_->inputs = state_->engine->inputs();
    state_->outputs = state_->engine->outputs();
    state_->executors = std::move(executors.value());
    state_->library = library.value().version();
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    const Status started = state_->queue->Start(state_->queue);
    if (!started.ok()) ThrowStatus(env, started);
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
  settings.engine.host_code_allowed = RequireBoolean(Field(options, "engineHostCodeAllowed"), "options.engineHostCodeAllowed");
  return settings;
}

Napi::Value LoadEngine(const Napi::CallbackInfo& info, Room* room) {
  const Napi::Env env = info.Env();
  LoadSettings settings = ReadSettings(RequireObject(info[1], "options"));
  if (room->loader == nullptr) {
    auto loader = std::make_shared<StoppableLanes>(Environment::Get(env));
    const Status started = loader->lanes->Start(kLoaderThreads);
    if (!started.ok()) ThrowStatus(env, started);
    Environment::Get(env)->StopAtExit(loader);
    room->loader = std::move(loader);
  }
  auto task = std::make_unique<LoadTask>(env, room, std::move(settings));
  if (info[0].IsString()) task->SetPath(RequireString(info[0], "plan"));
  else if (info[0].IsTypedArray()) task->SetBytes(env, RequireUint8Array(info[0], "plan"));
  else ThrowArgument(env, "plan", "a path or a Uint8Array", info[0]);
  return LaneTask::Submit(env, std::move(task), info[2].IsUndefined() ? env.Null() : info[2]);
}

}  // namespace

void ExportTensorRt(Napi::Env env, Napi::Object exports) {
  auto* room = new Room();
  room->engine_class = Napi::Persistent(NativeTensorRtEngine::Define(env, room));
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Room*>(data); }, room);
  exports.Set(
      "loadTensorRtEngine",
      Napi::Function::New(env, [room](const Napi::CallbackInfo& info) { return LoadEngine(info, room); }, "loadTensorRtEngine"));
}

}  // namespace im
