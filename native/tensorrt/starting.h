// Objects that TensorRT's factories hand out, which may be no objects.
#pragma once

#include <cstdint>
#include <string>

#include "cuda/device.h"
#include "tensorrt/journal.h"
#include "tensorrt/library.h"

namespace im::trt {

// With a driver that is too old for the CUDA inside the library a factory logs that and returns a pointer to a few hundred bytes
// after null, where no system maps memory.
template <typename Object>
Object* Started(Object* made) {
  constexpr std::uintptr_t kFirstPage = 4096;
  return reinterpret_cast<std::uintptr_t>(made) < kFirstPage ? nullptr : made;
}

inline Status DoesNotStart(const InferLibrary& library, const cuda::Device& device, Journal& journal, const char* call) {
  const Status failure = journal.Failure("tensorrt.start", "TensorRT " + library.version().Text() + " does not start.", call);
  // cudaErrorInsufficientDriver.
  if (failure.message().find("CUDA initialization failure with error: 35") == std::string::npos) return failure;
  return Status(failure.code(), failure.stage(),
                failure.message() + " That is, the NVIDIA driver is too old for this TensorRT: it supports CUDA " +
                    cuda::VersionText(device.driver().version()) +
                    ". Update the driver, or install a TensorRT that was made for an older CUDA.")
      .With(Reason::kDriverTooOld);
}

}  // namespace im::trt
