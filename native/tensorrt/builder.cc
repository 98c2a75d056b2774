#include "builder.h"

#include <algorithm>
#include <cstring>

#include "tensorrt/build_profiles.h"
#include "tensorrt/onnx_parser.h"
#include "tensorrt/starting.h"
#include "tensorrt/tensors.h"

namespace im::trt {
namespace {

constexpr char kOpenStage[] = "tensorrt.open";
constexpr char kStage[] = "tensorrt.build";
constexpr char kPrecisionStage[] = "tensorrt.precision";
constexpr char kCacheStage[] = "tensorrt.timing-cache";

Status Cancelled() { return {Code::kCancelled, kStage, "The build was cancelled."}; }

std::vector<char> Copy(const Caller& caller, const HostMemoryObject* memory) {
  const auto* data = static_cast<const char*>(caller.Call<method::HostMemory_data>(memory));
  const std::size_t size = caller.Call<method::HostMemory_size>(memory);
  return data == nullptr ? std::vector<char>() : std::vector<char>(data, data + size);
}

template <typename Flag>
std::uint32_t Bit(Flag flag) {
  return std::uint32_t{1} << static_cast<unsigned>(flag);
}

// Objects of one build. Destroyed in this order from the end: each uses those before it.
class Build {
 public:
  Build(const InferLibrary& library, const cuda::Device& device)
      : library_(library), caller_(library.version().number()), device_(device) {}

  Status Start();
  Status Parse(const std::string& configured, const void* model, std::size_t size, const std::string& path, bool strongly_typed);
  Status Describe(BuiltEngine& built) const;
  Status Configure(const BuildOptions& options, BuiltEngine& built, BuildProgress& progress);
  Status Run(BuiltEngine& built, const BuildProgress& progress);
  Result<Owned<TimingCacheObject>> MakeCache(const std::vector<char>& bytes);
  Result<std::vector<char>> Serialize(const TimingCacheObject* cache);
  Result<std::vector<char>> Combine(const std::vector<char>& first, const std::vector<char>& second);

 private:
  Result<Tensor> DescribeTensor(const NetworkTensorObject* tensor, bool input) const;
  Status AddProfile(const std::vector<InputRange>& ranges, BuiltEngine& built);
  Status UseCache(const std::vector<char>& bytes, BuiltEngine& built);

  const InferLibrary& library_;
  const Caller caller_;
  const cuda::Device& device_;
  mutable Journal journal_;
  Owned<BuilderObject> builder_;
  Owned<NetworkObject> network_;
  std::unique_ptr<OnnxParser> parser_;
  Owned<TimingCacheObject> cache_;
  Owned<BuilderConfigObject> config_;
};

Status Build::Start() {
  const auto create =
      library_.library().Find<BuilderObject* (*)(void* logger, std::int32_t version)>("createInferBuilder_INTERNAL");
  if (create == nullptr) {
    return Status(Code::kTensorRt, kOpenStage,
                  library_.library().path() +
                      " has no createInferBuilder_INTERNAL: it can run engines, not build them. Install "
                      "the full library.")
        .With(Reason::kTensorRtLacksPart);
  }
  IM_RETURN_IF_ERROR(device_.MakeCurrent());
  (void)TakeThreadLog();
  builder_.reset(Started(create(LoggerOf(library_.version().major), library_.version().number())));
  if (builder_ == nullptr) return DoesNotStart(library_, device_, journal_, "createInferBuilder");
  caller_.Call<method::Builder_setErrorRecorder>(builder_.get(), static_cast<ErrorRecorder*>(&journal_));
  config_.reset(caller_.Call<method::Builder_createBuilderConfig>(builder_.get()));
  if (config_ == nullptr) return journal_.Failure(kStage, "TensorRT cannot make a configuration.", "createBuilderConfig");
  return {};
}

Status Build::Parse(const std::string& configured, const void* model, std::size_t size, const std::string& path,
                    bool strongly_typed) {
  std::uint32_t flags = 0;
  if (caller_.major() == 10)
    flags = Bit(NetworkFlag10::kExplicitBatch) | (strongly_typed ? Bit(NetworkFlag10::kStronglyTyped) : 0);
  network_.reset(caller_.Call<method::Builder_createNetworkV2>(builder_.get(), flags));
  if (network_ == nullptr) return journal_.Failure(kStage, "TensorRT cannot make a network.", "createNetworkV2");
  Result<std::unique_ptr<OnnxParser>> parser = OnnxParser::Create(caller_, configured, network_.get(), journal_);
  if (!parser.ok()) return parser.status();
  parser_ = std::move(parser.value());
  return parser_->Parse(model, size, path);
}

Status Build::Describe(BuiltEngine& built) const {
  built.layers = caller_.Call<method::Network_getNbLayers>(network_.get());
  for (std::int32_t i = 0; i < caller_.Call<method::Network_getNbInputs>(network_.get()); ++i) {
    Result<Tensor> tensor = DescribeTensor(caller_.Call<method::Network_getInput>(network_.get(), i), true);
    if (!tensor.ok()) return tensor.status();
    built.inputs.push_back(std::move(tensor.value()));
  }
  for (std::int32_t i = 0; i < caller_.Call<method::Network_getNbOutputs>(network_.get()); ++i) {
    Result<Tensor> tensor = DescribeTensor(caller_.Call<method::Network_getOutput>(network_.get(), i), false);
    if (!tensor.ok()) return tensor.status();
    built.outputs.push_back(std::move(tensor.value()));
  }
  if (built.inputs.empty() || built.outputs.empty()) return {Code::kTensorRt, kStage, "The model has no input or no output."};
  return {};
}

Result<Tensor> Build::DescribeTensor(const NetworkTensorObject* object, bool input) const {
  const char* name = object == nullptr ? nullptr : caller_.Call<method::NetworkTensor_getName>(object);
  if (name == nullptr)
    return journal_.Failure(kStage, "An input or output of the model has no name.", input ? "getInput" : "getOutput");
  Tensor tensor;
  tensor.name = name;
  tensor.type = OnnxType(caller_.Call<method::NetworkTensor_getType>(object));
  if (input && caller_.Call<method::NetworkTensor_isShapeTensor>(object)) {
    return Status(Code::kTensorRt, kStage,
                  "Input \"" + tensor.name +
                      "\" decides shapes, which engines here do not support: put a constant in its place in the model.");
  }
  if (!ReadShape(caller_.Call<method::NetworkTensor_getDimensions>(object), tensor.shape)) {
    return journal_.Failure(kStage, "The shape of \"" + tensor.name + "\" cannot be read.", "getDimensions");
  }
  return tensor;
}

// ----------------------------------------------------------------------------------------------------------- profiles

Status Build::AddProfile(const std::vector<InputRange>& ranges, BuiltEngine& built) {
  OptimizationProfileObject* profile = caller_.Call<method::Builder_createOptimizationProfile>(builder_.get());
  if (profile == nullptr)
    return journal_.Failure(kStage, "TensorRT cannot make an optimization profile.", "createOptimizationProfile");
  for (const InputRange& given : ranges) {
    const auto set = [&](ProfileSelector selector, const Shape& shape) {
      const Dims dims = ToDims(shape);
      return caller_.Call<method::OptimizationProfile_setDimensions>(profile, given.input.c_str(), selector, &dims);
    };
    if (!set(ProfileSelector::kMinimum, given.range.minimum) || !set(ProfileSelector::kOptimum, given.range.optimum) ||
        !set(ProfileSelector::kMaximum, given.range.maximum)) {
      return journal_.Failure(
          kStage, "TensorRT refuses the range " + RangeText(given.range) + " of input \"" + given.input + "\".", "setDimensions");
    }
  }
  if (caller_.Call<method::BuilderConfig_addOptimizationProfile>(config_.get(), profile) < 0) {
    return journal_.Failure(kStage, "TensorRT refuses optimization profile " + std::to_string(built.profiles) + ".",
                            "addOptimizationProfile");
  }
  ++built.profiles;
  for (Tensor& input : built.inputs) {
    Tensor::Range range{input.shape, input.shape, input.shape};
    for (const InputRange& given : ranges) {
      if (given.input == input.name) range = given.range;
    }
    input.profiles.push_back(std::move(range));
  }
  return {};
}

// -------------------------------------------------------------------------------------------------------------- config

Status Build::Configure(const BuildOptions& options, BuiltEngine& built, BuildProgress& progress) {
  const bool is_10 = caller_.major() == 10;
  const auto set_flag = [&](auto flag) {
    caller_.Call<method::BuilderConfig_setFlag>(config_.get(), static_cast<std::int32_t>(flag));
  };
  if (options.fp16 && is_10) set_flag(BuilderFlag10::kFp16);
  if (options.version_compatible && is_10) set_flag(BuilderFlag10::kVersionCompatible);
  if (options.version_compatible && !is_10) set_flag(BuilderFlag11::kVersionCompatible);
  if (options.hardware != HardwareCompatibility::kNone) {
    caller_.Call<method::BuilderConfig_setHardwareCompatibilityLevel>(config_.get(), options.hardware);
  }
  if (options.workspace_bytes > 0) {
    caller_.Call<method::BuilderConfig_setMemoryPoolLimit>(config_.get(), MemoryPool::kWorkspace,
                                                           static_cast<std::size_t>(options.workspace_bytes));
  }
  const Result<std::vector<std::vector<InputRange>>> profiles = ResolveProfiles(built.inputs, options.shapes);
  if (!profiles.ok()) return profiles.status();
  for (const std::vector<InputRange>& ranges : profiles.value()) IM_RETURN_IF_ERROR(AddProfile(ranges, built));
  if (options.timing_cache != nullptr) IM_RETURN_IF_ERROR(UseCache(*options.timing_cache, built));
  caller_.Call<method::BuilderConfig_setProgressMonitor>(config_.get(), static_cast<ProgressMonitor*>(&progress));
  return {};
}

Result<Owned<TimingCacheObject>> Build::MakeCache(const std::vector<char>& bytes) {
  Owned<TimingCacheObject> cache(
      caller_.Call<method::BuilderConfig_createTimingCache>(config_.get(), static_cast<const void*>(bytes.data()), bytes.size()));
  if (cache == nullptr) return journal_.Failure(kCacheStage, "TensorRT cannot read the timing cache.", "createTimingCache");
  return cache;
}

Status Build::UseCache(const std::vector<char>& bytes, BuiltEngine& built) {
  for (const std::vector<char>& content : {bytes, std::vector<char>()}) {
    Result<Owned<TimingCacheObject>> cache = MakeCache(content);
    // What another device has measured would mislead this one.
    if (cache.ok() && caller_.Call<method::BuilderConfig_setTimingCache>(config_.get(), cache.value().get(), false)) {
      cache_ = std::move(cache.value());
      return {};
    }
    if (content.empty())
      return cache.ok() ? journal_.Failure(kCacheStage, "TensorRT refuses an empty timing cache.", "setTimingCache")
                        : cache.status();
    built.timing_cache_refused = true;
    journal_.clear();
  }
  return {};
}

Result<std::vector<char>> Build::Serialize(const TimingCacheObject* cache) {
  const Owned<HostMemoryObject> memory(cache == nullptr ? nullptr : caller_.Call<method::TimingCache_serialize>(cache));
  if (memory == nullptr) return journal_.Failure(kCacheStage, "TensorRT cannot write the timing cache.", "serialize");
  return Copy(caller_, memory.get());
}

Result<std::vector<char>> Build::Combine(const std::vector<char>& first, const std::vector<char>& second) {
  Result<Owned<TimingCacheObject>> into = MakeCache(first);
  if (!into.ok()) return into.status();
  const Result<Owned<TimingCacheObject>> other = MakeCache(second);
  if (!other.ok()) return other.status();
  if (!caller_.Call<method::TimingCache_combine>(into.value().get(), other.value().get(), false)) {
    return journal_.Failure(kCacheStage, "TensorRT cannot join two timing caches: they may be of different devices.", "combine");
  }
  return Serialize(into.value().get());
}

// ----------------------------------------------------------------------------------------------------------------- run

Status Build::Run(BuiltEngine& built, const BuildProgress& progress) {
  if (progress.cancelled()) return Cancelled();
  const Owned<HostMemoryObject> memory(
      caller_.Call<method::Builder_buildSerializedNetwork>(builder_.get(), network_.get(), config_.get()));
  if (memory == nullptr) {
    if (progress.cancelled()) return Cancelled();
    return journal_.Failure(kStage,
                            "TensorRT " + library_.version().Text() + " cannot build an engine from this model on device " +
                                std::to_string(device_.ordinal()) + " (" + device_.name() + ").",
                            "buildSerializedNetwork");
  }
  const void* data = caller_.Call<method::HostMemory_data>(memory.get());
  built.size = caller_.Call<method::HostMemory_size>(memory.get());
  if (data == nullptr || built.size == 0)
    return journal_.Failure(kStage, "TensorRT built an engine of no bytes.", "buildSerializedNetwork");
  built.memory.reset(std::malloc(built.size));
  if (built.memory == nullptr)
    return {Code::kOutOfMemory, kStage, "Not enough memory for an engine of " + std::to_string(built.size) + " bytes."};
  std::memcpy(built.memory.get(), data, built.size);
  if (cache_ != nullptr) {
    Result<std::vector<char>> bytes = Serialize(caller_.Call<method::BuilderConfig_getTimingCache>(config_.get()));
    if (!bytes.ok()) return bytes.status();
    built.timing_cache = std::move(bytes.value());
  }
  return {};
}

}  // namespace

Result<InferLibrary> OpenBuilderLibrary(const std::string& configured) {
  std::vector<Status> failures;
  for (const int major : kMajors) {
    Result<InferLibrary> opened = InferLibrary::Open(Kind::kFull, InferSearch(Kind::kFull, major, configured));
    if (opened.ok()) return opened;
    failures.push_back(opened.status());
  }
  const Status none = NoInferLibrary(failures, configured);
  return Status(none.code(), none.stage(), "Building an engine needs the full TensorRT library. " + none.message())
      .With(none.reason());
}

Result<BuiltEngine> BuildEngine(const InferLibrary& library, const cuda::Device& device, const std::string& configured,
                                const void* model, std::size_t size, const std::string& path, const BuildOptions& options,
                                BuildProgress& progress) {
  if (options.fp16 && options.strongly_typed) {
    return Status(Code::kInvalidArgument, kPrecisionStage,
                  "A strongly typed network has the precision of its model: fp16 cannot be chosen beside it.");
  }
  if (options.fp16 && library.version().major >= 11) {
    return Status(Code::kTensorRt, kPrecisionStage,
                  "TensorRT " + library.version().Text() +
                      " builds every part in the precision that the model has, and cannot choose fp16: "
                      "give it a model in half precision, or use TensorRT 10.");
  }
  if (options.hardware == HardwareCompatibility::kSameComputeCapability && library.version().number() < 100900) {
    return Status(Code::kTensorRt, kStage,
                  "Engines for all GPUs of one compute capability need TensorRT 10.9; installed is " + library.version().Text() +
                      ". Use \"ampere-plus\", or a newer release.");
  }
  if (progress.cancelled()) return Cancelled();
  Build build(library, device);
  BuiltEngine built;
  IM_RETURN_IF_ERROR(build.Start());
  IM_RETURN_IF_ERROR(build.Parse(configured, model, size, path, options.strongly_typed));
  IM_RETURN_IF_ERROR(build.Describe(built));
  IM_RETURN_IF_ERROR(build.Configure(options, built, progress));
  IM_RETURN_IF_ERROR(build.Run(built, progress));
  built.warnings = TakeThreadLog();
  return built;
}

Result<std::vector<char>> CombineTimingCaches(const InferLibrary& library, const cuda::Device& device,
                                              const std::vector<char>& first, const std::vector<char>& second) {
  Build build(library, device);
  IM_RETURN_IF_ERROR(build.Start());
  return build.Combine(first, second);
}

}  // namespace im::trt
