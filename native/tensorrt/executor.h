// Runs an engine, one run after the other, on a stream of its own. Several executors of one engine run side by side.
//
// Runs whose shapes come again are captured: uploading, network, decoding and downloading become one launch. A captured graph
// holds the addresses and the context that it was recorded with, so each has a context and memory of its own; changing the
// context would break the graph. Shapes without a graph share one context, whatever their number.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"
#include "tensorrt/binding.h"
#include "tensorrt/engine.h"
#include "tensorrt/graph_admission.h"

namespace im::trt {

struct ExecutorOptions {
  // How many shapes keep a graph at a time; which ones, graph_admission.h says. 0 = no graphs.
  std::size_t graphs = 8;
  DeviceKernels kernels = {};
  // For outputs that stay on the device; null when none do.
  std::shared_ptr<const DeviceStore> store = nullptr;
};

struct ExecutorStatistics {
  std::uint64_t runs = 0;
  std::uint64_t graph_launches = 0;
  std::uint64_t graphs_captured = 0;
  // Captures that failed. Such a shape runs without a graph, and is tried again after ever more runs.
  std::uint64_t graphs_given_up = 0;
  // Why, the last time; "" = never.
  std::string last_capture_failure;
};

class Executor {
 public:
  static Result<std::unique_ptr<Executor>> Create(std::shared_ptr<const Engine> engine, const ExecutorOptions& options);
  // Waits for work in progress.
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Refuses what the engine's profile does not admit. Returns as soon as the work is in the stream; the inputs have been read by
  // then, but resident ones have to stay until the run was waited for. `uses`: one for each output, or empty to download all.
  // With `decode` the device makes its results of the outputs, of which only the job's wanted ones are downloaded; `uses` is
  // empty.
  Status Submit(const std::vector<InputView>& inputs, const DecodeJob* decode = nullptr, std::vector<OutputUse> uses = {});
  // For the results of the last Submit, which has succeeded. They hold until the next Submit. Any thread, but only one at a time.
  Result<std::vector<OutputView>> Wait();
  // After Wait has succeeded: by picture; empty when nothing was to be decoded.
  std::vector<Decoded> Results() const;

  const Engine& engine() const { return *engine_; }
  const ExecutorStatistics& statistics() const { return statistics_; }

 private:
  // Shapes of all inputs, one after the other; behind that of a job, the sizes of its copies and launches, which a graph holds
  // too; and what of a decode job it holds, what is uploaded and what is downloaded.
  using Key = GraphAdmission::Key;
  struct Captured {
    std::unique_ptr<Binding> binding;
    cuda::Graph graph;
  };

  Executor(std::shared_ptr<const Engine> engine, const ExecutorOptions& options, cuda::Stream stream, cuda::Event done)
      : engine_(std::move(engine)),
        options_(options),
        stream_(std::move(stream)),
        done_(std::move(done)),
        admission_(options.graphs) {}
  Status Check(const std::vector<InputView>& inputs, const DecodeJob* decode) const;
  Status CheckResident(const Tensor& tensor, const InputView& input) const;
  // One for each output.
  Result<std::vector<OutputUse>> UsesOf(std::vector<OutputUse> given, const DecodeJob* decode) const;
  // Copies the outputs that are to stay.
  Status Keep();
  Status Run(const std::vector<InputView>& inputs, const DecodeJob* decode);
  Status Launch(const Captured& captured, const std::vector<InputView>& inputs, const DecodeJob* decode);
  // One plain run through a context of its own, which is then captured.
  Result<Captured> Capture(const std::vector<InputView>& inputs, const DecodeJob* decode);
  // The same, with a place for the graph. Where memory is short, weaker shapes make room.
  Result<Binding*> RunAndCapture(const Key& key, const std::vector<InputView>& inputs, const DecodeJob* decode);

  // All but the one that the current run uses.
  std::vector<Key> DroppableGraphs() const;
  // Whether there were any. Their memory is free then, and these shapes are not captured again for a while.
  bool DropGraphs(const std::vector<Key>& keys);
  // `action`, and once more where it fails for want of memory that graphs hold: they save time, nothing else.
  template <typename Action>
  Status WithRoom(Action action) {
    const Status status = action();
    if (!IsWantOfMemory(status) || !DropGraphs(DroppableGraphs())) return status;
    return action();
  }
  // On the device, or of pinned memory on the host.
  static bool IsWantOfMemory(const Status& status);

  const std::shared_ptr<const Engine> engine_;
  const ExecutorOptions options_;
  Journal journal_;
  const cuda::Stream stream_;
  const cuda::Event done_;
  cuda::DeviceBuffer scratch_;
  SharedMemory shared_;
  std::unique_ptr<Binding> general_;
  // Keys: the shapes of all inputs, one after the other; behind that of a job, the sizes of its copies and launches, which a
  // graph holds too; and what of a decode job it holds, what is uploaded and what is downloaded.
  std::map<Key, Captured> captured_;
  GraphAdmission admission_;
  Binding* current_ = nullptr;
  // Of the last Submit: one for each output.
  std::vector<OutputUse> uses_;
  std::vector<std::shared_ptr<const DeviceTensor>> kept_;
  bool waited_ = true;
  ExecutorStatistics statistics_;
};

}  // namespace im::trt
