// The executor's graphs: launching, capturing, and giving them up.
#include "executor.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.run";

}  // namespace

Status Executor::Launch(const Captured& captured, const std::vector<InputView>& inputs, const DecodeJob* decode) {
  current_ = captured.binding.get();
  IM_RETURN_IF_ERROR(WithRoom([&]() -> Status {
    IM_RETURN_IF_ERROR(captured.binding->Fill(inputs, decode, uses_));
    return captured.graph.Launch(stream_);
  }));
  ++statistics_.graph_launches;
  return {};
}

Result<Executor::Captured> Executor::Capture(const std::vector<InputView>& inputs, const DecodeJob* decode) {
  Result<std::unique_ptr<Binding>> made = Binding::Create(engine_, stream_, shared_, options_.kernels, journal_);
  if (!made.ok()) return made.status();
  Binding& binding = *made.value();
  IM_RETURN_IF_ERROR(binding.Configure(inputs));
  if (!binding.is_static()) return Status(Code::kTensorRt, kStage, "The sizes of the outputs depend on the data.");
  IM_RETURN_IF_ERROR(binding.Fill(inputs, decode, uses_));
  // Once outside of a capture: TensorRT prepares what it must not prepare inside.
  const Status warm = binding.Enqueue();
  Result<cuda::Graph> graph = warm.ok() ? cuda::Graph::Capture(stream_, [&] { return binding.Enqueue(); }) : warm;
  if (!graph.ok()) {
    (void)stream_.Synchronize();  // before the context goes that this work uses
    return graph.status();
  }
  return Captured{std::move(made.value()), std::move(graph.value())};
}

Result<Binding*> Executor::RunAndCapture(const Key& key, const std::vector<InputView>& inputs, const DecodeJob* decode) {
  // All work is done at this moment, so a graph can go.
  if (captured_.size() >= options_.graphs) {
    const Key weakest = admission_.Weakest();
    admission_.Dropped(weakest);
    captured_.erase(weakest);
  }
  Result<Captured> captured = Capture(inputs, decode);
  if (!captured.ok() && IsWantOfMemory(captured.status()) && DropGraphs(admission_.WeakerThan(key))) {
    captured = Capture(inputs, decode);
  }
  if (!captured.ok()) return captured.status();
  ++statistics_.graphs_captured;
  admission_.Captured(key);
  return captured_.emplace(key, std::move(captured.value())).first->second.binding.get();
}

std::vector<Executor::Key> Executor::DroppableGraphs() const {
  std::vector<Key> keys;
  for (const auto& [key, captured] : captured_) {
    if (captured.binding.get() != current_) keys.push_back(key);
  }
  return keys;
}

bool Executor::DropGraphs(const std::vector<Key>& keys) {
  if (keys.empty()) return false;
  // Before the contexts go that its work uses, and for what they free in the order of the stream.
  (void)stream_.Synchronize();
  for (const Key& key : keys) {
    admission_.Failed(key);
    captured_.erase(key);
  }
  (void)stream_.Synchronize();
  return true;
}

bool Executor::IsWantOfMemory(const Status& status) {
  return status.code() == Code::kOutOfDeviceMemory || status.code() == Code::kOutOfMemory;
}

}  // namespace im::trt
