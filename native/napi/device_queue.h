// The two threads that work with one device: one puts work into its streams, the other waits for it. So the next run is prepared
// while the device computes, and no JavaScript thread ever waits. Whose work cannot begin yet, because its engine is busy, lets
// others go first.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/run_counters.h"
#include "cuda/resources.h"
#include "environment.h"
#include "lane_task.h"

namespace im {

// Work in two steps, each on its own thread.
class DeviceTask : public LaneTask {
 public:
  using LaneTask::LaneTask;

  void Run() final;
  bool Ready() final { return in_flight_ || CanSubmit(); }
  Status Execute() final { return in_flight_ ? Complete() : Submit(); }
  bool in_flight() const { return in_flight_; }

 protected:
  // Whether Submit has all that it needs; as Lanes::Job::Ready.
  virtual bool CanSubmit() { return true; }
  // Puts work into a stream. Calls ExpectCompletion when there is something to wait for.
  virtual Status Submit() = 0;
  virtual Status Complete() { return {}; }
  // After the last step, on the thread that it ran on.
  virtual void Settled() {}
  void ExpectCompletion() { expects_completion_ = true; }

 private:
  bool expects_completion_ = false;
  bool in_flight_ = false;
};

class DeviceQueue : public Stoppable {
 public:
  DeviceQueue(Environment* environment, std::shared_ptr<const cuda::Resources> resources);
  ~DeviceQueue() override { Stop(); }

  // JavaScript thread; once is enough.
  Status Start(std::weak_ptr<Stoppable> self);
  void Stop() override;

  // For DeviceTasks alone.
  const std::shared_ptr<Lanes>& lanes() const { return submission_; }
  const std::shared_ptr<const cuda::Resources>& resources() const { return resources_; }
  // Of the runs of all engines.
  const std::shared_ptr<RunCounters>& counters() const { return counters_; }

 private:
  Environment* const environment_;
  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<RunCounters> counters_ = std::make_shared<RunCounters>();
  const std::shared_ptr<Lanes> completion_;
  const std::shared_ptr<Lanes> submission_;
  bool started_ = false;
};

// Of one environment: a device is opened when its first engine is loaded, and released with its last.
class DeviceQueues {
 public:
  // Any thread but the JavaScript thread: the driver takes its time.
  Result<std::shared_ptr<DeviceQueue>> Get(Environment* environment, const std::string& cuda_path, int ordinal);

 private:
  std::mutex mutex_;
  std::map<int, std::weak_ptr<DeviceQueue>> queues_;
};

}  // namespace im
