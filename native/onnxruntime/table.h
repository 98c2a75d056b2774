// The part of ONNX Runtime's C interface that this package calls.
//
// The library is opened at run time and its header is not needed: the interface is a table of function pointers to which
// functions are only ever appended, so a slot number and a signature say everything. Slots beyond the end of an older
// library's table must not even be read, hence the version beside each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace im::ort {

struct OrtStatus;
struct OrtEnv;
struct OrtSession;
struct OrtSessionOptions;
struct OrtRunOptions;
struct OrtValue;
struct OrtTypeInfo;
struct OrtTensorTypeAndShapeInfo;
struct OrtModelMetadata;
struct OrtMemoryInfo;
struct OrtAllocator;
struct OrtCudaProviderOptions;
struct OrtTensorRtProviderOptions;

using LogFunction = void (*)(void* user, int severity, const char* category, const char* log_id, const char* where,
                             const char* message);

// X(slot, first API version that has it, result, name, parameters); results of type OrtStatus* are null on success.
#define IM_ORT_FUNCTIONS(X)                                                                                                      \
  X(1, 1, int, GetErrorCode, (const OrtStatus*))                                                                                 \
  X(2, 1, const char*, GetErrorMessage, (const OrtStatus*))                                                                      \
  X(4, 1, OrtStatus*, CreateEnvWithCustomLogger, (LogFunction, void*, int level, const char* id, OrtEnv**))                      \
  X(6, 1, OrtStatus*, DisableTelemetryEvents, (const OrtEnv*))                                                                   \
  X(7, 1, OrtStatus*, CreateSession, (const OrtEnv*, const char* path, const OrtSessionOptions*, OrtSession**))                  \
  X(8, 1, OrtStatus*, CreateSessionFromArray,                                                                                    \
    (const OrtEnv*, const void* data, std::size_t size, const OrtSessionOptions*, OrtSession**))                                 \
  X(9, 1, OrtStatus*, Run,                                                                                                       \
    (OrtSession*, const OrtRunOptions*, const char* const* input_names, const OrtValue* const* inputs, std::size_t,              \
     const char* const* output_names, std::size_t, OrtValue** outputs))                                                          \
  X(10, 1, OrtStatus*, CreateSessionOptions, (OrtSessionOptions**))                                                              \
  X(22, 1, OrtStatus*, SetSessionLogSeverityLevel, (OrtSessionOptions*, int))                                                    \
  X(23, 1, OrtStatus*, SetSessionGraphOptimizationLevel, (OrtSessionOptions*, int))                                              \
  X(24, 1, OrtStatus*, SetIntraOpNumThreads, (OrtSessionOptions*, int))                                                          \
  X(30, 1, OrtStatus*, SessionGetInputCount, (const OrtSession*, std::size_t*))                                                  \
  X(31, 1, OrtStatus*, SessionGetOutputCount, (const OrtSession*, std::size_t*))                                                 \
  X(33, 1, OrtStatus*, SessionGetInputTypeInfo, (const OrtSession*, std::size_t, OrtTypeInfo**))                                 \
  X(34, 1, OrtStatus*, SessionGetOutputTypeInfo, (const OrtSession*, std::size_t, OrtTypeInfo**))                                \
  X(36, 1, OrtStatus*, SessionGetInputName, (const OrtSession*, std::size_t, OrtAllocator*, char**))                             \
  X(37, 1, OrtStatus*, SessionGetOutputName, (const OrtSession*, std::size_t, OrtAllocator*, char**))                            \
  X(39, 1, OrtStatus*, CreateRunOptions, (OrtRunOptions**))                                                                      \
  X(46, 1, OrtStatus*, RunOptionsSetTerminate, (OrtRunOptions*))                                                                 \
  X(48, 1, OrtStatus*, CreateTensorAsOrtValue, (OrtAllocator*, const std::int64_t* dims, std::size_t, int type, OrtValue**))     \
  X(49, 1, OrtStatus*, CreateTensorWithDataAsOrtValue,                                                                           \
    (const OrtMemoryInfo*, void* data, std::size_t bytes, const std::int64_t* dims, std::size_t, int type, OrtValue**))          \
  X(51, 1, OrtStatus*, GetTensorMutableData, (OrtValue*, void**))                                                                \
  X(52, 1, OrtStatus*, FillStringTensor, (OrtValue*, const char* const*, std::size_t))                                           \
  X(53, 1, OrtStatus*, GetStringTensorDataLength, (const OrtValue*, std::size_t*))                                               \
  X(54, 1, OrtStatus*, GetStringTensorContent, (const OrtValue*, void*, std::size_t bytes, std::size_t* offsets, std::size_t))   \
  X(55, 1, OrtStatus*, CastTypeInfoToTensorInfo, (const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**))                        \
  X(56, 1, OrtStatus*, GetOnnxTypeFromTypeInfo, (const OrtTypeInfo*, int*))                                                      \
  X(60, 1, OrtStatus*, GetTensorElementType, (const OrtTensorTypeAndShapeInfo*, int*))                                           \
  X(61, 1, OrtStatus*, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo*, std::size_t*))                                     \
  X(62, 1, OrtStatus*, GetDimensions, (const OrtTensorTypeAndShapeInfo*, std::int64_t*, std::size_t))                            \
  X(63, 1, OrtStatus*, GetSymbolicDimensions, (const OrtTensorTypeAndShapeInfo*, const char**, std::size_t))                     \
  X(65, 1, OrtStatus*, GetTensorTypeAndShape, (const OrtValue*, OrtTensorTypeAndShapeInfo**))                                    \
  X(67, 1, OrtStatus*, GetValueType, (const OrtValue*, int*))                                                                    \
  X(69, 1, OrtStatus*, CreateCpuMemoryInfo, (int allocator_type, int memory_type, OrtMemoryInfo**))                              \
  X(76, 1, OrtStatus*, AllocatorFree, (OrtAllocator*, void*))                                                                    \
  X(78, 1, OrtStatus*, GetAllocatorWithDefaultOptions, (OrtAllocator**))                                                         \
  X(93, 1, void, ReleaseStatus, (OrtStatus*))                                                                                    \
  X(95, 1, void, ReleaseSession, (OrtSession*))                                                                                  \
  X(96, 1, void, ReleaseValue, (OrtValue*))                                                                                      \
  X(97, 1, void, ReleaseRunOptions, (OrtRunOptions*))                                                                            \
  X(98, 1, void, ReleaseTypeInfo, (OrtTypeInfo*))                                                                                \
  X(99, 1, void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo*))                                                    \
  X(100, 1, void, ReleaseSessionOptions, (OrtSessionOptions*))                                                                   \
  X(111, 1, OrtStatus*, SessionGetModelMetadata, (const OrtSession*, OrtModelMetadata**))                                        \
  X(112, 1, OrtStatus*, ModelMetadataGetProducerName, (const OrtModelMetadata*, OrtAllocator*, char**))                          \
  X(113, 1, OrtStatus*, ModelMetadataGetGraphName, (const OrtModelMetadata*, OrtAllocator*, char**))                             \
  X(114, 1, OrtStatus*, ModelMetadataGetDomain, (const OrtModelMetadata*, OrtAllocator*, char**))                                \
  X(115, 1, OrtStatus*, ModelMetadataGetDescription, (const OrtModelMetadata*, OrtAllocator*, char**))                           \
  X(116, 1, OrtStatus*, ModelMetadataLookupCustomMetadataMap, (const OrtModelMetadata*, OrtAllocator*, const char*, char**))     \
  X(117, 1, OrtStatus*, ModelMetadataGetVersion, (const OrtModelMetadata*, std::int64_t*))                                       \
  X(118, 1, void, ReleaseModelMetadata, (OrtModelMetadata*))                                                                     \
  X(123, 1, OrtStatus*, ModelMetadataGetCustomMetadataMapKeys, (const OrtModelMetadata*, OrtAllocator*, char***, std::int64_t*)) \
  X(125, 1, OrtStatus*, GetAvailableProviders, (char***, int*))                                                                  \
  X(126, 1, OrtStatus*, ReleaseAvailableProviders, (char**, int))                                                                \
  X(130, 1, OrtStatus*, AddSessionConfigEntry, (OrtSessionOptions*, const char* key, const char* value))                         \
  X(170, 1, OrtStatus*, SessionOptionsAppendExecutionProvider_TensorRT_V2,                                                       \
    (OrtSessionOptions*, const OrtTensorRtProviderOptions*))                                                                     \
  X(171, 1, OrtStatus*, CreateTensorRTProviderOptions, (OrtTensorRtProviderOptions**))                                           \
  X(172, 1, OrtStatus*, UpdateTensorRTProviderOptions,                                                                           \
    (OrtTensorRtProviderOptions*, const char* const* keys, const char* const* values, std::size_t))                              \
  X(174, 1, void, ReleaseTensorRTProviderOptions, (OrtTensorRtProviderOptions*))                                                 \
  X(192, 1, OrtStatus*, HasValue, (const OrtValue*, int*))                                                                       \
  X(204, 11, OrtStatus*, SessionOptionsAppendExecutionProvider_CUDA_V2, (OrtSessionOptions*, const OrtCudaProviderOptions*))     \
  X(205, 11, OrtStatus*, CreateCUDAProviderOptions, (OrtCudaProviderOptions**))                                                  \
  X(206, 11, OrtStatus*, UpdateCUDAProviderOptions,                                                                              \
    (OrtCudaProviderOptions*, const char* const* keys, const char* const* values, std::size_t))                                  \
  X(208, 11, void, ReleaseCUDAProviderOptions, (OrtCudaProviderOptions*))                                                        \
  X(216, 12, OrtStatus*, SessionOptionsAppendExecutionProvider,                                                                  \
    (OrtSessionOptions*, const char* name, const char* const* keys, const char* const* values, std::size_t))                     \
  X(266, 17, OrtStatus*, SetUserLoggingFunction, (OrtSessionOptions*, LogFunction, void*))                                       \
  X(293, 22, OrtStatus*, SessionOptionsSetLoadCancellationFlag, (OrtSessionOptions*, bool))

struct Table {
#define IM_ORT_MEMBER(slot, api, result, name, parameters) result(*name) parameters = nullptr;
  IM_ORT_FUNCTIONS(IM_ORT_MEMBER)
#undef IM_ORT_MEMBER
};

// Release 1.20: the oldest library that could be opened this way and was tried. Everything but the functions marked with
// a later version is there.
constexpr std::uint32_t kMinimumApi = 20;
// Newest interface that the slot numbers were compared with. Asking a library for more than it has prints on standard
// error, and asking for less gives the same table.
constexpr std::uint32_t kNewestKnownApi = 31;

// What OrtGetApiBase returns.
struct ApiBase {
  const void* (*GetApi)(std::uint32_t version);
  const char* (*GetVersionString)();
};

// API version of a release: N of "1.N.p"; nothing for other texts.
std::optional<std::uint32_t> ApiOfRelease(const std::string& version);

// Functions that the table of this API version does not have stay null.
Table ReadTable(const void* slots, std::uint32_t api);

// Numbers of the interface.
enum ErrorCode {
  kErrorNoSuchFile = 3,
  kErrorInvalidProtobuf = 7,
  kErrorInvalidGraph = 10,
  kErrorProvider = 11,
  kErrorLoadCancelled = 12
};
enum ValueKind {
  kKindUnknown = 0,
  kKindTensor = 1,
  kKindSequence = 2,
  kKindMap = 3,
  kKindOpaque = 4,
  kKindSparse = 5,
  kKindOptional = 6
};
enum ElementType { kElementString = 8 };

}  // namespace im::ort
