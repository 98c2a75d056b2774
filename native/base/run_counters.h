// What becomes of runs: of one engine, or of all engines of a device.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

#include "base/status.h"

namespace im {

struct RunCounts {
  std::uint64_t waiting = 0;
  std::uint64_t running = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t refused = 0;  // for want of a place in the queue
  std::uint64_t most_waiting = 0;
  std::chrono::nanoseconds longest_wait{0};  // of a run that was begun
};

// Any thread.
class RunCounters {
 public:
  RunCounts Read() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return counts_;
  }
  void Refuse() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++counts_.refused;
  }

 private:
  friend class CountedRun;
  template <typename Change>
  void Apply(Change change) {
    std::lock_guard<std::mutex> lock(mutex_);
    change(counts_);
  }

  mutable std::mutex mutex_;
  RunCounts counts_;
};

// A run from its waiting to its end, in the counters of its engine and of its device. One thread at a time.
class CountedRun {
 public:
  CountedRun(std::shared_ptr<RunCounters> engine, std::shared_ptr<RunCounters> device)
      : counters_{std::move(engine), std::move(device)} {
    ForBoth([](RunCounts& counts) { counts.most_waiting = std::max(counts.most_waiting, ++counts.waiting); });
  }
  CountedRun(const CountedRun&) = delete;
  CountedRun& operator=(const CountedRun&) = delete;
  // One that was never handed over leaves no trace but the high-water mark.
  ~CountedRun() {
    if (!ended_) Leave();
  }

  void Start() {
    const auto waited = std::chrono::steady_clock::now() - since_;
    started_ = true;
    ForBoth([&](RunCounts& counts) {
      --counts.waiting;
      ++counts.running;
      counts.longest_wait = std::max<std::chrono::nanoseconds>(counts.longest_wait, waited);
    });
  }

  void End(Code code) {
    Leave();
    ForBoth([&](RunCounts& counts) {
      ++(code == Code::kOk ? counts.completed : code == Code::kCancelled ? counts.cancelled : counts.failed);
    });
  }

 private:
  void Leave() {
    ended_ = true;
    ForBoth([this](RunCounts& counts) { --(started_ ? counts.running : counts.waiting); });
  }
  template <typename Change>
  void ForBoth(Change change) {
    for (const std::shared_ptr<RunCounters>& counters : counters_) counters->Apply(change);
  }

  const std::array<std::shared_ptr<RunCounters>, 2> counters_;
  const std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  bool started_ = false;
  bool ended_ = false;
};

}  // namespace im
