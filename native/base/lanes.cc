#include "lanes.h"

#include <algorithm>
#include <system_error>

namespace im {

Status Lanes::Start(unsigned count) {
  std::lock_guard<std::mutex> lock(mutex_);
  try {
    for (; alive_ < count; ++alive_) threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error& error) {
    return {Code::kOutOfMemory, "lanes", std::string("Could not start a thread: ") + error.what()};
  }
  return {};
}

bool Lanes::Submit(std::unique_ptr<Job>& job) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (closed_) return false;
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
  return true;
}

void Lanes::Cancel(Job* job) {
  std::unique_ptr<Job> abandoned;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    const auto waiting = std::find_if(queue_.begin(), queue_.end(), [job](const auto& queued) { return queued.get() == job; });
    if (waiting != queue_.end()) {
      abandoned = std::move(*waiting);
      queue_.erase(waiting);
    } else if (std::find(running_.begin(), running_.end(), job) != running_.end()) {
      job->Interrupt();  // under the lock, or the job could end and be destroyed meanwhile
    }
  }
  if (abandoned == nullptr) return;
  abandoned->Abandon();
  done_(std::move(abandoned));
}

void Lanes::Work() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    auto next = queue_.end();
    changed_.wait(lock, [&] {
      next = std::find_if(queue_.begin(), queue_.end(), [](const auto& queued) { return queued->Ready(); });
      return next != queue_.end() || (closed_ && queue_.empty());
    });
    if (next == queue_.end()) break;
    std::unique_ptr<Job> job = std::move(*next);
    queue_.erase(next);
    running_.push_back(job.get());
    lock.unlock();
    job->Run();
    lock.lock();
    running_.erase(std::find(running_.begin(), running_.end(), job.get()));
    lock.unlock();
    done_(std::move(job));
    lock.lock();
  }
  if (--alive_ > 0) return;
  const std::vector<std::function<void()>> drained = std::move(drained_);
  drained_.clear();
  lock.unlock();
  for (const auto& callback : drained) callback();
}

void Lanes::Wake() {
  // Between a lane's asking and its waiting there is no gap for whoever has held the lock.
  {
    std::lock_guard<std::mutex> lock(mutex_);
  }
  changed_.notify_all();
}

void Lanes::Close(std::function<void()> drained) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    if (alive_ > 0) {
      drained_.push_back(std::move(drained));
      drained = nullptr;
    }
  }
  changed_.notify_all();
  if (drained) drained();
}

void Lanes::Join() {
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Lanes::Stop() {
  std::deque<std::unique_ptr<Job>> abandoned;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    closed_ = true;
    abandoned.swap(queue_);
    for (Job* job : running_) job->Interrupt();
  }
  changed_.notify_all();
  for (auto& job : abandoned) {
    job->Abandon();
    done_(std::move(job));
  }
  Join();
}

std::size_t Lanes::waiting() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return queue_.size();
}

std::size_t Lanes::running() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return running_.size();
}

}  // namespace im
