// From an ONNX model to a serialized engine for the device of this machine. Takes minutes: on a thread that may block.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"
#include "tensorrt/engine.h"

namespace im::trt {

// The full library of the newest major that is installed: the others cannot build.
Result<InferLibrary> OpenBuilderLibrary(const std::string& configured);

struct BatchRange {
  std::int64_t minimum = 1;
  std::int64_t optimum = 1;
  std::int64_t maximum = 1;
};

struct ImageSize {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

struct InputRange {
  std::string input;
  Tensor::Range range;
};

struct BuildOptions {
  // Half precision where it is faster. Only 10 can choose it; in 11 the model itself says which precision its parts have.
  bool fp16 = false;
  // Every part in the precision that the model says. Always so in 11.
  bool strongly_typed = false;
  // Scratch memory that a part of the engine may use, bytes; 0 = all of the device.
  std::uint64_t workspace_bytes = 0;
  // For inputs whose first size varies, and no other, or those of pictures too.
  std::optional<BatchRange> batch;
  // For inputs [pictures, channels, height, width] whose last two sizes vary: the only one that the engine takes.
  std::optional<ImageSize> image;
  // Several profiles of ranges by input; inputs of fixed shape need none.
  std::vector<std::vector<InputRange>> profiles;
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

// Where a build is: phases from the outermost to the innermost that has begun and not ended.
struct BuildPhase {
  std::string name;
  std::string parent;
  std::int32_t steps = 0;
  std::int32_t done = 0;
};

// Told by the builder, on threads of its own, and asked by whoever waits.
class BuildProgress final : public ProgressMonitor {
 public:
  // `changed` is called on the builder's threads, must not block and must not throw; may be empty.
  explicit BuildProgress(std::function<void()> changed) : changed_(std::move(changed)) {}

  void phaseStart(const char* phase, const char* parent, std::int32_t steps) noexcept override;
  bool stepComplete(const char* phase, std::int32_t step) noexcept override;
  void phaseFinish(const char* phase) noexcept override;

  std::vector<BuildPhase> phases() const;
  // Any thread. The builder hears of it when its next step is complete.
  void Cancel() { cancelled_ = true; }
  bool cancelled() const { return cancelled_; }

 private:
  void Tell() const noexcept;

  const std::function<void()> changed_;
  std::atomic<bool> cancelled_{false};
  mutable std::mutex mutex_;
  std::vector<BuildPhase> phases_;
};

// The device must have answered before. `path`: see OnnxParser::Parse; `configured` folder of libraries.
Result<BuiltEngine> BuildEngine(const InferLibrary& library, const cuda::Device& device, const std::string& configured, const void* model,
                                std::size_t size, const std::string& path, const BuildOptions& options, BuildProgress& progress);

// What either has measured. Both must be of this device and release.
Result<std::vector<char>> CombineTimingCaches(const InferLibrary& library, const cuda::Device& device, const std::vector<char>& first,
                                              const std::vector<char>& second);

}  // namespace im::trt
