// The part of TensorRT's binary interface that this package calls, for versions 10 and 11.
//
// The libraries are opened at run time and their headers are not needed. What they create are public objects of two pointers: a
// vtable with nothing but the destructor, and the implementation, whose vtable has the methods. A slot number for each major
// version and a signature say everything about a method. All slots were measured on the official headers; a test compares this
// file with those facts (test/native/data/tensorrt_abi.inc).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace im::trt {

struct CudaStream;  // the driver's stream handle

// ---- layouts ----

constexpr int kMaximumRank = 8;

struct Dims {
  std::int32_t rank = 0;  // -1 = not known
  std::int64_t sizes[kMaximumRank] = {};
};

struct InterfaceInfo {
  const char* kind;
  std::int32_t major;
  std::int32_t minor;
};

struct PublicObject {
  void* const* vtable;
  void* const* const* implementation;
};
// Passing one of these to TensorRT means the public object, never the implementation.
struct RuntimeObject : PublicObject {};
struct EngineObject : PublicObject {};
struct ExecutionContextObject : PublicObject {};
struct HostMemoryObject : PublicObject {};
struct BuilderObject : PublicObject {};
struct BuilderConfigObject : PublicObject {};
// Belongs to its builder: never destroyed by whoever asked for it.
struct OptimizationProfileObject : PublicObject {};
struct TimingCacheObject : PublicObject {};
struct NetworkObject : PublicObject {};
// An input or output of a network; belongs to it.
struct NetworkTensorObject : PublicObject {};

// The ONNX parser's objects are their own implementation, and their destructor sits among their methods.
struct PlainObject {
  void* const* vtable;
};
struct ParserObject : PlainObject {};
// Belongs to its parser.
struct ParserErrorObject : PlainObject {};

// Deletes through the deleting destructor, slot 1 of the public object's own vtable in every version.
struct Destroy {
  void operator()(PublicObject* object) const { reinterpret_cast<void (*)(PublicObject*)>(object->vtable[1])(object); }
};
template <typename Object>
using Owned = std::unique_ptr<Object, Destroy>;

class ErrorRecorder;
class GpuAllocator;
class OutputAllocator;
class ProgressMonitor;

// ---- numbers ----

enum class DataType : std::int32_t {
  kFloat = 0,
  kHalf = 1,
  kInt8 = 2,
  kInt32 = 3,
  kBool = 4,
  kUint8 = 5,
  kFp8 = 6,
  kBfloat16 = 7,
  kInt64 = 8,
  kInt4 = 9,
  kFp4 = 10,
  kE8m0 = 11,
};
enum class IoMode : std::int32_t { kNone = 0, kInput = 1, kOutput = 2 };
enum class Location : std::int32_t { kDevice = 0, kHost = 1 };
enum class ProfileSelector : std::int32_t { kMinimum = 0, kOptimum = 1, kMaximum = 2 };
enum class Severity : std::int32_t { kInternalError = 0, kError = 1, kWarning = 2, kInfo = 3, kVerbose = 4 };
enum class Allocation : std::int32_t { kStatic = 0, kOnProfileChange = 1, kUserManaged = 2 };
enum class HardwareCompatibility : std::int32_t { kNone = 0, kAmperePlus = 1, kSameComputeCapability = 2 };
enum class MemoryPool : std::int32_t { kWorkspace = 0 };
// The same number is another flag in the other major.
enum class BuilderFlag10 : std::int32_t { kFp16 = 0, kVersionCompatible = 13 };
enum class BuilderFlag11 : std::int32_t { kVersionCompatible = 12 };
// Bits. In 11 every network has an explicit batch and is strongly typed.
enum class NetworkFlag10 : std::int32_t { kExplicitBatch = 0, kStronglyTyped = 1 };
constexpr std::int32_t kFormatLinear = 0;
constexpr std::int32_t kErrorFailedAllocation = 5;

// Which slot of a parser deletes it.
constexpr int kParserDeletingSlot10 = 9;
constexpr int kParserDeletingSlot11 = 7;

// ---- methods ----

constexpr int kAbsent = -1;

// X(object, implementation's name, method, slot in 10, slot in 11, first version that has it, signature)
#define IM_TRT_METHODS(X)                                                                                               \
  X(Runtime, VRuntime, deserializeCudaEngine, 3, 3, 0, EngineObject*(const void*, std::size_t))                         \
  X(Runtime, VRuntime, setGpuAllocator, 8, 7, 0, void(GpuAllocator*))                                                   \
  X(Runtime, VRuntime, setErrorRecorder, 9, 8, 0, void(ErrorRecorder*))                                                 \
  X(Runtime, VRuntime, setEngineHostCodeAllowed, 21, 20, 0, void(bool))                                                 \
  X(Engine, VCudaEngine, getNbLayers, 3, 3, 0, std::int32_t())                                                          \
  X(Engine, VCudaEngine, createExecutionContext, 5, 5, 0, ExecutionContextObject*(Allocation))                          \
  X(Engine, VCudaEngine, getDeviceMemorySize, 7, kAbsent, 0, std::size_t())                                             \
  X(Engine, VCudaEngine, getName, 9, 7, 0, const char*())                                                               \
  X(Engine, VCudaEngine, getNbOptimizationProfiles, 10, 8, 0, std::int32_t())                                           \
  X(Engine, VCudaEngine, setErrorRecorder, 13, 10, 0, void(ErrorRecorder*))                                             \
  X(Engine, VCudaEngine, getTensorShape, 19, 15, 0, Dims(const char*))                                                  \
  X(Engine, VCudaEngine, getTensorDataType, 20, 16, 0, DataType(const char*))                                           \
  X(Engine, VCudaEngine, getTensorLocation, 21, 17, 0, Location(const char*))                                           \
  X(Engine, VCudaEngine, isShapeInferenceIO, 22, 18, 0, bool(const char*))                                              \
  X(Engine, VCudaEngine, getTensorIOMode, 23, 19, 0, IoMode(const char*))                                               \
  X(Engine, VCudaEngine, getTensorFormat, 26, 22, 0, std::int32_t(const char*))                                         \
  X(Engine, VCudaEngine, getTensorFormatDesc, 27, 23, 0, const char*(const char*))                                      \
  X(Engine, VCudaEngine, getProfileShape, 29, 25, 0, Dims(const char*, std::int32_t, ProfileSelector))                  \
  X(Engine, VCudaEngine, getNbIOTensors, 30, 26, 0, std::int32_t())                                                     \
  X(Engine, VCudaEngine, getIOTensorName, 31, 27, 0, const char*(std::int32_t))                                         \
  X(Engine, VCudaEngine, getHardwareCompatibilityLevel, 32, 28, 0, HardwareCompatibility())                             \
  X(Engine, VCudaEngine, getNbAuxStreams, 33, 29, 0, std::int32_t())                                                    \
  X(Engine, VCudaEngine, getDeviceMemorySizeV2, 52, 44, 100100, std::int64_t())                                         \
  X(Engine, VCudaEngine, getDeviceMemorySizeForProfileV2, 53, 45, 100100, std::int64_t(std::int32_t))                   \
  X(ExecutionContext, VExecutionContext, setErrorRecorder, 14, 13, 0, void(ErrorRecorder*))                             \
  X(ExecutionContext, VExecutionContext, setDeviceMemory, 10, 10, 0, void(void*))                                       \
  X(ExecutionContext, VExecutionContext, setOptimizationProfileAsync, 17, 16, 0, bool(std::int32_t, CudaStream*))       \
  X(ExecutionContext, VExecutionContext, setInputShape, 21, 20, 0, bool(const char*, const Dims*))                      \
  X(ExecutionContext, VExecutionContext, getTensorShape, 22, 21, 0, Dims(const char*))                                  \
  X(ExecutionContext, VExecutionContext, setTensorAddress, 24, 23, 0, bool(const char*, void*))                         \
  X(ExecutionContext, VExecutionContext, inferShapes, 28, 27, 0, std::int32_t(std::int32_t, const char**))              \
  X(ExecutionContext, VExecutionContext, setOutputAllocator, 32, 31, 0, bool(const char*, OutputAllocator*))            \
  X(ExecutionContext, VExecutionContext, enqueueV3, 37, 36, 0, bool(CudaStream*))                                       \
  X(ExecutionContext, VExecutionContext, setDeviceMemoryV2, 49, 48, 100100, void(void*, std::int64_t))                  \
  X(HostMemory, VHostMemory, data, 2, 2, 0, void*())                                                                    \
  X(HostMemory, VHostMemory, size, 3, 3, 0, std::size_t())                                                              \
  X(Builder, VBuilder, createBuilderConfig, 7, 5, 0, BuilderConfigObject*())                                            \
  X(Builder, VBuilder, createNetworkV2, 8, 6, 0, NetworkObject*(std::uint32_t))                                         \
  X(Builder, VBuilder, createOptimizationProfile, 9, 7, 0, OptimizationProfileObject*())                                \
  X(Builder, VBuilder, setErrorRecorder, 10, 8, 0, void(ErrorRecorder*))                                                \
  X(Builder, VBuilder, buildSerializedNetwork, 14, 11, 0, HostMemoryObject*(NetworkObject*, BuilderConfigObject*))      \
  X(BuilderConfig, VBuilderConfig, setFlag, 11, 9, 0, void(std::int32_t))                                               \
  X(BuilderConfig, VBuilderConfig, addOptimizationProfile, 25, 23, 0, std::int32_t(const OptimizationProfileObject*))   \
  X(BuilderConfig, VBuilderConfig, createTimingCache, 40, 29, 0, TimingCacheObject*(const void*, std::size_t))          \
  X(BuilderConfig, VBuilderConfig, setTimingCache, 41, 30, 0, bool(const TimingCacheObject*, bool))                     \
  X(BuilderConfig, VBuilderConfig, getTimingCache, 42, 31, 0, const TimingCacheObject*())                               \
  X(BuilderConfig, VBuilderConfig, setMemoryPoolLimit, 43, 32, 0, void(MemoryPool, std::size_t))                        \
  X(BuilderConfig, VBuilderConfig, setHardwareCompatibilityLevel, 49, 38, 0, void(HardwareCompatibility))               \
  X(BuilderConfig, VBuilderConfig, setProgressMonitor, 56, 45, 0, void(ProgressMonitor*))                               \
  X(OptimizationProfile, VOptimizationProfile, setDimensions, 2, 2, 0, bool(const char*, ProfileSelector, const Dims*)) \
  X(TimingCache, VTimingCache, serialize, 2, 2, 0, HostMemoryObject*())                                                 \
  X(TimingCache, VTimingCache, combine, 3, 3, 0, bool(const TimingCacheObject*, bool))                                  \
  X(Network, VNetworkDefinition, getNbLayers, 12, 12, 0, std::int32_t())                                                \
  X(Network, VNetworkDefinition, getNbInputs, 14, 14, 0, std::int32_t())                                                \
  X(Network, VNetworkDefinition, getInput, 15, 15, 0, NetworkTensorObject*(std::int32_t))                               \
  X(Network, VNetworkDefinition, getNbOutputs, 16, 16, 0, std::int32_t())                                               \
  X(Network, VNetworkDefinition, getOutput, 17, 17, 0, NetworkTensorObject*(std::int32_t))                              \
  X(NetworkTensor, VTensor, getName, 3, 3, 0, const char*())                                                            \
  X(NetworkTensor, VTensor, getDimensions, 5, 5, 0, Dims())                                                             \
  X(NetworkTensor, VTensor, getType, 7, 6, 0, DataType())                                                               \
  X(NetworkTensor, VTensor, isShapeTensor, 21, 15, 0, bool())                                                           \
  X(Parser, IParser, parse, 0, 0, 0, bool(const void*, std::size_t, const char*))                                       \
  X(Parser, IParser, getNbErrors, 5, 3, 0, std::int32_t())                                                              \
  X(Parser, IParser, getError, 6, 4, 0, const ParserErrorObject*(std::int32_t))                                         \
  X(ParserError, IParserError, code, 0, 0, 0, std::int32_t())                                                           \
  X(ParserError, IParserError, desc, 1, 1, 0, const char*())                                                            \
  X(ParserError, IParserError, node, 5, 5, 0, std::int32_t())                                                           \
  X(ParserError, IParserError, nodeName, 6, 6, 0, const char*())                                                        \
  X(ParserError, IParserError, nodeOperator, 7, 7, 0, const char*())

template <typename Signature>
struct Implementation;
template <typename Value, typename... Parameters>
struct Implementation<Value(Parameters...)> {
  using Result = Value;
  using Function = Value (*)(const void* self, Parameters...);
};

// One type a method: method::Engine_getNbLayers.
namespace method {
#define IM_TRT_METHOD(object, interface, name, slot_10, slot_11, first, ...) \
  struct object##_##name {                                                   \
    using Object = object##Object;                                           \
    using Result = Implementation<__VA_ARGS__>::Result;                      \
    using Function = Implementation<__VA_ARGS__>::Function;                  \
    static constexpr int kSlot10 = slot_10;                                  \
    static constexpr int kSlot11 = slot_11;                                  \
    static constexpr int kSince = first;                                     \
  };
IM_TRT_METHODS(IM_TRT_METHOD)
#undef IM_TRT_METHOD
}  // namespace method

// Calls methods as one version of the library has them.
class Caller {
 public:
  // `version` as TensorRT counts, 101501; of major 10 or 11.
  explicit Caller(int version) : version_(version) {}

  int version() const { return version_; }
  int major() const { return version_ / 10000; }

  template <typename Method>
  bool Has() const {
    return Slot<Method>() != kAbsent && version_ >= Method::kSince;
  }

  // A method that this version lacks answers zero; ask Has first where that matters.
  template <typename Method, typename... Arguments>
  typename Method::Result Call(const typename Method::Object* object, Arguments... arguments) const {
    if (!Has<Method>()) return typename Method::Result();
    void* const* const* self = SelfOf(object);
    return reinterpret_cast<typename Method::Function>((*self)[Slot<Method>()])(self, arguments...);
  }

 private:
  template <typename Method>
  int Slot() const {
    return major() >= 11 ? Method::kSlot11 : Method::kSlot10;
  }

  static void* const* const* SelfOf(const PublicObject* object) { return object->implementation; }
  static void* const* const* SelfOf(const PlainObject* object) { return &object->vtable; }

  int version_;
};

}  // namespace im::trt
