// Threads that work off one queue and block in what they do; one session has as many as it may run at once.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/status.h"

namespace im {

class Lanes {
 public:
  class Job {
   public:
    virtual ~Job() = default;
    // On a lane: whether the job can begin; jobs behind it may go first until then. Asked when something ends here or Wake is
    // called. Must not block, nor call the lanes. Once it has said yes, Run follows.
    virtual bool Ready() { return true; }
    // On a lane.
    virtual void Run() = 0;
    // Instead of Run, for a job that was cancelled while it waited.
    virtual void Abandon() = 0;
    // While Run is in progress on another thread: makes it return soon.
    virtual void Interrupt() = 0;
  };
  // Receives each job after Run or Abandon; must not block. Any thread.
  using Done = std::function<void(std::unique_ptr<Job>)>;

  explicit Lanes(Done done) : done_(std::move(done)) {}
  ~Lanes() { Stop(); }
  Lanes(const Lanes&) = delete;
  Lanes& operator=(const Lanes&) = delete;

  Status Start(unsigned count);

  // Takes the job, or leaves it and returns false once closed.
  bool Submit(std::unique_ptr<Job>& job);
  // Abandons the job when it waits, interrupts it when it runs; nothing when it is done.
  void Cancel(Job* job);
  // Has lanes ask again which jobs are ready.
  void Wake();
  // No more jobs; those accepted are still done. Then `drained` is called, on a lane, which must not join the lanes.
  void Close(std::function<void()> drained);
  // After Close, once drained.
  void Join();
  // Abandons what waits, interrupts what runs, and joins. Idempotent.
  void Stop();

  std::size_t waiting() const;
  std::size_t running() const;

 private:
  void Work();

  const Done done_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::unique_ptr<Job>> queue_;
  std::vector<Job*> running_;
  std::vector<std::thread> threads_;
  unsigned alive_ = 0;
  bool closed_ = false;
  std::vector<std::function<void()>> drained_;
};

}  // namespace im
