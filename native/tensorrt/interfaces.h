// Interfaces that TensorRT calls and the application implements: abstract classes whose layout is the library's.
//
// The order of the virtual functions is the binary interface. A test compares it with the measured facts.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensorrt/table.h"

namespace im::trt {

class VersionedInterface {
 public:
  virtual std::int32_t getAPILanguage() const noexcept { return 0; }  // C++
  virtual InterfaceInfo getInterfaceInfo() const noexcept = 0;
  virtual ~VersionedInterface() noexcept = default;
};

// A logger of the wrong major is the first thing to crash: slot 0 of the other one answers a number.
class Logger10 {
 public:
  virtual void log(Severity severity, const char* text) noexcept = 0;
  virtual ~Logger10() = default;
};

class Logger11 : public VersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"ILogger", 1, 0}; }
  virtual void log(Severity severity, const char* text) noexcept = 0;
};

class ErrorRecorder : public VersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IErrorRecorder", 1, 0}; }
  virtual std::int32_t getNbErrors() const noexcept = 0;
  virtual std::int32_t getErrorCode(std::int32_t index) const noexcept = 0;
  virtual const char* getErrorDesc(std::int32_t index) const noexcept = 0;
  virtual bool hasOverflowed() const noexcept = 0;
  virtual void clear() noexcept = 0;
  virtual bool reportError(std::int32_t code, const char* text) noexcept = 0;
  virtual std::int32_t incRefCount() noexcept = 0;
  virtual std::int32_t decRefCount() noexcept = 0;
};

class GpuAllocator : public VersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IGpuAllocator", 1, 0}; }
  virtual void* allocate(std::uint64_t bytes, std::uint64_t alignment, std::uint32_t flags) noexcept = 0;
  virtual void* reallocate(void*, std::uint64_t, std::uint64_t) noexcept { return nullptr; }
  virtual bool deallocate(void* memory) noexcept = 0;
  virtual void* allocateAsync(std::uint64_t bytes, std::uint64_t alignment, std::uint32_t flags, CudaStream* stream) noexcept = 0;
  virtual bool deallocateAsync(void* memory, CudaStream* stream) noexcept = 0;
};

class OutputAllocator : public VersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IOutputAllocator", 1, 0}; }
  virtual void* reallocateOutput(const char* tensor, void* current, std::uint64_t bytes, std::uint64_t alignment) noexcept = 0;
  virtual void* reallocateOutputAsync(const char* tensor, void* current, std::uint64_t bytes, std::uint64_t alignment,
                                      CudaStream* stream) noexcept = 0;
  virtual void notifyShape(const char* tensor, const Dims* dims) noexcept = 0;
};

class ProgressMonitor : public VersionedInterface {
 public:
  InterfaceInfo getInterfaceInfo() const noexcept override { return {"IProgressMonitor", 1, 0}; }
  virtual void phaseStart(const char* phase, const char* parent, std::int32_t steps) noexcept = 0;
  // False stops the build.
  virtual bool stepComplete(const char* phase, std::int32_t step) noexcept = 0;
  virtual void phaseFinish(const char* phase) noexcept = 0;
};

}  // namespace im::trt
