#include "device_queue.h"

namespace im {
namespace {

// From the first thread to the second, or back to JavaScript when there is nothing to wait for.
Lanes::Done Forward(std::shared_ptr<Lanes> completion, Lanes::Done finish) {
  return [completion = std::move(completion), finish = std::move(finish)](std::unique_ptr<Lanes::Job> job) {
    const auto* task = static_cast<DeviceTask*>(static_cast<LaneTask*>(job.get()));
    if (task->in_flight() && completion->Submit(job)) return;
    finish(std::move(job));
  };
}

}  // namespace

void DeviceTask::Run() {
  LaneTask::Run();
  in_flight_ = !in_flight_ && expects_completion_ && status().ok();
  if (!in_flight_) Settled();
}

DeviceQueue::DeviceQueue(Environment* environment, std::shared_ptr<const cuda::Resources> resources)
    : environment_(environment),
      resources_(std::move(resources)),
      completion_(std::make_shared<Lanes>(LaneTask::FinishIn(environment))),
      submission_(std::make_shared<Lanes>(Forward(completion_, LaneTask::FinishIn(environment)))) {}

Status DeviceQueue::Start(std::weak_ptr<Stoppable> self) {
  if (started_) return {};
  IM_RETURN_IF_ERROR(completion_->Start(1));
  IM_RETURN_IF_ERROR(submission_->Start(1));
  environment_->StopAtExit(std::move(self));
  started_ = true;
  return {};
}

void DeviceQueue::Stop() {
  // In this order: the first thread may be about to hand something to the second.
  submission_->Stop();
  completion_->Stop();
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
