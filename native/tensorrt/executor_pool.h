// The executors of one engine: runs take one and give it back.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "tensorrt/executor.h"

namespace im::trt {

class ExecutorPool : public std::enable_shared_from_this<ExecutorPool> {
 public:
  // Gives its executor back with its end.
  class Lease {
   public:
    Lease() = default;
    Lease(std::shared_ptr<ExecutorPool> pool, std::size_t index) : pool_(std::move(pool)), index_(index) {}
    Lease(Lease&& other) noexcept { *this = std::move(other); }
    Lease& operator=(Lease&& other) noexcept {
      std::swap(pool_, other.pool_);
      std::swap(index_, other.index_);
      return *this;
    }
    ~Lease() {
      if (pool_ != nullptr) pool_->Return(index_);
    }
    explicit operator bool() const { return pool_ != nullptr; }
    Executor* operator->() const { return pool_->executors_[index_].get(); }

   private:
    std::shared_ptr<ExecutorPool> pool_;
    std::size_t index_ = 0;
  };

  static Result<std::shared_ptr<ExecutorPool>> Create(const std::shared_ptr<const Engine>& engine, std::size_t count,
                                                      const ExecutorOptions& options) {
    std::shared_ptr<ExecutorPool> pool(new ExecutorPool());
    for (std::size_t i = 0; i < count; ++i) {
      Result<std::unique_ptr<Executor>> executor = Executor::Create(engine, options);
      if (!executor.ok()) return executor.status();
      pool->executors_.push_back(std::move(executor.value()));
      pool->free_.push_back(i);
      pool->statistics_.emplace_back();
    }
    return pool;
  }

  // Empty when none is free.
  Lease TryTake() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (free_.empty()) return {};
    const std::size_t index = free_.back();
    free_.pop_back();
    return {shared_from_this(), index};
  }

  bool AllFree() const {
    std::lock_guard<std::mutex> lock(mutex_);
    return free_.size() == executors_.size();
  }
  // Over all runs that have ended.
  ExecutorStatistics statistics() const {
    std::lock_guard<std::mutex> lock(mutex_);
    ExecutorStatistics sum;
    for (const ExecutorStatistics& one : statistics_) {
      sum.runs += one.runs;
      sum.graph_launches += one.graph_launches;
      sum.graphs_captured += one.graphs_captured;
      sum.graphs_given_up += one.graphs_given_up;
      if (!one.last_capture_failure.empty()) sum.last_capture_failure = one.last_capture_failure;
    }
    return sum;
  }

 private:
  ExecutorPool() = default;

  void Return(std::size_t index) {
    std::lock_guard<std::mutex> lock(mutex_);
    statistics_[index] = executors_[index]->statistics();
    free_.push_back(index);
  }

  std::vector<std::unique_ptr<Executor>> executors_;
  mutable std::mutex mutex_;
  std::vector<std::size_t> free_;
  std::vector<ExecutorStatistics> statistics_;
};

}  // namespace im::trt
