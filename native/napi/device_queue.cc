#include "device_queue.h"

#include <algorithm>
#include <utility>

namespace im {
namespace {

class DiscardJob : public Lanes::Job {
 public:
  DiscardJob(std::shared_ptr<DeviceQueue> queue, std::shared_ptr<const void> object)
      : queue_(std::move(queue)), object_(std::move(object)) {}
  void Run() override { object_.reset(); }
  void Abandon() override { object_.reset(); }
  void Interrupt() override {}
  std::shared_ptr<DeviceQueue> TakeQueue() { return std::move(queue_); }

 private:
  std::shared_ptr<DeviceQueue> queue_;
  std::shared_ptr<const void> object_;
};

// From the first thread to the one that waits, or back to JavaScript when there is nothing to wait for.
Lanes::Done Forward(Environment* environment, Lanes::Done finish) {
  return [environment, finish = std::move(finish)](std::unique_ptr<Lanes::Job> job) {
    if (auto* discarded = dynamic_cast<DiscardJob*>(job.get())) {
      // It may have been the last one to hold the queue, whose threads cannot end themselves.
      return environment->Post([queue = discarded->TakeQueue()](Napi::Env) {});
    }
    const auto* task = static_cast<DeviceTask*>(static_cast<LaneTask*>(job.get()));
    if (task->in_flight() && task->completion()->Submit(job)) return;
    finish(std::move(job));
  };
}

}  // namespace

DeviceTask::DeviceTask(Napi::Env env, const DeviceQueue& queue, const char* stage)
    : DeviceTask(env, queue, queue.completion(), stage) {}

DeviceTask::DeviceTask(Napi::Env env, const DeviceQueue& queue, std::shared_ptr<Lanes> completion, const char* stage)
    : LaneTask(env, queue.lanes(), stage), completion_(std::move(completion)) {}

void DeviceTask::Run() {
  LaneTask::Run();
  in_flight_ = !in_flight_ && expects_completion_ && status().ok();
  if (!in_flight_) Settled();
}

DeviceQueue::DeviceQueue(Environment* environment, std::shared_ptr<const cuda::Resources> resources)
    : environment_(environment),
      resources_(std::move(resources)),
      completion_(std::make_shared<Lanes>(LaneTask::FinishIn(environment))),
      submission_(std::make_shared<Lanes>(Forward(environment, LaneTask::FinishIn(environment)))) {}

Status DeviceQueue::Start(std::weak_ptr<Stoppable> self) {
  if (started_) return {};
  IM_RETURN_IF_ERROR(completion_->Start(1));
  IM_RETURN_IF_ERROR(submission_->Start(1));
  environment_->StopAtExit(std::move(self));
  started_ = true;
  return {};
}

void DeviceQueue::Stop() {
  // In this order: the first thread may be about to hand something to the others.
  submission_->Stop();
  completion_->Stop();
  for (const std::weak_ptr<Lanes>& added : completions_) {
    if (const std::shared_ptr<Lanes> completion = added.lock()) completion->Stop();
  }
}

Result<std::shared_ptr<Lanes>> DeviceQueue::AddCompletion() {
  auto completion = std::make_shared<Lanes>(LaneTask::FinishIn(environment_));
  IM_RETURN_IF_ERROR(completion->Start(1));
  completions_.erase(std::remove_if(completions_.begin(), completions_.end(), [](const auto& weak) { return weak.expired(); }),
                     completions_.end());
  completions_.push_back(completion);
  return completion;
}

void DeviceQueue::Discard(std::shared_ptr<DeviceQueue> queue, std::shared_ptr<const void> object) {
  if (!queue->started_) return;
  const std::shared_ptr<Lanes> lanes = queue->lanes();
  std::unique_ptr<Lanes::Job> job = std::make_unique<DiscardJob>(std::move(queue), std::move(object));
  (void)lanes->Submit(job);  // once the environment ends, it is released here
}

Result<std::shared_ptr<DeviceQueue>> DeviceQueues::Get(Environment* environment, const std::string& cuda_path, int ordinal) {
  std::lock_guard<std::mutex> lock(mutex_);
  std::weak_ptr<DeviceQueue>& known = queues_[ordinal];
  if (std::shared_ptr<DeviceQueue> queue = known.lock()) {
    IM_RETURN_IF_ERROR(queue->resources()->device->MakeCurrent());
    return queue;
  }
  const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::DriverSearch(cuda_path));
  if (!driver.ok()) return driver.status();
  Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), ordinal);
  if (!resources.ok()) return resources.status();
  auto queue = std::make_shared<DeviceQueue>(environment, std::move(resources.value()));
  known = queue;
  return queue;
}

}  // namespace im
