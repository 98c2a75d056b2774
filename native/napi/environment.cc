#include "environment.h"

#include <algorithm>
#include <exception>
#include <new>

namespace im {
namespace {

// Pictures are prepared one per thread; more threads than this only take cores from the networks.
unsigned MaximumComputeThreads() { return std::clamp(std::thread::hardware_concurrency(), 1u, 4u); }

}  // namespace

Status ExecuteGuarded(Task& task) {
  try {
    return task.Execute();
  } catch (const std::bad_alloc&) {
    return {Code::kOutOfMemory, "native", "Not enough memory for this job."};
  } catch (const std::exception& error) {
    return {Code::kRuntime, "native", error.what()};
  } catch (...) {
    return {Code::kRuntime, "native", "An unknown exception was thrown."};
  }
}

Napi::Error MakeError(Napi::Env env, const Status& status) {
  Napi::Error error = Napi::Error::New(env, status.message());
  error.Value().Set("nativeCode", CodeName(status.code()));
  error.Value().Set("stage", status.stage());
  if (status.call()) {
    error.Value().Set("api", status.call()->function);
    error.Value().Set("errorCode", status.call()->number);
  }
  if (status.reason() != Reason::kNone) error.Value().Set("reason", ReasonName(status.reason()));
  if (status.memory().requested) error.Value().Set("requestedBytes", static_cast<double>(*status.memory().requested));
  if (status.memory().free) error.Value().Set("freeBytes", static_cast<double>(*status.memory().free));
  return error;
}

void Task::Settle(Napi::Env env) {
  Napi::HandleScope scope(env);
  if (!status_.ok()) {
    deferred_.Reject(MakeError(env, status_).Value());
    return;
  }
  try {
    deferred_.Resolve(Value(env));
  } catch (const Napi::Error& error) {
    deferred_.Reject(error.Value());
  }
}

Environment* Environment::Get(Napi::Env env) { return env.GetInstanceData<Environment>(); }

void Environment::Install(Napi::Env env) {
  auto* environment = new Environment(env);  // owned by Node from the next line on
  env.SetInstanceData(environment);
}

Environment::Environment(Napi::Env env) {
  Napi::Function nothing = Napi::Function::New(env, [](const Napi::CallbackInfo&) {});
  wake_ = Napi::ThreadSafeFunction::New(env, nothing, "inference-models", /*maxQueueSize=*/0, /*initialThreadCount=*/1);
  wake_.Unref(env);
  // Hooks run last in, first out: registered after the function, this one runs while the function is still valid. An
  // asynchronous hook would not hold it back.
  napi_add_env_cleanup_hook(env, [](void* data) { static_cast<Environment*>(data)->Shutdown(); }, this);
}

Environment::~Environment() = default;

Napi::Promise Environment::Begin(Task& task) {
  Napi::Promise promise = task.promise();
  // Without a reference the process would end under an open promise; with one left over it would never end.
  if (open_promises_++ == 0) wake_.Ref(promise.Env());
  return promise;
}

Napi::Promise Environment::Submit(std::unique_ptr<Task> task) {
  Napi::Promise promise = Begin(*task);
  {
    std::lock_guard<std::mutex> lock(pending_mutex_);
    pending_.push_back(std::move(task));
    if (idle_threads_ < pending_.size() && threads_.size() < MaximumComputeThreads() && !stopping_) {
      threads_.emplace_back([this] { Compute(); });
    }
  }
  pending_changed_.notify_one();
  return promise;
}

void Environment::Compute() {
  std::unique_lock<std::mutex> lock(pending_mutex_);
  while (true) {
    ++idle_threads_;
    pending_changed_.wait(lock, [this] { return stopping_ || !pending_.empty(); });
    --idle_threads_;
    if (stopping_) return;
    std::unique_ptr<Task> task = std::move(pending_.front());
    pending_.pop_front();
    lock.unlock();
    task->set_status(ExecuteGuarded(*task));
    Finish(std::move(task));
    lock.lock();
  }
}

void Environment::Finish(std::unique_ptr<Task> task) {
  std::lock_guard<std::mutex> lock(finished_mutex_);
  finished_.push_back(std::move(task));
  Wake(finished_.size() + posted_.size() == 1);
}

void Environment::Post(std::function<void(Napi::Env)> work) {
  std::lock_guard<std::mutex> lock(finished_mutex_);
  posted_.push_back(std::move(work));
  Wake(finished_.size() + posted_.size() == 1);
}

void Environment::Wake(bool first) {
  // One wake-up settles everything that is ready by then.
  if (closed_ || !first) return;
  wake_.NonBlockingCall(this, [](Napi::Env env, Napi::Function, Environment* self) {
    if (env != nullptr) self->Drain(env);
  });
}

void Environment::Drain(Napi::Env env) {
  std::deque<std::unique_ptr<Task>> ready;
  std::deque<std::function<void(Napi::Env)>> posted;
  {
    std::lock_guard<std::mutex> lock(finished_mutex_);
    ready.swap(finished_);
    posted.swap(posted_);
  }
  for (auto& work : posted) {
    Napi::HandleScope scope(env);
    try {
      work(env);
    } catch (const Napi::Error&) {
      // As below.
    }
  }
  for (auto& task : ready) {
    try {
      task->Settle(env);
    } catch (const Napi::Error&) {
      // A worker that is being terminated: no JavaScript runs in it any more, so nobody is left to hear of this.
    }
    task.reset();
    if (--open_promises_ == 0) wake_.Unref(env);
  }
}

void Environment::StopAtExit(std::weak_ptr<Stoppable> stoppable) {
  stoppables_.erase(std::remove_if(stoppables_.begin(), stoppables_.end(), [](const auto& weak) { return weak.expired(); }),
                    stoppables_.end());
  stoppables_.push_back(std::move(stoppable));
}

void Environment::Shutdown() {
  for (auto& weak : stoppables_) {
    if (auto stoppable = weak.lock()) stoppable->Stop();
  }
  {
    std::lock_guard<std::mutex> lock(pending_mutex_);
    stopping_ = true;
  }
  pending_changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  {
    std::lock_guard<std::mutex> lock(finished_mutex_);
    closed_ = true;
  }
  // Nobody will see these promises; what the tasks hold is released here, while the environment can still take it.
  pending_.clear();
  finished_.clear();
  posted_.clear();
  wake_.Release();
}

}  // namespace im
