// A network: created from a model, described, run. Blocking; whoever calls decides on which thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/status.h"
#include "onnxruntime/runtime.h"
#include "onnxruntime/tensors.h"

namespace im::ort {

struct Provider {
  // "CPU", "CUDA", "TensorRT", or a name that SessionOptionsAppendExecutionProvider knows.
  std::string name;
  std::vector<std::pair<std::string, std::string>> options;
};

struct SessionConfiguration {
  // In order of preference. One that cannot be had is passed over when another follows.
  std::vector<Provider> providers;
  int intra_op_threads = 1;
  bool spinning = false;
  int graph_optimization = 99;
};

// A path, or bytes when `data` is not null.
struct ModelSource {
  std::string path;
  const void* data = nullptr;
  std::size_t size = 0;
};

struct Dimension {
  std::int64_t size = -1;  // negative: symbolic
  std::string symbol;      // "" when it has no name
};

struct Port {
  std::string name;
  int kind = 0;
  int type = 0;                 // tensors only
  std::vector<Dimension> dims;  // tensors only
};

struct Metadata {
  std::string producer;
  std::string graph_name;
  std::string domain;
  std::string description;
  std::int64_t version = 0;
  std::vector<std::pair<std::string, std::string>> custom;
};

// Stops a creation that is in progress; libraries before API 22 finish it first. Any thread.
class LoadCancellation {
 public:
  void Request();
  bool requested() const;

 private:
  friend class Session;
  // The options that Request reaches while a creation uses them; null afterwards.
  void Attach(OrtSessionOptions* options);

  mutable std::mutex mutex_;
  bool requested_ = false;
  OrtSessionOptions* options_ = nullptr;
};

class Session {
 public:
  static Result<std::unique_ptr<Session>> Create(const Runtime& runtime, const ModelSource& model,
                                                 const SessionConfiguration& configuration, LoadCancellation& cancellation);

  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }
  const Metadata& metadata() const { return metadata_; }
  // In effect, the CPU last: it takes every node that no other provider wants.
  const std::vector<std::string>& providers() const { return providers_; }

  // Safe from several threads at once. All outputs are tensors, or the run fails.
  Result<std::vector<OutputTensor>> Run(const OrtRunOptions* options, const std::vector<std::string>& input_names,
                                        const std::vector<Owned<OrtValue>>& inputs,
                                        const std::vector<std::string>& output_names) const;

 private:
  explicit Session(const Runtime& runtime) : runtime_(runtime) {}
  Status Open(const ModelSource& model, const SessionConfiguration& configuration, std::size_t first_provider,
              LoadCancellation& cancellation);
  Status Describe();

  const Runtime& runtime_;
  Owned<OrtSession> session_;
  std::vector<Port> inputs_;
  std::vector<Port> outputs_;
  Metadata metadata_;
  std::vector<std::string> providers_;
};

}  // namespace im::ort
