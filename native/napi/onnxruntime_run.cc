#include "onnxruntime_run.h"

#include <optional>

#include "arguments.h"
#include "tensor_values.h"

namespace im {

using ort::OrtRunOptions;
using ort::OrtStatus;
using ort::OrtValue;

namespace {

constexpr char kRunStage[] = "onnxruntime.run";

Napi::Value Strings(Napi::Env env, const ort::OutputTensor& output) {
  Napi::Array strings = Napi::Array::New(env, output.strings.size());
  for (std::size_t i = 0; i < output.strings.size(); ++i) strings.Set(static_cast<std::uint32_t>(i), output.strings[i]);
  return strings;
}

}  // namespace

RunTask::RunTask(Napi::Env env, std::shared_ptr<SessionState> state)
    : LaneTask(env, state->lanes, kRunStage), state_(std::move(state)) {}

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
      ThrowInvalid(
          env, where + ".data has " + std::to_string(strings.size()) + " strings, its dims say " + std::to_string(*count) + ".");
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
      ThrowInvalid(env, where + ".data has " + std::to_string(given.size) + " bytes, its dims and type say " +
                            std::to_string(bytes) + ".");
    }
    StableBytes stable = Stabilize(env, {given.data, given.size, given.owner}, "input \"" + name + "\"");
    if (stable.copy == nullptr) Hold(stable.owner);
    else copies_.push_back(std::move(stable.copy));
    void* data = const_cast<void*>(stable.data);  // the library takes it so, and only reads
    Result<ort::Owned<OrtValue>> value = ort::WrapTensor(runtime_, data, bytes, dims, type);
    if (!value.ok()) ThrowStatus(env, value.status());
    inputs_.push_back(std::move(value.value()));
    input_memory_.push_back({static_cast<const char*>(data), bytes});
  }
  input_names_.push_back(std::move(name));
}

void RunTask::MakeRunOptions(Napi::Env env) {
  OrtRunOptions* options = nullptr;
  const Status status = runtime_.Check(runtime_.table().CreateRunOptions(&options), kRunStage);
  if (!status.ok()) ThrowStatus(env, status);
  run_options_.reset(options);
}

Status RunTask::Execute() {
  Result<std::vector<ort::OutputTensor>> outputs = state_->session->Run(run_options_.get(), input_names_, inputs_, output_names_);
  // The text of a terminated run is that of any other failure; the mark tells them apart.
  if (!outputs.ok()) {
    return interrupted_ ? Status(Code::kCancelled, kRunStage, "Cancelled while it ran.") : outputs.status();
  }
  outputs_ = std::move(outputs.value());
  return {};
}

void RunTask::Run() {
  LaneTask::Run();
  ++(status().ok() ? state_->completed : status().code() == Code::kCancelled ? state_->cancelled : state_->failed);
}

void RunTask::Abandon() {
  LaneTask::Abandon();
  ++state_->cancelled;
}

void RunTask::Interrupt() {
  interrupted_ = true;
  if (OrtStatus* status = runtime_.table().RunOptionsSetTerminate(run_options_.get())) runtime_.table().ReleaseStatus(status);
}

Napi::Value RunTask::Value(Napi::Env env) {
  Napi::Array tensors = Napi::Array::New(env, outputs_.size());
  for (std::size_t i = 0; i < outputs_.size(); ++i) {
    ort::OutputTensor& output = outputs_[i];
    Napi::Object tensor = Napi::Object::New(env);
    tensor.Set("name", output_names_[i]);
    tensor.Set("type", output.type);
    Napi::Array dims = Napi::Array::New(env, output.dims.size());
    for (std::size_t d = 0; d < output.dims.size(); ++d)
      dims.Set(static_cast<std::uint32_t>(d), static_cast<double>(output.dims[d]));
    tensor.Set("dims", dims);
    tensor.Set("data", output.type == ort::kElementString ? Strings(env, output) : Elements(env, output));
    tensors.Set(static_cast<std::uint32_t>(i), tensor);
  }
  return tensors;
}

Napi::Value RunTask::Elements(Napi::Env env, ort::OutputTensor& output) const {
  bool copy = output.bytes <= kCopiedOutputBytes;
  // A graph may pass an input through; that memory belongs to the caller, not to the value.
  for (const MemoryRange& range : input_memory_) copy = copy || range.Overlaps(output.data, output.bytes);

  if (copy) return CopyElements(env, output.type, output.data, output.bytes);
  OrtValue* value = output.value.release();
  return AdoptElements(
      env, output.type, output.data, output.bytes, [](void* hint) { ort::Releaser()(static_cast<OrtValue*>(hint)); }, value);
}

}  // namespace im
