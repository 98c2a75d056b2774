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

std::vector<Shape> KeyOf(const std::vector<InputView>& inputs) {
  std::vector<Shape> key;
  for (const InputView& input : inputs) {
    key.push_back(input.shape);
    if (input.job == nullptr) continue;
    const kernels::Preprocessor::Shape job = kernels::Preprocessor::ShapeOf(*input.job);
    // No tensor has a negative size, so this is mistaken for no shape.
    Shape sizes{-1, static_cast<std::int64_t>(job.bytes), static_cast<std::int64_t>(job.scratch_bytes),
                static_cast<std::int64_t>(job.pictures), static_cast<std::int64_t>(job.contrast)};
    for (const kernels::PassGrid& grid : job.grids) sizes.insert(sizes.end(), {grid.groups, grid.rows});
    key.push_back(std::move(sizes));
  }
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
  Result<std::unique_ptr<Binding>> general =
      Binding::Create(executor->engine_, executor->stream_, executor->scratch_.address(), options.preprocess, executor->journal_);
  if (!general.ok()) return general.status();
  executor->general_ = std::move(general.value());
  return executor;
}

Executor::~Executor() {
  (void)engine_->resources()->device->MakeCurrent();
  (void)stream_.Synchronize();
  captured_.clear();
  general_.reset();
  scratch_ = cuda::DeviceBuffer();
  // Frees in the order of the stream have to be done before it is gone, and kept blocks are of no use to others.
  (void)stream_.Synchronize();
  engine_->resources()->memory->Forget(stream_.get());
}

Status Executor::Check(const std::vector<InputView>& inputs) const {
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
    if (inputs[i].job != nullptr) IM_RETURN_IF_ERROR(CheckJob(tensor, inputs[i]));
    if (inputs[i].job != nullptr && options_.preprocess == nullptr) {
      return InvalidArgument(kStage, "This executor was made without the kernels that prepare pictures.");
    }
  }
  return {};
}

Status Executor::Submit(const std::vector<InputView>& inputs) {
  IM_RETURN_IF_ERROR(Check(inputs));
  IM_RETURN_IF_ERROR(engine_->resources()->device->MakeCurrent());
  // A run that nobody waited for may still use the memory.
  if (current_ != nullptr && !waited_) IM_RETURN_IF_ERROR(stream_.Synchronize());
  current_ = nullptr;
  waited_ = false;
  Status status = Run(inputs);
  if (status.ok()) status = done_.Record(stream_);
  if (!status.ok()) {
    // Part of the work may be in the stream; its memory has to be free before anything else uses it.
    current_ = nullptr;
    (void)stream_.Synchronize();
    return status;
  }
  ++statistics_.runs;
  return {};
}

Status Executor::Run(const std::vector<InputView>& inputs) {
  const Key key = KeyOf(inputs);
  Captured* captured = FindCaptured(key);
  if (captured != nullptr && captured->graph) {
    IM_RETURN_IF_ERROR(captured->binding->Fill(inputs));
    IM_RETURN_IF_ERROR(captured->graph->Launch(stream_));
    ++statistics_.graph_launches;
    current_ = captured->binding.get();
    return {};
  }
  if (options_.graphs > 0 && captured == nullptr && HasComeBefore(key) && general_->is_static()) {
    const Result<Binding*> binding = RunAndCapture(key, inputs);
    if (binding.ok()) {
      current_ = binding.value();
      return {};
    }
    // Graphs save time, nothing else: without one the run goes on as before.
    GiveUp(key, binding.status());
  }
  IM_RETURN_IF_ERROR(general_->Configure(inputs));
  IM_RETURN_IF_ERROR(general_->Fill(inputs));
  IM_RETURN_IF_ERROR(general_->Enqueue());
  current_ = general_.get();
  return {};
}

Executor::Captured* Executor::FindCaptured(const Key& key) {
  const auto found = std::find_if(captured_.begin(), captured_.end(), [&](const Captured& entry) { return entry.key == key; });
  if (found == captured_.end()) return nullptr;
  captured_.splice(captured_.begin(), captured_, found);
  return &captured_.front();
}

bool Executor::HasComeBefore(const Key& key) {
  const auto found = std::find(seen_.begin(), seen_.end(), key);
  if (found != seen_.end()) {
    seen_.splice(seen_.begin(), seen_, found);
    return true;
  }
  seen_.push_front(key);
  if (seen_.size() > options_.graphs * 4) seen_.pop_back();
  return false;
}

Result<Binding*> Executor::RunAndCapture(const Key& key, const std::vector<InputView>& inputs) {
  // All work is done at this moment, so an entry can go.
  if (captured_.size() >= options_.graphs) captured_.pop_back();
  Result<std::unique_ptr<Binding>> made = Binding::Create(engine_, stream_, scratch_.address(), options_.preprocess, journal_);
  if (!made.ok()) return made.status();
  Binding& binding = *made.value();
  IM_RETURN_IF_ERROR(binding.Configure(inputs));
  if (!binding.is_static()) return Status(Code::kTensorRt, kStage, "The sizes of the outputs depend on the data.");
  IM_RETURN_IF_ERROR(binding.Fill(inputs));
  // Once outside of a capture: TensorRT prepares what it must not prepare inside.
  const Status warm = binding.Enqueue();
  Result<cuda::Graph> graph = warm.ok() ? cuda::Graph::Capture(stream_, [&] { return binding.Enqueue(); }) : warm;
  if (!graph.ok()) {
    (void)stream_.Synchronize();  // before the context goes that this work uses
    return graph.status();
  }
  ++statistics_.graphs_captured;
  captured_.push_front({key, std::move(made.value()), std::move(graph.value())});
  return captured_.front().binding.get();
}

void Executor::GiveUp(const Key& key, const Status& why) {
  ++statistics_.graphs_given_up;
  statistics_.last_capture_failure = why.message();
  if (captured_.size() >= options_.graphs) captured_.pop_back();
  captured_.push_front({key, nullptr, std::nullopt});
}

Result<std::vector<OutputView>> Executor::Wait() {
  if (current_ == nullptr) return Status(Code::kTensorRt, kStage, "There is no run to wait for.");
  IM_RETURN_IF_ERROR(engine_->resources()->device->MakeCurrent());
  const Status status = done_.Wait();
  waited_ = true;
  if (!status.ok()) {
    (void)stream_.Synchronize();
    return status;
  }
  return current_->Outputs();
}

}  // namespace im::trt
