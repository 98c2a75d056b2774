// openOnnxRuntime, createSession and the session object (src/native/addon.ts).
//
// Cancelling, closing and the end of the environment all happen on the JavaScript thread; only Lanes is shared.
#include "onnxruntime_bindings.h"

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "environment.h"
#include "lane_task.h"
#include "memory.h"
#include "onnxruntime_description.h"
#include "onnxruntime_run.h"
#include "tensor_values.h"
#include "onnxruntime/runtime.h"
#include "onnxruntime/session.h"

namespace im {
namespace {

constexpr char kLoadStage[] = "onnxruntime.load";
// Creations compete for memory bandwidth and disk, so more at once would not be faster.
constexpr unsigned kLoaderThreads = 2;

const ort::Runtime& RequireRuntime(Napi::Env env) {
  if (const ort::Runtime* runtime = ort::Runtime::Get()) return *runtime;
  ThrowInvalid(env, "ONNX Runtime is not open: call openOnnxRuntime first.");
}

// Per JavaScript environment.
struct Room {
  Napi::FunctionReference session_class;
  std::shared_ptr<StoppableLanes> loader;
  // Handed from a finished creation to the constructor of the session object, so that nobody else can call that.
  std::shared_ptr<SessionState> arriving;
};

// -------------------------------------------------------------------------------------------------------------- session

class CloseTask : public Task {
 public:
  CloseTask(Napi::Env env, std::shared_ptr<SessionState> state) : Task(env), state_(std::move(state)) {}
  // On the last lane to end, when no run is in progress any more.
  Status Execute() override {
    state_->session.reset();
    return {};
  }
  Napi::Value Value(Napi::Env env) override {
    state_->lanes->Join();
    return env.Undefined();
  }

 private:
  const std::shared_ptr<SessionState> state_;
};

class NativeSession : public Napi::ObjectWrap<NativeSession> {
 public:
  static Napi::Function Define(Napi::Env env, Room* room) {
    return DefineClass(env, "NativeSession",
                       {InstanceMethod<&NativeSession::Run>("run"), InstanceMethod<&NativeSession::Statistics>("statistics"),
                        InstanceMethod<&NativeSession::Close>("close")},
                       room);
  }

  explicit NativeSession(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    auto* room = static_cast<Room*>(info.Data());
    if (room->arriving == nullptr) throw Napi::TypeError::New(info.Env(), "Sessions are made by createSession.");
    state_ = std::move(room->arriving);
    const ort::Session& session = *state_->session;
    const Napi::Env env = info.Env();
    Napi::Object self = info.This().As<Napi::Object>();
    self.Set("inputs", DescribePorts(env, session.inputs()));
    self.Set("outputs", DescribePorts(env, session.outputs()));
    self.Set("metadata", DescribeMetadata(env, session.metadata()));
    self.Set("providers", DescribeProviders(env, session.providers()));
  }

 private:
  Napi::Value Run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    auto task = std::make_unique<RunTask>(env, state_);
    if (!info[0].IsArray()) ThrowArgument(env, "inputs", "an array of tensors", info[0]);
    Napi::Array inputs = info[0].As<Napi::Array>();
    for (std::uint32_t i = 0; i < inputs.Length(); ++i) {
      const std::string where = "inputs[" + std::to_string(i) + "]";
      task->AddInput(RequireObject(inputs.Get(i), where), where);
    }
    std::vector<std::string> outputs = ReadStrings(info[1], "outputs");
    // The same value twice would be one piece of memory with two owners.
    if (std::set<std::string>(outputs.begin(), outputs.end()).size() != outputs.size())
      ThrowInvalid(env, "outputs names one output twice.");
    if (outputs.empty()) ThrowInvalid(env, "outputs is empty; name at least one.");
    task->SetOutputs(std::move(outputs));
    task->MakeRunOptions(env);
    return LaneTask::Submit(env, std::move(task), info[2].IsUndefined() ? env.Null() : info[2]);
  }

  Napi::Value Statistics(const Napi::CallbackInfo& info) {
    Napi::Object result = Napi::Object::New(info.Env());
    result.Set("waiting", static_cast<double>(state_->lanes->waiting()));
    result.Set("running", static_cast<double>(state_->lanes->running()));
    result.Set("completed", static_cast<double>(state_->completed));
    result.Set("failed", static_cast<double>(state_->failed));
    result.Set("cancelled", static_cast<double>(state_->cancelled));
    return result;
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    Environment* environment = Environment::Get(info.Env());
    auto owned = std::make_unique<CloseTask>(info.Env(), state_);
    Napi::Promise promise = environment->Begin(*owned);
    // A std::function has to be copyable, so the task travels as a pointer; the lanes call it exactly once.
    state_->lanes->Close([environment, task = owned.release()] {
      task->set_status(task->Execute());
      environment->Finish(std::unique_ptr<Task>(task));
    });
    return promise;
  }

  std::shared_ptr<SessionState> state_;
};

class LoadTask : public LaneTask {
 public:
  LoadTask(Napi::Env env, Room* room, unsigned lanes, ort::SessionConfiguration configuration)
      : LaneTask(env, room->loader->lanes, kLoadStage), room_(room), lanes_(lanes), configuration_(std::move(configuration)) {}

  void SetPath(std::string path) { model_.path = std::move(path); }
  void SetBytes(Napi::Env env, Span<const std::uint8_t> bytes) {
    StableBytes stable = Stabilize(env, bytes, "the model");
    if (stable.copy == nullptr) Hold(stable.owner);
    copy_ = std::move(stable.copy);
    model_.data = stable.data;
    model_.size = stable.size;
  }

  Status Execute() override {
    Result<std::unique_ptr<ort::Session>> session =
        ort::Session::Create(*ort::Runtime::Get(), model_, configuration_, cancellation_);
    if (!session.ok()) return session.status();
    session_ = std::move(session.value());
    return {};
  }
  void Interrupt() override { cancellation_.Request(); }

  Napi::Value Value(Napi::Env env) override {
    Environment* environment = Environment::Get(env);
    auto state = std::make_shared<SessionState>(std::move(session_), environment);
    const Status started = state->lanes->Start(lanes_);
    if (!started.ok()) ThrowStatus(env, started);
    environment->StopAtExit(state);
    room_->arriving = std::move(state);
    return room_->session_class.New({});
  }

 private:
  Room* const room_;
  const unsigned lanes_;
  const ort::SessionConfiguration configuration_;
  ort::ModelSource model_;
  HostMemory copy_;
  ort::LoadCancellation cancellation_;
  std::unique_ptr<ort::Session> session_;
};

// -------------------------------------------------------------------------------------------------------------- exports

Napi::Value OpenOnnxRuntime(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Result<const ort::Runtime*> opened = ort::Runtime::Open(RequireString(info[0], "libraryPath"));
  if (!opened.ok()) ThrowStatus(env, opened.status());
  const ort::Runtime& runtime = *opened.value();
  Napi::Object result = Napi::Object::New(env);
  result.Set("version", runtime.version());
  result.Set("apiVersion", runtime.api());
  result.Set("availableProviders", DescribeProviders(env, runtime.AvailableProviders()));
  return result;
}

Napi::Value CreateSession(const Napi::CallbackInfo& info, Room* room) {
  const Napi::Env env = info.Env();
  RequireRuntime(env);
  Napi::Object options = RequireObject(info[1], "options");
  ort::SessionConfiguration configuration = ReadConfiguration(options);
  const auto lanes = static_cast<unsigned>(RequireInteger(Field(options, "lanes"), "options.lanes", 1, kMaximumThreads));
  if (room->loader == nullptr) {
    room->loader = std::make_shared<StoppableLanes>(Environment::Get(env));
    Environment::Get(env)->StopAtExit(room->loader);
    const Status started = room->loader->lanes->Start(kLoaderThreads);
    if (!started.ok()) ThrowStatus(env, started);
  }
  auto task = std::make_unique<LoadTask>(env, room, lanes, std::move(configuration));
  if (info[0].IsString()) task->SetPath(RequireString(info[0], "model"));
  else if (info[0].IsTypedArray()) task->SetBytes(env, RequireUint8Array(info[0], "model"));
  else ThrowArgument(env, "model", "a path or a Uint8Array", info[0]);
  return LaneTask::Submit(env, std::move(task), info[2]);
}

}  // namespace

void ExportOnnxRuntime(Napi::Env env, Napi::Object exports) {
  auto* room = new Room();
  room->session_class = Napi::Persistent(NativeSession::Define(env, room));
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Room*>(data); }, room);

  exports.Set("openOnnxRuntime", Napi::Function::New(env, OpenOnnxRuntime, "openOnnxRuntime"));
  exports.Set(
      "createSession",
      Napi::Function::New(env, [room](const Napi::CallbackInfo& info) { return CreateSession(info, room); }, "createSession"));
}

}  // namespace im
