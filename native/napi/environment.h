// State of one JavaScript environment (the main thread, or one worker): the threads that compute, and the way back.
//
// Work is done on threads of our own, never in libuv's pool of four, which belongs to the file system and DNS. A finished
// task goes into a queue; one ThreadSafeFunction wakes the JavaScript thread, which settles every promise that is ready.
#pragma once

#include <napi.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "../base/status.h"

namespace im {

// One promise and the work behind it. Created and destroyed on the JavaScript thread; Execute runs elsewhere and must not
// touch anything of Node-API.
class Task {
 public:
  explicit Task(Napi::Env env) : deferred_(Napi::Promise::Deferred::New(env)) {}
  virtual ~Task() = default;
  Task(const Task&) = delete;
  Task& operator=(const Task&) = delete;

  virtual Status Execute() = 0;
  // JavaScript thread, after Execute succeeded.
  virtual Napi::Value Value(Napi::Env env) = 0;

  Napi::Promise promise() const { return deferred_.Promise(); }
  void set_status(Status status) { status_ = std::move(status); }
  const Status& status() const { return status_; }
  // Keeps a JavaScript object (a buffer in use) alive until the task is destroyed.
  void Hold(Napi::Object object) { held_.push_back(Napi::Persistent(object)); }

  void Settle(Napi::Env env);

 private:
  Napi::Promise::Deferred deferred_;
  Status status_;
  std::vector<Napi::ObjectReference> held_;
};

// Something with threads that has to end before the environment does: told once, on the JavaScript thread.
class Stoppable {
 public:
  virtual ~Stoppable() = default;
  virtual void Stop() = 0;
};

class Environment {
 public:
  static Environment* Get(Napi::Env env);
  static void Install(Napi::Env env);

  // To the compute threads; settles the task's promise later. JavaScript thread.
  Napi::Promise Submit(std::unique_ptr<Task> task);
  // For owners of threads of their own: Begin on the JavaScript thread when the promise is handed out, Finish from any
  // thread when the task has been executed.
  Napi::Promise Begin(Task& task);
  void Finish(std::unique_ptr<Task> task);
  // Runs `work` on the JavaScript thread, before tasks that finish later are settled; not at all when the environment ends first.
  // `work` is destroyed on the JavaScript thread. It keeps no process alive. Any thread.
  void Post(std::function<void(Napi::Env)> work);
  // Called at the end of the environment unless it has died before. JavaScript thread.
  void StopAtExit(std::weak_ptr<Stoppable> stoppable);

  ~Environment();

 private:
  explicit Environment(Napi::Env env);
  void Drain(Napi::Env env);
  // With the lock; only the first of a burst has to ask.
  void Wake(bool first);
  void Shutdown();
  void Compute();

  Napi::ThreadSafeFunction wake_;
  std::mutex finished_mutex_;
  std::deque<std::unique_ptr<Task>> finished_;
  std::deque<std::function<void(Napi::Env)>> posted_;
  std::uint64_t open_promises_ = 0;  // JavaScript thread only
  bool closed_ = false;

  std::mutex pending_mutex_;
  std::condition_variable pending_changed_;
  std::deque<std::unique_ptr<Task>> pending_;
  std::vector<std::thread> threads_;
  unsigned idle_threads_ = 0;
  bool stopping_ = false;
  std::vector<std::weak_ptr<Stoppable>> stoppables_;
};

// Execute, with whatever it throws turned into a status.
Status ExecuteGuarded(Task& task);

// The JavaScript error for a status: an Error with nativeCode and stage (NativeFailure in src/native/addon.ts).
Napi::Error MakeError(Napi::Env env, const Status& status);

}  // namespace im
