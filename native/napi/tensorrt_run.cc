#include "tensorrt_run.h"

#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "base/elements.h"
#include "decoding.h"
#include "device_tensor.h"
#include "image_arguments.h"
#include "lane_task.h"
#include "tensor_values.h"
#include "tensorrt_decode.h"

namespace im {

namespace {

class RunTask : public DeviceTask {
 public:
  RunTask(Napi::Env env, std::shared_ptr<EngineState> state, std::optional<trt::DecodeJob> decode)
      : DeviceTask(env, *state->queue, state->completion, kTensorRtRunStage),
        state_(std::move(state)),
        decode_(std::move(decode)) {}

  // Last of all before it is handed over: whoever closes the engine waits for runs that are counted, and arguments that are
  // refused, or that close the engine while they are read, leave none behind.
  void Count(Napi::Env env) {
    if (state_->closed) ThrowStatus(env, {Code::kClosed, kTensorRtRunStage, "The engine is closed."});
    counted_.emplace(state_->counters, state_->queue->counters());
  }

  void SetInput(std::size_t index, Napi::Object tensor, const std::string& where) {
    const Napi::Env env = tensor.Env();
    const trt::Tensor& port = state_->inputs[index];
    trt::InputView& view = inputs_[index];
    if (view.data != nullptr || view.resident != nullptr)
      ThrowInvalid(env, where + " names input \"" + port.name + "\" a second time.");
    if (const Napi::Value resident = Field(tensor, "resident"); !resident.IsUndefined()) {
      residents_.push_back(NativeDeviceTensor::From(resident, where + ".resident"));
      view.resident = residents_.back().get();
      view.shape = view.resident->shape();
      view.bytes = view.resident->bytes();
      return;
    }
    const int type = static_cast<int>(RequireInteger(Field(tensor, "type"), where + ".type", 0, 1000));
    if (type != port.type) {
      ThrowInvalid(env, where + " has elements of type " + ElementName(type) + "; input \"" + port.name + "\" takes " +
                            ElementName(port.type) + ".");
    }
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
      if (inputs_[i].data == nullptr && inputs_[i].resident == nullptr)
        ThrowInvalid(tensors.Env(), "Input \"" + ports[i].name + "\" is missing.");
    }
  }

  void SetUses(Napi::Value value) {
    if (value.IsNull()) return;
    const std::size_t count = state_->outputs.size();
    if (!value.IsArray() || value.As<Napi::Array>().Length() != count)
      ThrowArgument(value.Env(), "uses", "null or one use for each of " + std::to_string(count) + " outputs", value);
    constexpr trt::OutputUse kUses[] = {trt::OutputUse::kDownload, trt::OutputUse::kKeep, trt::OutputUse::kIgnore};
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::string where = "uses[" + std::to_string(i) + "]";
      uses_.push_back(kUses[RequireOneOf(value.As<Napi::Array>().Get(i), where, {"download", "keep", "ignore"})]);
    }
  }

  void Abandon() override {
    DeviceTask::Abandon();
    Settled();
  }

  Napi::Value Value(Napi::Env env) override {
    if (!decode_) return Tensors(env);
    Napi::Object result = Napi::Object::New(env);
    Napi::Array pictures = Napi::Array::New(env, decoded_.size());
    for (std::size_t i = 0; i < decoded_.size(); ++i)
      pictures.Set(static_cast<std::uint32_t>(i), ToJavaScript(env, std::move(decoded_[i])));
    result.Set("pictures", pictures);
    result.Set("outputs", Tensors(env));
    return result;
  }

  // Those that were downloaded or kept.
  Napi::Array Tensors(Napi::Env env) {
    Napi::Array tensors = Napi::Array::New(env, outputs_.size());
    for (std::size_t i = 0; i < outputs_.size(); ++i) {
      Output& output = outputs_[i];
      const trt::Tensor& port = state_->outputs[output.index];
      Napi::Object tensor = Napi::Object::New(env);
      tensor.Set("name", port.name);
      tensors.Set(static_cast<std::uint32_t>(i), tensor);
      if (output.kept != nullptr) {
        tensor.Set("resident", NativeDeviceTensor::New(*state_->tensor_class, std::move(output.kept), state_->queue));
        continue;
      }
      tensor.Set("type", port.type);
      Napi::Array dims = Napi::Array::New(env, output.shape.size());
      for (std::size_t d = 0; d < output.shape.size(); ++d)
        dims.Set(static_cast<std::uint32_t>(d), static_cast<double>(output.shape[d]));
      tensor.Set("dims", dims);
      if (output.bytes <= kCopiedOutputBytes) {
        tensor.Set("data", CopyElements(env, port.type, output.memory.get(), output.bytes));
      } else {
        void* memory = output.memory.release();
        tensor.Set("data", AdoptElements(env, port.type, memory, output.bytes, std::free, memory));
      }
    }
    return tensors;
  }

 protected:
  bool CanSubmit() override {
    lease_ = state_->executors->TryTake();
    return static_cast<bool>(lease_);
  }

  Status Submit() override {
    counted_->Start();
    if (!pictures_.empty()) {
      Result<kernels::PreprocessJob> job = kernels::PreprocessJob::Make(pictures_);
      if (!job.ok()) return job.status();
      job_ = std::move(job.value());
      pictured_->job = &job_;
    }
    IM_RETURN_IF_ERROR(lease_->Submit(inputs_, decode_ ? &*decode_ : nullptr, uses_));
    ExpectCompletion();
    return {};
  }

  Status Complete() override {
    Result<std::vector<trt::OutputView>> views = lease_->Wait();
    if (!views.ok()) return views.status();
    decoded_ = lease_->Results();
    for (std::size_t i = 0; i < views.value().size(); ++i) {
      trt::OutputView& view = views.value()[i];
      if (view.kept != nullptr) {
        outputs_.push_back({i, nullptr, 0, {}, std::move(view.kept)});
        continue;
      }
      if (!IsDownloaded(i, view)) continue;
      Output output{i, HostMemory(std::malloc(view.bytes == 0 ? 1 : view.bytes)), view.bytes, view.shape, nullptr};
      if (output.memory == nullptr)
        return {Code::kOutOfMemory, kTensorRtRunStage, "Not enough memory for the outputs of this run."};
      if (view.bytes > 0) std::memcpy(output.memory.get(), view.data, view.bytes);
      outputs_.push_back(std::move(output));
    }
    return {};
  }

  void Settled() override {
    lease_ = {};
    residents_.clear();
    counted_->End(status().code());
    state_->queue->lanes()->Wake();
  }

 private:
  struct Output {
    std::size_t index;
    HostMemory memory;
    std::size_t bytes;
    trt::Shape shape;
    std::shared_ptr<const trt::DeviceTensor> kept;
  };

  // An output of no elements has no memory on the host either, but is an answer.
  bool IsDownloaded(std::size_t index, const trt::OutputView& view) const {
    if (view.data != nullptr) return true;
    return !decode_ && (uses_.empty() || uses_[index] == trt::OutputUse::kDownload);
  }

  const std::shared_ptr<EngineState> state_;
  trt::ExecutorPool::Lease lease_;
  std::vector<trt::InputView> inputs_;
  std::vector<trt::OutputUse> uses_;
  std::vector<HostMemory> copies_;
  std::vector<std::shared_ptr<const trt::DeviceTensor>> residents_;
  std::vector<kernels::Picture> pictures_;
  kernels::PreprocessJob job_;
  trt::InputView* pictured_ = nullptr;  // the input that they make
  std::optional<trt::DecodeJob> decode_;
  std::vector<Output> outputs_;
  std::vector<trt::Decoded> decoded_;
  std::optional<CountedRun> counted_;
};

Napi::Value Start(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs,
                  std::optional<trt::DecodeJob> decode, Napi::Value uses, Napi::Value cancel) {
  if (!inputs.IsArray()) ThrowArgument(env, "inputs", "an array of tensors", inputs);
  auto task = std::make_unique<RunTask>(env, state, std::move(decode));
  task->SetInputs(inputs.As<Napi::Array>());
  task->SetUses(uses);
  task->Count(env);
  return LaneTask::Submit(env, std::move(task), cancel.IsUndefined() ? env.Null() : cancel);
}

}  // namespace

Napi::Value StartRun(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs, Napi::Value uses,
                     Napi::Value cancel) {
  return Start(env, state, inputs, std::nullopt, uses, cancel);
}

Napi::Value StartDetections(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs, Napi::Value request,
                            Napi::Value cancel) {
  return Start(env, state, inputs, ReadDetectionJob(request), env.Null(), cancel);
}

Napi::Value StartMaps(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs, Napi::Value request,
                      Napi::Value cancel) {
  return Start(env, state, inputs, ReadMapJob(request), env.Null(), cancel);
}

}  // namespace im
