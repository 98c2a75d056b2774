#include "build_progress.h"

#include <algorithm>

namespace im::trt {

void BuildProgress::Tell() const noexcept {
  if (changed_) changed_();
}

void BuildProgress::phaseStart(const char* phase, const char* parent, std::int32_t steps) noexcept {
  if (phase == nullptr) return;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    phases_.push_back({phase, parent == nullptr ? "" : parent, steps, 0});
  }
  Tell();
}

bool BuildProgress::stepComplete(const char* phase, std::int32_t step) noexcept {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (BuildPhase& known : phases_) {
      // Steps are counted from 0, and may be told out of order by several threads.
      if (phase != nullptr && known.name == phase) known.done = std::max(known.done, step + 1);
    }
  }
  Tell();
  return !cancelled_;
}

void BuildProgress::phaseFinish(const char* phase) noexcept {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    phases_.erase(std::remove_if(phases_.begin(), phases_.end(),
                                 [&](const BuildPhase& known) { return phase != nullptr && known.name == phase; }),
                  phases_.end());
  }
  Tell();
}

std::vector<BuildPhase> BuildProgress::phases() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return phases_;
}

}  // namespace im::trt
