#include "engine.h"

#include "base/elements.h"
#include "tensorrt/plan.h"
#include "tensorrt/starting.h"
#include "tensorrt/tensors.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.load";
constexpr char kDeviceStage[] = "tensorrt.device";

}  // namespace

Result<std::shared_ptr<const Engine>> Engine::Load(const InferLibrary& library, std::shared_ptr<const cuda::Resources> resources,
                                                   const void* plan, std::size_t size, const EngineOptions& options) {
  const Result<Version> built_by = ReadPlanVersion(plan, size);
  if (!built_by.ok()) return built_by.status();
  IM_RETURN_IF_ERROR(CheckPlanVersion(built_by.value(), library.version(), options.host_code_allowed));
  IM_RETURN_IF_ERROR(resources->device->MakeCurrent());
  std::shared_ptr<Engine> engine(new Engine(Caller(library.version().number()), std::move(resources)));
  engine->description_.plan_version = built_by.value();
  IM_RETURN_IF_ERROR(engine->Deserialize(library, plan, size, options.host_code_allowed));
  IM_RETURN_IF_ERROR(engine->Describe(options));
  return std::shared_ptr<const Engine>(std::move(engine));
}

Engine::~Engine() { (void)resources_->device->MakeCurrent(); }

Status Engine::Deserialize(const InferLibrary& library, const void* plan, std::size_t size, bool host_code_allowed) {
  const auto create =
      library.library().Find<RuntimeObject* (*)(void* logger, std::int32_t version)>("createInferRuntime_INTERNAL");
  if (create == nullptr) {
    return Status(Code::kTensorRt, "tensorrt.open",
                  library.library().path() + " has no createInferRuntime_INTERNAL: it cannot run engines. Install TensorRT anew.")
        .With(Reason::kTensorRtLacksPart);
  }
  (void)TakeThreadLog();
  runtime_.reset(Started(create(LoggerOf(library.version().major), library.version().number())));
  if (runtime_ == nullptr) return DoesNotStart(library, *resources_->device, journal_, "createInferRuntime");
  caller_.Call<method::Runtime_setErrorRecorder>(runtime_.get(), static_cast<ErrorRecorder*>(&journal_));
  caller_.Call<method::Runtime_setGpuAllocator>(runtime_.get(), static_cast<GpuAllocator*>(&allocator_));
  caller_.Call<method::Runtime_setEngineHostCodeAllowed>(runtime_.get(), host_code_allowed);
  engine_.reset(caller_.Call<method::Runtime_deserializeCudaEngine>(runtime_.get(), plan, size));
  return engine_ == nullptr ? Refusal(library.version(), size) : Status();
}

Status Engine::Refusal(const Version& library, std::size_t size) {
  const cuda::Device& device = *resources_->device;
  const int capability = device.compute_capability();
  const std::string what = "TensorRT " + library.Text() + " cannot load this engine (" + std::to_string(size) +
                           " bytes) on device " + std::to_string(device.ordinal()) + " (" + device.name() +
                           ", compute capability " + std::to_string(capability / 10) + "." + std::to_string(capability % 10) +
                           "). ";
  constexpr char kCall[] = "deserializeCudaEngine";
  const MemoryGap refused = allocator_.refused();
  if (refused.requested) {
    const Status failure = journal_.Failure(
        kStage, what + "The device had no " + std::to_string(*refused.requested) + " bytes for it: close other models.", kCall);
    return Status(Code::kOutOfDeviceMemory, kStage, failure.message(), *failure.call()).With(refused);
  }
  Status failure = journal_.Failure(
      kStage, what + "It may be damaged or cut off, or built for another GPU: download it again, or build it for this GPU.",
      kCall);
  // In TensorRT's words; it has no code for this.
  if (failure.message().find("incompatible device") == std::string::npos) return std::move(failure).With(Reason::kEngineRefused);
  return Status(failure.code(), kDeviceStage, failure.message(), *failure.call()).With(Reason::kEngineOtherGpu);
}

Status Engine::Describe(const EngineOptions& options) {
  const EngineObject* engine = engine_.get();
  const char* name = caller_.Call<method::Engine_getName>(engine);
  description_.name = name == nullptr ? "" : name;
  description_.layers = caller_.Call<method::Engine_getNbLayers>(engine);
  description_.profiles = caller_.Call<method::Engine_getNbOptimizationProfiles>(engine);
  description_.auxiliary_streams = caller_.Call<method::Engine_getNbAuxStreams>(engine);
  description_.hardware_compatibility = caller_.Call<method::Engine_getHardwareCompatibilityLevel>(engine);
  if (options.profile < 0 || options.profile >= description_.profiles) {
    return InvalidArgument(kStage, "The engine has " + std::to_string(description_.profiles) +
                                       " optimization profiles, counted from 0; profile " + std::to_string(options.profile) +
                                       " is not one of them.");
  }
  profile_ = options.profile;
  std::int64_t scratch = 0;
  if (caller_.Has<method::Engine_getDeviceMemorySizeForProfileV2>()) {
    scratch = caller_.Call<method::Engine_getDeviceMemorySizeForProfileV2>(engine, profile_);
  } else {
    scratch = static_cast<std::int64_t>(caller_.Call<method::Engine_getDeviceMemorySize>(engine));
  }
  description_.scratch_bytes = scratch < 0 ? 0 : static_cast<std::uint64_t>(scratch);

  const std::int32_t count = caller_.Call<method::Engine_getNbIOTensors>(engine);
  for (std::int32_t i = 0; i < count; ++i) {
    const char* tensor_name = caller_.Call<method::Engine_getIOTensorName>(engine, i);
    if (tensor_name == nullptr)
      return journal_.Failure(kStage, "Tensor " + std::to_string(i) + " of the engine has no name.", "getIOTensorName");
    const IoMode mode = caller_.Call<method::Engine_getTensorIOMode>(engine, tensor_name);
    if (mode != IoMode::kInput && mode != IoMode::kOutput) {
      return journal_.Failure(kStage, "Tensor \"" + std::string(tensor_name) + "\" is neither input nor output.",
                              "getTensorIOMode");
    }
    Result<Tensor> tensor = DescribeTensor(tensor_name, mode == IoMode::kInput);
    if (!tensor.ok()) return tensor.status();
    (mode == IoMode::kInput ? inputs_ : outputs_).push_back(std::move(tensor.value()));
  }
  if (inputs_.empty() || outputs_.empty()) return {Code::kTensorRt, kStage, "The engine has no input or no output."};
  return {};
}

Result<Tensor> Engine::DescribeTensor(const char* name, bool input) const {
  const EngineObject* engine = engine_.get();
  Tensor tensor;
  tensor.name = name;
  const auto refuse = [&](const std::string& why) {
    return Status(Code::kTensorRt, kStage, (input ? "Input \"" : "Output \"") + tensor.name + "\" of the engine " + why);
  };
  const DataType type = caller_.Call<method::Engine_getTensorDataType>(engine, name);
  tensor.type = OnnxType(type);
  if (tensor.type == 0)
    return refuse("has elements of TensorRT's type " + std::to_string(static_cast<int>(type)) +
                  ", which have no array in JavaScript.");
  if (caller_.Call<method::Engine_getTensorLocation>(engine, name) != Location::kDevice) {
    return refuse("is a shape tensor in host memory, which is not supported: build the engine with fixed values in its place.");
  }
  if (caller_.Call<method::Engine_getTensorFormat>(engine, name) != kFormatLinear) {
    const char* format = caller_.Call<method::Engine_getTensorFormatDesc>(engine, name);
    return refuse("is not laid out row by row (" + std::string(format == nullptr ? "?" : format) +
                  "); build the engine with linear inputs and outputs.");
  }
  if (!ReadShape(caller_.Call<method::Engine_getTensorShape>(engine, name), tensor.shape)) {
    return journal_.Failure(kStage, "The shape of \"" + tensor.name + "\" cannot be read.", "getTensorShape");
  }
  for (std::int32_t profile = 0; input && profile < description_.profiles; ++profile) {
    Tensor::Range range;
    const auto read = [&](ProfileSelector selector, Shape& shape) {
      return ReadShape(caller_.Call<method::Engine_getProfileShape>(engine, name, profile, selector), shape) &&
             shape.size() == tensor.shape.size();
    };
    if (!read(ProfileSelector::kMinimum, range.minimum) || !read(ProfileSelector::kOptimum, range.optimum) ||
        !read(ProfileSelector::kMaximum, range.maximum)) {
      return journal_.Failure(kStage, "Profile " + std::to_string(profile) + " of \"" + tensor.name + "\" cannot be read.",
                              "getProfileShape");
    }
    tensor.profiles.push_back(std::move(range));
  }
  return tensor;
}

Result<Owned<ExecutionContextObject>> Engine::CreateContext(CudaStream* stream, Journal& journal) const {
  (void)TakeThreadLog();
  Owned<ExecutionContextObject> context(
      caller_.Call<method::Engine_createExecutionContext>(engine_.get(), Allocation::kUserManaged));
  if (context == nullptr) return journal.Failure(kStage, "TensorRT cannot make an execution context.", "createExecutionContext");
  caller_.Call<method::ExecutionContext_setErrorRecorder>(context.get(), static_cast<ErrorRecorder*>(&journal));
  // Profile 0 is the one that a new context has.
  if (profile_ != 0 && !caller_.Call<method::ExecutionContext_setOptimizationProfileAsync>(context.get(), profile_, stream)) {
    return journal.Failure(kStage, "Optimization profile " + std::to_string(profile_) + " cannot be chosen.",
                           "setOptimizationProfileAsync");
  }
  return context;
}

}  // namespace im::trt
