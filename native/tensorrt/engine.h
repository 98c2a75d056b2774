// An engine in the memory of a device, and what it says about itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "cuda/resources.h"
#include "tensorrt/allocators.h"
#include "tensorrt/journal.h"
#include "tensorrt/library.h"
#include "tensorrt/table.h"
#include "tensorrt/tensors.h"

namespace im::trt {

// One input or output. Sizes are -1 where they vary.
struct Tensor {
  std::string name;
  int type = 0;  // ONNX's number
  Shape shape;
  // Inputs: what each optimization profile admits. Outputs: empty.
  struct Range {
    Shape minimum;
    Shape optimum;
    Shape maximum;
  };
  std::vector<Range> profiles;
};

struct EngineOptions {
  // See CheckPlanVersion.
  bool host_code_allowed = false;
  int profile = 0;
};

struct EngineDescription {
  std::string name;
  Version plan_version;
  int layers = 0;
  int profiles = 0;
  int auxiliary_streams = 0;
  HardwareCompatibility hardware_compatibility = HardwareCompatibility::kNone;
  // Scratch memory of one execution with the chosen profile.
  std::uint64_t scratch_bytes = 0;
};

class Engine {
 public:
  // Blocking, up to seconds. The bytes are not needed afterwards. The device must have answered before: without a driver
  // TensorRT's factory returns a pointer to nowhere.
  static Result<std::shared_ptr<const Engine>> Load(const InferLibrary& library, std::shared_ptr<const cuda::Resources> resources,
                                                    const void* plan, std::size_t size, const EngineOptions& options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const std::vector<Tensor>& inputs() const { return inputs_; }
  const std::vector<Tensor>& outputs() const { return outputs_; }
  const EngineDescription& description() const { return description_; }
  int profile() const { return profile_; }
  const std::shared_ptr<const cuda::Resources>& resources() const { return resources_; }
  // Weights and what else TensorRT holds for this engine.
  std::uint64_t bytes_in_use() const { return allocator_.bytes_in_use(); }

  // An execution context for the chosen profile, which has no scratch memory yet. `stream`: where its first work goes. `journal`
  // takes its errors and outlives it.
  Result<Owned<ExecutionContextObject>> CreateContext(CudaStream* stream, Journal& journal) const;
  const Caller& caller() const { return caller_; }

 private:
  Engine(const Caller& caller, std::shared_ptr<const cuda::Resources> resources)
      : caller_(caller), resources_(resources), allocator_(std::move(resources)) {}
  Status Deserialize(const InferLibrary& library, const void* plan, std::size_t size, bool host_code_allowed);
  // Why TensorRT has made no engine of so many bytes.
  Status Refusal(const Version& library, std::size_t size);
  Status Describe(const EngineOptions& options);
  Result<Tensor> DescribeTensor(const char* name, bool input) const;

  const Caller caller_;
  const std::shared_ptr<const cuda::Resources> resources_;
  // Destroyed last, in this order from the end: TensorRT's objects use them to the end.
  mutable Journal journal_;
  PoolAllocator allocator_;
  Owned<RuntimeObject> runtime_;
  Owned<EngineObject> engine_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  EngineDescription description_;
  int profile_ = 0;
};

}  // namespace im::trt
