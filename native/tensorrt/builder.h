// From an ONNX model to a serialized engine for the device of this machine. Takes minutes: on a thread that may block.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"
#include "tensorrt/build_profiles.h"
#include "tensorrt/build_progress.h"
#include "tensorrt/engine.h"

namespace im::trt {

// The full library of the newest major that is installed: the others cannot build.
Result<InferLibrary> OpenBuilderLibrary(const std::string& configured);

struct BuildOptions {
  // Half precision where it is faster. Only 10 can choose it; in 11 the model itself says which precision its parts have.
  bool fp16 = false;
  // Every part in the precision that the model says. Always so in 11.
  bool strongly_typed = false;
  // Scratch memory that a part of the engine may use, bytes; 0 = all of the device.
  std::uint64_t workspace_bytes = 0;
  WantedShapes shapes;
  HardwareCompatibility hardware = HardwareCompatibility::kNone;
  bool version_compatible = false;
  // What earlier builds have measured; null = measure everything and keep nothing. An empty one is filled.
  const std::vector<char>* timing_cache = nullptr;
};

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

struct BuiltEngine {
  // From malloc; independent of the library.
  std::unique_ptr<void, FreeMemory> memory;
  std::size_t size = 0;
  // As the network has them; profiles are those that were built.
  std::vector<Tensor> inputs;
  std::vector<Tensor> outputs;
  int layers = 0;
  int profiles = 0;
  // With what this build has measured. Empty when none was asked for.
  std::vector<char> timing_cache;
  // The given one belonged to another device or release, and was not used.
  bool timing_cache_refused = false;
  // What TensorRT warned of on this thread.
  std::string warnings;
};

// The device must have answered before. `path`: see OnnxParser::Parse; `configured` folder of libraries.
Result<BuiltEngine> BuildEngine(const InferLibrary& library, const cuda::Device& device, const std::string& configured,
                                const void* model, std::size_t size, const std::string& path, const BuildOptions& options,
                                BuildProgress& progress);

// What either has measured. Both must be of this device and release.
Result<std::vector<char>> CombineTimingCaches(const InferLibrary& library, const cuda::Device& device,
                                              const std::vector<char>& first, const std::vector<char>& second);

}  // namespace im::trt
