// The part of the CUDA driver interface that this package calls.
//
// libcuda is opened at run time and its header is not needed. A function keeps its name and signature for good; one whose
// signature changes gets a new name (..._v2). So the name, the signature and the CUDA version that brought it say everything.
#pragma once

#include <cstddef>
#include <cstdint>

namespace im::cuda {

using DeviceNumber = int;
using DeviceAddress = std::uint64_t;
struct ContextObject;
struct StreamObject;
struct EventObject;
struct ModuleObject;
struct FunctionObject;
struct GraphObject;
struct GraphExecObject;
struct MemoryPoolObject;

struct Uuid {
  unsigned char bytes[16];
};

struct MemoryPoolProperties {
  int allocation_type = 1;  // pinned to the device, the only one
  int handle_types = 0;     // not shared with other processes
  int location_type = 1;    // a device
  int location_number = 0;
  void* security_attributes = nullptr;
  unsigned char reserved[64] = {};
};
static_assert(sizeof(MemoryPoolProperties) == 88);

// X(symbol, CUDA version that has it, parameters); all of them answer a result code.
#define IM_CUDA_FUNCTIONS(X)                                                                                                   \
  X(cuInit, 2000, (unsigned flags))                                                                                            \
  X(cuDriverGetVersion, 2020, (int*))                                                                                          \
  X(cuGetErrorName, 6000, (int, const char**))                                                                                 \
  X(cuGetErrorString, 6000, (int, const char**))                                                                               \
  X(cuDeviceGetCount, 2000, (int*))                                                                                            \
  X(cuDeviceGet, 2000, (DeviceNumber*, int ordinal))                                                                           \
  X(cuDeviceGetName, 2000, (char*, int bytes, DeviceNumber))                                                                   \
  X(cuDeviceGetUuid, 9020, (Uuid*, DeviceNumber))                                                                              \
  X(cuDeviceTotalMem_v2, 3020, (std::size_t*, DeviceNumber))                                                                   \
  X(cuDeviceGetAttribute, 2000, (int*, int attribute, DeviceNumber))                                                           \
  X(cuDevicePrimaryCtxRetain, 7000, (ContextObject**, DeviceNumber))                                                           \
  X(cuDevicePrimaryCtxRelease_v2, 11000, (DeviceNumber))                                                                       \
  X(cuCtxSetCurrent, 4000, (ContextObject*))                                                                                   \
  X(cuMemGetInfo_v2, 3020, (std::size_t* free, std::size_t* total))                                                            \
  X(cuMemAlloc_v2, 3020, (DeviceAddress*, std::size_t))                                                                        \
  X(cuMemFree_v2, 3020, (DeviceAddress))                                                                                       \
  X(cuMemHostAlloc, 2020, (void**, std::size_t, unsigned flags))                                                               \
  X(cuMemFreeHost, 2000, (void*))                                                                                              \
  X(cuMemPoolCreate, 11020, (MemoryPoolObject**, const MemoryPoolProperties*))                                                 \
  X(cuMemPoolDestroy, 11020, (MemoryPoolObject*))                                                                              \
  X(cuMemPoolSetAttribute, 11020, (MemoryPoolObject*, int attribute, void* value))                                             \
  X(cuMemAllocFromPoolAsync, 11020, (DeviceAddress*, std::size_t, MemoryPoolObject*, StreamObject*))                           \
  X(cuMemFreeAsync, 11020, (DeviceAddress, StreamObject*))                                                                     \
  X(cuMemcpyHtoDAsync_v2, 3020, (DeviceAddress, const void*, std::size_t, StreamObject*))                                      \
  X(cuMemcpyDtoHAsync_v2, 3020, (void*, DeviceAddress, std::size_t, StreamObject*))                                            \
  X(cuMemcpyDtoDAsync_v2, 3020, (DeviceAddress, DeviceAddress, std::size_t, StreamObject*))                                    \
  X(cuMemsetD8Async, 3020, (DeviceAddress, unsigned char, std::size_t, StreamObject*))                                         \
  X(cuStreamCreate, 2000, (StreamObject**, unsigned flags))                                                                    \
  X(cuStreamDestroy_v2, 4000, (StreamObject*))                                                                                 \
  X(cuStreamSynchronize, 2000, (StreamObject*))                                                                                \
  X(cuStreamWaitEvent, 3020, (StreamObject*, EventObject*, unsigned flags))                                                    \
  X(cuEventCreate, 2000, (EventObject**, unsigned flags))                                                                      \
  X(cuEventRecord, 2000, (EventObject*, StreamObject*))                                                                        \
  X(cuEventSynchronize, 2000, (EventObject*))                                                                                  \
  X(cuEventElapsedTime, 2000, (float* milliseconds, EventObject*, EventObject*))                                               \
  X(cuEventDestroy_v2, 4000, (EventObject*))                                                                                   \
  X(cuModuleLoadDataEx, 2010, (ModuleObject**, const void* image, unsigned count, int* options, void** values))                \
  X(cuModuleUnload, 2000, (ModuleObject*))                                                                                     \
  X(cuModuleGetFunction, 2000, (FunctionObject**, ModuleObject*, const char* name))                                            \
  X(cuLaunchKernel, 4000,                                                                                                      \
    (FunctionObject*, unsigned grid_x, unsigned grid_y, unsigned grid_z, unsigned block_x, unsigned block_y, unsigned block_z, \
     unsigned shared_bytes, StreamObject*, void** parameters, void** extra))                                                   \
  X(cuStreamBeginCapture_v2, 10010, (StreamObject*, int mode))                                                                 \
  X(cuStreamEndCapture, 10000, (StreamObject*, GraphObject**))                                                                 \
  X(cuGraphInstantiateWithFlags, 11040, (GraphExecObject**, GraphObject*, unsigned long long flags))                           \
  X(cuGraphLaunch, 10000, (GraphExecObject*, StreamObject*))                                                                   \
  X(cuGraphExecDestroy, 10000, (GraphExecObject*))                                                                             \
  X(cuGraphDestroy, 10000, (GraphObject*))

struct DriverTable {
#define IM_CUDA_MEMBER(symbol, since, parameters) int(*symbol) parameters = nullptr;
  IM_CUDA_FUNCTIONS(IM_CUDA_MEMBER)
#undef IM_CUDA_MEMBER
};

// TensorRT 10 and 11 need drivers that are newer than this.
constexpr int kMinimumCudaVersion = 11040;

// Numbers of the interface.
enum ResultCode {
  kSuccess = 0,
  kInvalidValue = 1,
  kOutOfMemory = 2,
  kStubLibrary = 34,
  kDeviceUnavailable = 46,
  kNoDevice = 100,
  kInvalidDevice = 101,
  kInvalidImage = 200,
  kNoBinaryForGpu = 209,
  kInvalidPtx = 218,
  kUnsupportedPtxVersion = 222,
  kIllegalAddress = 700,
  kLaunchTimeout = 702,
  kAssert = 710,
  kLaunchFailed = 719,
  kSystemNotReady = 802,
  kSystemDriverMismatch = 803,
  kCompatibilityNotSupported = 804,
  kCaptureUnsupported = 900,
  kCaptureLast = 908,
};
enum DeviceAttribute {
  kMultiprocessorCount = 16,
  kComputeCapabilityMajor = 75,
  kComputeCapabilityMinor = 76,
  kMemoryPoolsSupported = 115,
};
constexpr unsigned kStreamNonBlocking = 1;
constexpr unsigned kEventDisableTiming = 2;
constexpr unsigned kEventBlockingSync = 1;
constexpr int kCaptureThreadLocal = 1;
constexpr int kPoolReleaseThreshold = 4;
constexpr int kJitErrorLogBuffer = 5;
constexpr int kJitErrorLogBytes = 6;

}  // namespace im::cuda
