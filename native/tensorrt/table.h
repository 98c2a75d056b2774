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

// Deletes through the deleting destructor, slot 1 of the public object's own vtable in every version.
struct Destroy {
  void operator()(PublicObject* object) const { reinterpret_cast<void (*)(PublicObject*)>(object->vtable[1])(object); }
};
template <typename Object>
using Owned = std::unique_ptr<Object, Destroy>;

class ErrorRecorder;
class GpuAllocator;
class OutputAllocator;

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
constexpr std::int32_t kFormatLinear = 0;
constexpr std::int32_t kErrorFailedAllocation = 5;

// ---- methods ----

constexpr int kAbsent = -1;

// X(object, implementation's name, method, slot in 10, slot in 11, first version that has it, signature)
#define IM_TRT_METHODS(X)                                                                                                     \
  X(Runtime, VRuntime, deserializeCudaEngine, 3, 3, 0, EngineObject*(const void*, std::size_t))                                     \
  X(Runtime, VRuntime, setGpuAllocator, 8, 7, 0, void(GpuAllocator*))                                                         \
  X(Runtime, VRuntime, setErrorRecorder, 9, 8, 0, void(ErrorRecorder*))                                                       \
  X(Runtime, VRuntime, setEngineHostCodeAllowed, 21, 20, 0, void(bool))                                                       \
  X(Engine, VCudaEngine, getNbLayers, 3, 3, 0, std::int32_t())                                                                \
  X(Engine, VCudaEngine, createExecutionContext, 5, 5, 0, ExecutionContextObject*(Allocation))                                      \
  X(Engine, VCudaEngine, getDeviceMemorySize, 7, kAbsent, 0, std::size_t())                                                   \
  X(Engine, VCudaEngine, getName, 9, 7, 0, const char*())                                                                     \
  X(Engine, VCudaEngine, getNbOptimizationProfiles, 10, 8, 0, std::int32_t())                                                 \
  X(Engine, VCudaEngine, setErrorRecorder, 13, 10, 0, void(ErrorRecorder*))                                                   \
  X(Engine, VCudaEngine, getTensorShape, 19, 15, 0, Dims(const char*))                                                        \
  X(Engine, VCudaEngine, getTensorDataType, 20, 16, 0, DataType(const char*))                                                 \
  X(Engine, VCudaEngine, getTensorLocation, 21, 17, 0, Location(const char*))                                                 \
  X(Engine, VCudaEngine, isShapeInferenceIO, 22, 18, 0, bool(const char*))                                                    \
  X(Engine, VCudaEngine, getTensorIOMode, 23, 19, 0, IoMode(const char*))                                                     \
  X(Engine, VCudaEngine, getTensorFormat, 26, 22, 0, std::int32_t(const char*))                                               \
  X(Engine, VCudaEngine, getTensorFormatDesc, 27, 23, 0, const char*(const char*))                                            \
  X(Engine, VCudaEngine, getProfileShape, 29, 25, 0, Dims(const char*, std::int32_t, ProfileSelector))                        \
  X(Engine, VCudaEngine, getNbIOTensors, 30, 26, 0, std::int32_t())                                                           \
  X(Engine, VCudaEngine, getIOTensorName, 31, 27, 0, const char*(std::int32_t))                                               \
  X(Engine, VCudaEngine, getHardwareCompatibilityLevel, 32, 28, 0, HardwareCompatibility())                                   \
  X(Engine, VCudaEngine, getNbAuxStreams, 33, 29, 0, std::int32_t())                                                          \
  X(Engine, VCudaEngine, getDeviceMemorySizeV2, 52, 44, 100100, std::int64_t())                                               \
  X(Engine, VCudaEngine, getDeviceMemorySizeForProfileV2, 53, 45, 100100, std::int64_t(std::int32_t))                         \
  X(ExecutionContext, VExecutionContext, setErrorRecorder, 14, 13, 0, void(ErrorRecorder*))                                   \
  X(ExecutionContext, VExecutionContext, setDeviceMemory, 10, 10, 0, void(void*))                                             \
  X(ExecutionContext, VExecutionContext, setOptimizationProfileAsync, 17, 16, 0, bool(std::int32_t, CudaStream*))             \
  X(ExecutionContext, VExecutionContext, setInputShape, 21, 20, 0, bool(const char*, const Dims*))                            \
  X(ExecutionContext, VExecutionContext, getTensorShape, 22, 21, 0, Dims(const char*))                                        \
  X(ExecutionContext, VExecutionContext, setTensorAddress, 24, 23, 0, bool(const char*, void*))                               \
  X(ExecutionContext, VExecutionContext, inferShapes, 28, 27, 0, std::int32_t(std::int32_t, const char**))                    \
  X(ExecutionContext, VExecutionContext, setOutputAllocator, 32, 31, 0, bool(const char*, OutputAllocator*))                  \
  X(ExecutionContext, VExecutionContext, enqueueV3, 37, 36, 0, bool(CudaStream*))                                             \
  X(ExecutionContext, VExecutionContext, setDeviceMemoryV2, 49, 48, 100100, void(void*, std::int64_t))

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
    using Object = object##Object;                                                 \
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

  template <typename Method>
  bool Has() const {
    return Slot<Method>() != kAbsent && version_ >= Method::kSince;
  }

  // A method that this version lacks answers zero; ask Has first where that matters.
  template <typename Method, typename... Arguments>
  typename Method::Result Call(const typename Method::Object* object, Arguments... arguments) const {
    if (!Has<Method>()) return typename Method::Result();
    void* const* const* self = object->implementation;
    return reinterpret_cast<typename Method::Function>((*self)[Slot<Method>()])(self, arguments...);
  }

 private:
  template <typename Method>
  int Slot() const {
    return version_ >= 110000 ? Method::kSlot11 : Method::kSlot10;
  }

  int version_;
};

}  // namespace im::trt
