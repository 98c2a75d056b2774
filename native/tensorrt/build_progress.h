// Where a build is, and the way to stop it.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "tensorrt/interfaces.h"

namespace im::trt {

// Something that the builder is doing, within the phase `parent` ("" = within none).
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

}  // namespace im::trt
