// The threads that work with one device: one puts work into its streams, others wait for it. So the next run is prepared while
// the device computes, and no JavaScript thread ever waits. Whose work cannot begin yet, because its engine is busy, lets others
// go first.
//
// Each engine has a thread of its own that waits, so a slow one holds up no results of others. One thread for all would have to
// ask each event in turn, which costs either time after each run or a core. A thread that sleeps in the driver is woken at once
// and costs nothing meanwhile.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/run_counters.h"
#include "cuda/resources.h"
#include "environment.h"
#include "lane_task.h"

namespace im {

class DeviceQueue;

// Work in two steps, each on its own thread.
class DeviceTask : public LaneTask {
 public:
  DeviceTask(Napi::Env env, const DeviceQueue& queue, const char* stage);
  // `completion` does the second step.
  DeviceTask(Napi::Env env, const DeviceQueue& queue, std::shared_ptr<Lanes> completion, const char* stage);

  void Run() final;
  bool Ready() final { return in_flight_ || CanSubmit(); }
  Status Execute() final { return in_flight_ ? Complete() : Submit(); }
  bool in_flight() const { return in_flight_; }
  const std::shared_ptr<Lanes>& completion() const { return completion_; }

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
  const std::shared_ptr<Lanes> completion_;
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
  // A thread that waits for what one owner has on the device, in its order. JavaScript thread, after Start. Whoever stops it
  // earlier than the queue does sees to it that nothing is left to wait for.
  Result<std::shared_ptr<Lanes>> AddCompletion();
  // Releases on the thread that submits what is left to the garbage collector: it may wait for the device. JavaScript thread.
  static void Discard(std::shared_ptr<DeviceQueue> queue, std::shared_ptr<const void> object);

  // For DeviceTasks alone.
  const std::shared_ptr<Lanes>& lanes() const { return submission_; }
  // For short work, which needs no thread of its own to wait for it.
  const std::shared_ptr<Lanes>& completion() const { return completion_; }
  const std::shared_ptr<const cuda::Resources>& resources() const { return resources_; }
  // Of the runs of all engines.
  const std::shared_ptr<RunCounters>& counters() const { return counters_; }

 private:
  Environment* const environment_;
  const std::shared_ptr<const cuda::Resources> resources_;
  const std::shared_ptr<RunCounters> counters_ = std::make_shared<RunCounters>();
  const std::shared_ptr<Lanes> completion_;
  const std::shared_ptr<Lanes> submission_;
  std::vector<std::weak_ptr<Lanes>> completions_;  // those that were added
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
