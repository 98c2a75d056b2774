// openOnnxRuntime, createCancelToken, createSession and the session object (src/native/addon.ts).
//
// A run travels: wrapped on the JavaScript thread, computed on a lane of its session, settled on the JavaScript thread.
// Cancelling, closing and the end of the environment all happen on the JavaScript thread; only Lanes is shared.
#include "onnxruntime_bindings.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"
#include "environment.h"
#include "lane_task.h"
#include "memory.h"
#include "onnxruntime/runtime.h"
#include "onnxruntime/session.h"
#include "onnxruntime/tensors.h"

namespace im {
namespace {

using ort::OrtRunOptions;
using ort::OrtStatus;
using ort::OrtValue;

constexpr char kRunStage[] = "onnxruntime.run";
constexpr char kLoadStage[] = "onnxruntime.load";
constexpr std::int64_t kMaximumThreads = 1024;
constexpr std::int64_t kMaximumDimension = (std::int64_t{1} << 53) - 1;
constexpr std::size_t kMaximumRank = 64;
// Creations compete for memory bandwidth and disk, so more at once would not be faster.
constexpr unsigned kLoaderThreads = 2;
// Below this, copying an output is cheaper than an external buffer with its finalizer.
constexpr std::size_t kCopiedOutputBytes = 4096;

const ort::Runtime& RequireRuntime(Napi::Env env) {
  if (const ort::Runtime* runtime = ort::Runtime::Get()) return *runtime;
  ThrowInvalid(env, "ONNX Runtime is not open: call openOnnxRuntime first.");
}

// A session and what runs it. Tasks share it, so it outlives its JavaScript object while a run is in progress.
struct SessionState : Stoppable {
  SessionState(std::unique_ptr<ort::Session> opened, Environment* environment)
      : session(std::move(opened)), lanes(std::make_shared<Lanes>(LaneTask::FinishIn(environment))) {}
  ~SessionState() override { lanes->Stop(); }
  void Stop() override { lanes->Stop(); }

  std::unique_ptr<ort::Session> session;  // null once closed
  const std::shared_ptr<Lanes> lanes;
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> cancelled{0};
};

// Per JavaScript environment.
struct Room {
  Napi::FunctionReference session_class;
  std::shared_ptr<StoppableLanes> loader;
  // Handed from a finished creation to the constructor of the session object, so that nobody else can call that.
  std::shared_ptr<SessionState> arriving;
};

// ------------------------------------------------------------------------------------------------------------------ run

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};

struct MemoryRange {
  const char* begin;
  std::size_t size;
  bool Overlaps(const void* data, std::size_t bytes) const {
    const char* other = static_cast<const char*>(data);
    return other < begin + size && begin < other + bytes;
  }
};

napi_typedarray_type ArrayType(int type) {
  switch (type) {
    case 1: return napi_float32_array;
    case 3: return napi_int8_array;
    case 4: case 10: case 16: return napi_uint16_array;
    case 5: return napi_int16_array;
    case 6: return napi_int32_array;
    case 7: return napi_bigint64_array;
    case 11: return napi_float64_array;
    case 12: return napi_uint32_array;
    case 13: return napi_biguint64_array;
    default: return napi_uint8_array;
  }
}

class RunTask : public LaneTask {
 public:
  RunTask(Napi::Env env, std::shared_ptr<SessionState> state) : LaneTask(env, state->lanes, kRunStage), state_(std::move(state)) {}

  void AddInput(Napi::Object tensor, const std::string& where);
  void SetOutputs(std::vector<std::string> names) { output_names_ = std::move(names); }
  void MakeRunOptions(Napi::Env env) {
    OrtRunOptions* options = nullptr;
    const Status status = runtime_.Check(runtime_.table().CreateRunOptions(&options), kRunStage);
    if (!status.ok()) ThrowStatus(env, status);
    run_options_.reset(options);
  }

  Status Execute() override {
    Result<std::vector<ort::OutputTensor>> outputs = state_->session->Run(run_options_.get(), input_names_, inputs_, output_names_);
    // The text of a terminated run is that of any other failure; the mark tells them apart.
    if (!outputs.ok()) {
      return interrupted_ ? Status(Code::kCancelled, kRunStage, "Cancelled while it ran.") : outputs.status();
    }
    outputs_ = std::move(outputs.value());
    return {};
  }
  void Run() override {
    LaneTask::Run();
    ++(status().ok() ? state_->completed : status().code() == Code::kCancelled ? state_->cancelled : state_->failed);
  }
  void Abandon() override {
    LaneTask::Abandon();
    ++state_->cancelled;
  }
  void Interrupt() override {
    interrupted_ = true;
    if (OrtStatus* status = runtime_.table().RunOptionsSetTerminate(run_options_.get())) runtime_.table().ReleaseStatus(status);
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Array tensors = Napi::Array::New(env, outputs_.size());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      ort::OutputTensor& output = outputs_[i];
      Napi::Object tensor = Napi::Object::New(env);
      tensor.Set("name", output_names_[i]);
      tensor.Set("type", output.type);
      Napi::Array dims = Napi::Array::New(env, output.dims.size());
      for (std::size_t d = 0; d < output.dims.size(); ++d) dims.Set(static_cast<std::uint32_t>(d), static_cast<double>(output.dims[d]));
      tensor.Set("dims", dims);
      tensor.Set("data", output.type == ort::kElementString ? Strings(env, output) : Elements(env, output));
      tensors.Set(static_cast<std::uint32_t>(i), tensor);
    }
    return tensors;
  }

 private:
  static Napi::Value Strings(Napi::Env env, const ort::OutputTensor& output) {
    Napi::Array strings = Napi::Array::New(env, output.strings.size());
    for (std::size_t i = 0; i < output.strings.size(); ++i) strings.Set(static_cast<std::uint32_t>(i), output.strings[i]);
    return strings;
  }
  Napi::Value Elements(Napi::Env env, ort::OutputTensor& output) const;

  const ort::Runtime& runtime_ = *ort::Runtime::Get();
  const std::shared_ptr<SessionState> state_;
  ort::Owned<OrtRunOptions> run_options_;
  std::vector<std::unique_ptr<void, Free>> copies_;
  std::vector<MemoryRange> input_memory_;
  std::vector<std::string> input_names_;
  std::vector<ort::Owned<OrtValue>> inputs_;
  std::vector<std::string> output_names_;
  std::vector<ort::OutputTensor> outputs_;
  std::atomic<bool> interrupted_{false};
};

std::vector<std::int64_t> ReadDims(Napi::Value value, const std::string& where) {
  if (!value.IsArray()) ThrowArgument(value.Env(), where, "an array of sizes", value);
  Napi::Array array = value.As<Napi::Array>();
  if (array.Length() > kMaximumRank) ThrowInvalid(value.Env(), where + " has more than " + std::to_string(kMaximumRank) + " dimensions.");
  std::vector<std::int64_t> dims;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    dims.push_back(RequireInteger(array.Get(i), where + "[" + std::to_string(i) + "]", 0, kMaximumDimension));
  }
  return dims;
}

std::vector<std::string> ReadStrings(Napi::Value value, const std::string& where) {
  if (!value.IsArray()) ThrowArgument(value.Env(), where, "an array of strings", value);
  Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    strings.push_back(RequireString(array.Get(i), where + "[" + std::to_string(i) + "]"));
    // The C interface takes zero-terminated texts and would cut this one silently.
    if (strings.back().find('\0') != std::string::npos) ThrowInvalid(value.Env(), where + "[" + std::to_string(i) + "] contains a NUL character.");
  }
  return strings;
}

// Bytes of a typed array as it is now; null data for a detached one.
Span<std::uint8_t> ReadTypedArray(Napi::Value value, const std::string& where) {
  if (!value.IsTypedArray()) ThrowArgument(value.Env(), where, "a typed array", value);
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    ThrowArgument(value.Env(), where, "a typed array", value);
  }
  const std::size_t bytes = data == nullptr ? 0 : length * value.As<Napi::TypedArray>().ElementSize();
  return {static_cast<std::uint8_t*>(data), bytes, value.As<Napi::Object>()};
}

void RunTask::AddInput(Napi::Object tensor, const std::string& where) {
  const Napi::Env env = tensor.Env();
  std::string name = RequireString(Field(tensor, "name"), where + ".name");
  const int type = static_cast<int>(RequireInteger(Field(tensor, "type"), where + ".type", 0, 1000));
  const std::vector<std::int64_t> dims = ReadDims(Field(tensor, "dims"), where + ".dims");
  const std::optional<std::size_t> count = ort::ElementCount(dims);
  if (!count) ThrowInvalid(env, where + ".dims describe more elements than memory can hold.");

  if (type == ort::kElementString) {
    const std::vector<std::string> strings = ReadStrings(Field(tensor, "data"), where + ".data");
    if (strings.size() != *count) {
      ThrowInvalid(env, where + ".data has " + std::to_string(strings.size()) + " strings, its dims say " + std::to_string(*count) + ".");
    }
    Result<ort::Owned<OrtValue>> value = ort::MakeStringTensor(runtime_, strings, dims);
    if (!value.ok()) ThrowStatus(env, value.status());
    inputs_.push_back(std::move(value.value()));
  } else {
    const std::size_t size = ort::ElementSize(type);
    if (size == 0) ThrowInvalid(env, where + ".type: elements of type " + ort::ElementName(type) + " are not supported.");
    const Span<std::uint8_t> given = ReadTypedArray(Field(tensor, "data"), where + ".data");
    const std::size_t bytes = *count * size;
    if (given.size != bytes) {
      ThrowInvalid(env, where + ".data has " + std::to_string(given.size) + " bytes, its dims and type say " + std::to_string(bytes) + ".");
    }
    void* data = given.data;
    if (bytes > 0 && IsOwnedMemory(given.data, bytes)) {
      Hold(given.owner);
    } else {
      // Somebody may detach or change it while the lane reads.
      data = std::malloc(bytes == 0 ? 1 : bytes);
      if (data == nullptr) ThrowStatus(env, {Code::kOutOfMemory, kRunStage, "Not enough memory to copy input \"" + name + "\"."});
      copies_.emplace_back(data);
      if (bytes > 0) std::memcpy(data, given.data, bytes);
    }
    Result<ort::Owned<OrtValue>> value = ort::WrapTensor(runtime_, data, bytes, dims, type);
    if (!value.ok()) ThrowStatus(env, value.status());
    inputs_.push_back(std::move(value.value()));
    input_memory_.push_back({static_cast<const char*>(data), bytes});
  }
  input_names_.push_back(std::move(name));
}

Napi::Value RunTask::Elements(Napi::Env env, ort::OutputTensor& output) const {
  bool copy = output.bytes <= kCopiedOutputBytes;
  // A graph may pass an input through; that memory belongs to the caller, not to the value.
  for (const MemoryRange& range : input_memory_) copy = copy || range.Overlaps(output.data, output.bytes);

  Napi::ArrayBuffer buffer;
  if (copy) {
    buffer = Napi::ArrayBuffer::New(env, output.bytes);
    if (output.bytes > 0) std::memcpy(buffer.Data(), output.data, output.bytes);
  } else {
    OrtValue* value = output.value.release();
    buffer = AdoptBuffer(env, output.data, output.bytes, [](void* hint) { ort::Releaser()(static_cast<OrtValue*>(hint)); }, value);
  }
  napi_value array = nullptr;
  if (napi_create_typedarray(env, ArrayType(output.type), output.bytes / ort::ElementSize(output.type), buffer, 0, &array) != napi_ok) {
    throw Napi::Error::New(env);
  }
  return {env, array};
}

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

Napi::Object DescribePort(Napi::Env env, const ort::Port& port) {
  static constexpr const char* kKinds[] = {"unknown", "tensor", "sequence", "map", "opaque", "sparse-tensor", "optional"};
  Napi::Object result = Napi::Object::New(env);
  result.Set("name", port.name);
  result.Set("kind", port.kind >= 0 && port.kind < static_cast<int>(std::size(kKinds)) ? kKinds[port.kind] : kKinds[0]);
  result.Set("type", port.type);
  if (port.kind != ort::kKindTensor) {
    result.Set("dims", env.Null());
    return result;
  }
  Napi::Array dims = Napi::Array::New(env, port.dims.size());
  for (std::size_t i = 0; i < port.dims.size(); ++i) {
    const ort::Dimension& dimension = port.dims[i];
    const auto index = static_cast<std::uint32_t>(i);
    if (dimension.size < 0) dims.Set(index, dimension.symbol);
    else dims.Set(index, static_cast<double>(dimension.size));
  }
  result.Set("dims", dims);
  return result;
}

Napi::Array DescribePorts(Napi::Env env, const std::vector<ort::Port>& ports) {
  Napi::Array result = Napi::Array::New(env, ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) result.Set(static_cast<std::uint32_t>(i), DescribePort(env, ports[i]));
  return result;
}

Napi::Object DescribeMetadata(Napi::Env env, const ort::Metadata& metadata) {
  Napi::Object result = Napi::Object::New(env);
  result.Set("producer", metadata.producer);
  result.Set("graphName", metadata.graph_name);
  result.Set("domain", metadata.domain);
  result.Set("description", metadata.description);
  // A version that was never set reads as the largest number, and one that is not exact in JavaScript is of no use.
  const bool known = metadata.version >= 0 && metadata.version <= kMaximumDimension;
  result.Set("version", known ? Napi::Number::New(env, static_cast<double>(metadata.version)).As<Napi::Value>() : env.Null());
  Napi::Object custom = Napi::Object::New(env);
  for (const auto& [key, value] : metadata.custom) {
    // Defined, not assigned: a key "__proto__" is a key like any other.
    custom.DefineProperty(Napi::PropertyDescriptor::Value(key, Napi::String::New(env, value),
                                                          static_cast<napi_property_attributes>(napi_enumerable | napi_configurable | napi_writable)));
  }
  result.Set("custom", custom);
  return result;
}

Napi::Array DescribeProviders(Napi::Env env, const std::vector<std::string>& providers) {
  Napi::Array result = Napi::Array::New(env, providers.size());
  for (std::size_t i = 0; i < providers.size(); ++i) result.Set(static_cast<std::uint32_t>(i), providers[i]);
  return result;
}

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
    if (std::set<std::string>(outputs.begin(), outputs.end()).size() != outputs.size()) ThrowInvalid(env, "outputs names one output twice.");
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
    model_.size = bytes.size;
    if (bytes.size > 0 && IsOwnedMemory(bytes.data, bytes.size)) {
      Hold(bytes.owner);
      model_.data = bytes.data;
      return;
    }
    copy_.reset(std::malloc(bytes.size == 0 ? 1 : bytes.size));
    if (copy_ == nullptr) ThrowStatus(env, {Code::kOutOfMemory, kLoadStage, "Not enough memory to copy the model."});
    if (bytes.size > 0) std::memcpy(copy_.get(), bytes.data, bytes.size);
    model_.data = copy_.get();
  }

  Status Execute() override {
    Result<std::unique_ptr<ort::Session>> session = ort::Session::Create(*ort::Runtime::Get(), model_, configuration_, cancellation_);
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
  std::unique_ptr<void, Free> copy_;
  ort::LoadCancellation cancellation_;
  std::unique_ptr<ort::Session> session_;
};

// -------------------------------------------------------------------------------------------------------------- exports

ort::SessionConfiguration ReadConfiguration(Napi::Object options) {
  ort::SessionConfiguration configuration;
  Napi::Value listed = Field(options, "providers");
  if (!listed.IsArray()) ThrowArgument(options.Env(), "options.providers", "an array", listed);
  Napi::Array providers = listed.As<Napi::Array>();
  for (std::uint32_t i = 0; i < providers.Length(); ++i) {
    const std::string where = "options.providers[" + std::to_string(i) + "]";
    Napi::Object given = RequireObject(providers.Get(i), where);
    ort::Provider provider{RequireString(Field(given, "name"), where + ".name"), {}};
    Napi::Object settings = RequireObject(Field(given, "options"), where + ".options");
    Napi::Array keys = settings.GetPropertyNames();
    for (std::uint32_t k = 0; k < keys.Length(); ++k) {
      const std::string key = keys.Get(k).ToString().Utf8Value();
      provider.options.emplace_back(key, RequireString(settings.Get(key), where + ".options." + key));
    }
    configuration.providers.push_back(std::move(provider));
  }
  configuration.intra_op_threads = static_cast<int>(RequireInteger(Field(options, "intraOpThreads"), "options.intraOpThreads", 0, kMaximumThreads));
  configuration.spinning = RequireBoolean(Field(options, "spinning"), "options.spinning");
  configuration.graph_optimization = static_cast<int>(RequireInteger(Field(options, "graphOptimization"), "options.graphOptimization", 0, 99));
  return configuration;
}

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
  exports.Set("createSession",
              Napi::Function::New(env, [room](const Napi::CallbackInfo& info) { return CreateSession(info, room); }, "createSession"));
}

}  // namespace im
