#include "executor.h"

#include <algorithm>

#include "base/elements.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.run";

std::string Text(const Shape& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + "]";
}

// "[1..4, 3, 640, 640]"
std::string Text(const Tensor::Range& range) {
  std::string text = "[";
  for (std::size_t i = 0; i < range.minimum.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(range.minimum[i]);
    if (range.minimum[i] != range.maximum[i]) text += ".." + std::to_string(range.maximum[i]);
  }
  return text + "]";
}

bool Admits(const Tensor::Range& range, const Shape& shape) {
  if (shape.size() != range.minimum.size()) return false;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] < range.minimum[i] || shape[i] > range.maximum[i]) return false;
  }
  return true;
}

std::vector<Shape> KeyOf(const std::vector<InputView>& inputs, const DecodeJob* decode, const std::vector<OutputUse>& uses) {
  std::vector<Shape> key;
  Shape copies;
  if (decode != nullptr) key.push_back(KeyOf(*decode));
  for (const InputView& input : inputs) {
    key.push_back(input.shape);
    copies.push_back(input.resident == nullptr ? 0 : 1);
    if (input.job == nullptr) continue;
    const kernels::Preprocessor::Shape job = kernels::Preprocessor::ShapeOf(*input.job);
    // No tensor has a negative size, so this is mistaken for no shape.
    Shape sizes{-1, static_cast<std::int64_t>(job.bytes), static_cast<std::int64_t>(job.scratch_bytes),
                static_cast<std::int64_t>(job.pictures), static_cast<std::int64_t>(job.contrast)};
    for (const kernels::PassGrid& grid : job.grids) sizes.insert(sizes.end(), {grid.groups, grid.rows});
    key.push_back(std::move(sizes));
  }
  for (const OutputUse use : uses) copies.push_back(use == OutputUse::kDownload ? 1 : 0);
  key.push_back(std::move(copies));
  return key;
}

// Whether the pictures of a job are what an input takes.
Status CheckJob(const Tensor& tensor, const InputView& input) {
  const kernels::PreprocessJob& job = *input.job;
  const Shape& shape = input.shape;
  if (tensor.type != kFloat32 && tensor.type != kFloat16) {
    return InvalidArgument(
        kStage, "Input \"" + tensor.name + "\" takes " + ElementName(tensor.type) + "; pictures become float32 or float16.");
  }
  if (shape.size() == 4 && shape[0] >= static_cast<std::int64_t>(job.pictures()) && shape[1] == 3 &&
      shape[2] == job.output().height && shape[3] == job.output().width) {
    return {};
  }
  return InvalidArgument(kStage, "Input \"" + tensor.name + "\" has the shape " + Text(shape) + ", into which " +
                                     std::to_string(job.pictures()) + " pictures of " + std::to_string(job.output().width) + "x" +
                                     std::to_string(job.output().height) + " do not go.");
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::Create(std::shared_ptr<const Engine> engine, const ExecutorOptions& options) {
  const cuda::Resources& resources = *engine->resources();
  IM_RETURN_IF_ERROR(resources.device->MakeCurrent());
  Result<cuda::Stream> stream = cuda::Stream::Create(resources.device);
  if (!stream.ok()) return stream.status();
  Result<cuda::Event> done = cuda::Event::Create(resources.device);
  if (!done.ok()) return done.status();
  std::unique_ptr<Executor> executor(
      new Executor(std::move(engine), options, std::move(stream.value()), std::move(done.value())));
  const auto scratch_bytes = static_cast<std::size_t>(executor->engine_->description().scratch_bytes);
  Result<cuda::DeviceBuffer> scratch = resources.memory->Allocate(scratch_bytes, executor->stream_.get());
  if (!scratch.ok()) return scratch.status();
  executor->scratch_ = std::move(scratch.value());
  executor->shared_ = {executor->scratch_.address(), std::make_shared<kernels::LargeBlocks>()};
  Result<std::unique_ptr<Binding>> general =
      Binding::Create(executor->engine_, executor->stream_, executor->shared_, options.kernels, executor->journal_);
  if (!general.ok()) return general.status();
  executor->general_ = std::move(general.value());
  return executor;
}

Executor::~Executor() {
  (void)engine_->resources()->device->MakeCurrent();
  (void)stream_.Synchronize();
  captured_.clear();
  general_.reset();
  shared_ = {};
  scratch_ = cuda::DeviceBuffer();
  // Frees in the order of the stream have to be done before it is gone, and kept blocks are of no use to others.
  (void)stream_.Synchronize();
  engine_->resources()->memory->Forget(stream_.get());
}

Status Executor::Check(const std::vector<InputView>& inputs, const DecodeJob* decode) const {
  if (inputs.size() != engine_->inputs().size()) {
    return InvalidArgument(kStage, "The engine has " + std::to_string(engine_->inputs().size()) + " inputs, received " +
                                       std::to_string(inputs.size()) + ".");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = engine_->inputs()[i];
    const Tensor::Range& range = tensor.profiles[static_cast<std::size_t>(engine_->profile())];
    const std::optional<std::size_t> count = ElementCount(inputs[i].shape);
    if (!Admits(range, inputs[i].shape) || !count) {
      return InvalidArgument(kStage, "Input \"" + tensor.name + "\" has the shape " + Text(inputs[i].shape) +
                                         "; optimization profile " + std::to_string(engine_->profile()) +
                                         " of the engine admits " + Text(range) + ".");
    }
    if (*count * ElementSize(tensor.type) != inputs[i].bytes) {
      return InvalidArgument(kStage, "Input \"" + tensor.name + "\" has " + std::to_string(inputs[i].bytes) +
                                         " bytes; its shape " + Text(inputs[i].shape) + " and type " + ElementName(tensor.type) +
                                         " say " + std::to_string(*count * ElementSize(tensor.type)) + ".");
    }
    if (inputs[i].resident != nullptr) IM_RETURN_IF_ERROR(CheckResident(tensor, inputs[i]));
    if (inputs[i].job != nullptr) IM_RETURN_IF_ERROR(CheckJob(tensor, inputs[i]));
    if (inputs[i].job != nullptr && options_.kernels.preprocess == nullptr) {
      return InvalidArgument(kStage, "This executor was made without the kernels that prepare pictures.");
    }
  }
  if (decode != nullptr && options_.kernels.decoding == nullptr) {
    return InvalidArgument(kStage, "This executor was made without the kernels that decode detections.");
  }
  return decode == nullptr ? Status() : CheckDecodeJob(*decode, engine_->outputs());
}

Status Executor::CheckResident(const Tensor& tensor, const InputView& input) const {
  const DeviceTensor& resident = *input.resident;
  if (resident.type() != tensor.type || resident.shape() != input.shape || resident.bytes() != input.bytes) {
    return InvalidArgument(kStage, "Input \"" + tensor.name + "\" takes " + ElementName(tensor.type) +
                                       "; the tensor on the device has " + ElementName(resident.type()) + " and the shape " +
                                       Text(resident.shape()) + ".");
  }
  const int ordinal = engine_->resources()->device->ordinal();
  const int other = resident.store()->resources().device->ordinal();
  if (other == ordinal) return {};
  return InvalidArgument(kStage, "The tensor for input \"" + tensor.name + "\" lies on GPU " + std::to_string(other) +
                                     ", the engine runs on GPU " + std::to_string(ordinal) + ".");
}

Result<std::vector<OutputUse>> Executor::UsesOf(std::vector<OutputUse> given, const DecodeJob* decode) const {
  const std::size_t count = engine_->outputs().size();
  if (decode != nullptr) {
    if (!given.empty()) return InvalidArgument(kStage, "A decode job says itself which outputs are wanted.");
    given.assign(count, OutputUse::kIgnore);
    for (const std::size_t index : decode->wanted) given[index] = OutputUse::kDownload;
  }
  if (given.empty()) given.assign(count, OutputUse::kDownload);
  if (given.size() != count) {
    return InvalidArgument(kStage, "The engine has " + std::to_string(count) + " outputs, received " +
                                       std::to_string(given.size()) + " uses of them.");
  }
  if (options_.store == nullptr && std::find(given.begin(), given.end(), OutputUse::kKeep) != given.end()) {
    return InvalidArgument(kStage, "This executor was made without a place for tensors on the device.");
  }
  return given;
}

Status Executor::Submit(const std::vector<InputView>& inputs, const DecodeJob* decode, std::vector<OutputUse> given_uses) {
  IM_RETURN_IF_ERROR(Check(inputs, decode));
  Result<std::vector<OutputUse>> uses = UsesOf(std::move(given_uses), decode);
  if (!uses.ok()) return uses.status();
  IM_RETURN_IF_ERROR(engine_->resources()->device->MakeCurrent());
  // A run that nobody waited for may still use the memory.
  if (current_ != nullptr && !waited_) IM_RETURN_IF_ERROR(stream_.Synchronize());
  current_ = nullptr;
  waited_ = false;
  uses_ = std::move(uses.value());
  kept_.assign(uses_.size(), nullptr);
  Status status = Run(inputs, decode);
  if (status.ok()) status = WithRoom([this] { return Keep(); });
  if (status.ok()) status = done_.Record(stream_);
  if (!status.ok()) {
    // Part of the work may be in the stream; its memory has to be free before anything else uses it.
    current_ = nullptr;
    (void)stream_.Synchronize();
    kept_.clear();
    return status;
  }
  ++statistics_.runs;
  return {};
}

Status Executor::Run(const std::vector<InputView>& inputs, const DecodeJob* decode) {
  if (options_.graphs > 0) {
    const Key key = KeyOf(inputs, decode, uses_);
    const bool wanted = admission_.Count(key);
    const auto captured = captured_.find(key);
    if (captured != captured_.end()) return Launch(captured->second, inputs, decode);
    if (wanted && general_->is_static()) {
      const Result<Binding*> binding = RunAndCapture(key, inputs, decode);
      if (binding.ok()) {
        current_ = binding.value();
        return {};
      }
      // Graphs save time, nothing else: without one the run goes on as before.
      ++statistics_.graphs_given_up;
      statistics_.last_capture_failure = binding.status().message();
      admission_.Failed(key);
      // What it has freed in the order of the stream is free then.
      (void)stream_.Synchronize();
    }
  }
  current_ = general_.get();
  return WithRoom([&]() -> Status {
    IM_RETURN_IF_ERROR(general_->Configure(inputs));
    IM_RETURN_IF_ERROR(general_->Fill(inputs, decode, uses_));
    return general_->Enqueue();
  });
}

Status Executor::Keep() {
  for (std::size_t i = 0; i < uses_.size(); ++i) {
    if (uses_[i] != OutputUse::kKeep) continue;
    Result<std::shared_ptr<const DeviceTensor>> kept = current_->Keep(i, options_.store);
    if (!kept.ok()) return kept.status();
    kept_[i] = std::move(kept.value());
  }
  return {};
}

Result<std::vector<OutputView>> Executor::Wait() {
  if (current_ == nullptr) return Status(Code::kTensorRt, kStage, "There is no run to wait for.");
  IM_RETURN_IF_ERROR(engine_->resources()->device->MakeCurrent());
  const Status status = done_.Wait();
  waited_ = true;
  if (!status.ok()) {
    (void)stream_.Synchronize();
    kept_.clear();
    return status;
  }
  std::vector<OutputView> views = current_->Outputs();
  for (std::size_t i = 0; i < views.size(); ++i) views[i].kept = std::move(kept_[i]);
  return views;
}

std::vector<Decoded> Executor::Results() const { return current_ == nullptr ? std::vector<Decoded>() : current_->Results(); }

}  // namespace im::trt
