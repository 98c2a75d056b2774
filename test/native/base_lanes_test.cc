#include "base/lanes.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

namespace im {
namespace {

// What happened, in order; jobs and tests wait for events.
class Scene {
 public:
  void Note(const std::string& event) {
    std::lock_guard<std::mutex> lock(mutex_);
    events_.push_back(event);
    changed_.notify_all();
  }
  void WaitFor(const std::string& event) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return std::find(events_.begin(), events_.end(), event) != events_.end(); });
  }
  std::vector<std::string> events() {
    std::lock_guard<std::mutex> lock(mutex_);
    return events_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> events_;
};

// Runs until its gate event was noted, which an interruption does too.
class TestJob : public Lanes::Job {
 public:
  TestJob(Scene& scene, std::string name, std::string gate) : scene_(scene), name_(std::move(name)), gate_(std::move(gate)) {}
  void Run() override {
    scene_.Note(name_ + " runs");
    if (!gate_.empty()) scene_.WaitFor(gate_);
    outcome_ = "ran";
  }
  void Abandon() override { outcome_ = "abandoned"; }
  void Interrupt() override { scene_.Note(gate_); }

  std::string Report() const { return name_ + " " + outcome_; }

 private:
  Scene& scene_;
  const std::string name_;
  const std::string gate_;
  std::string outcome_;
};

class LanesTest : public testing::Test {
 protected:
  Lanes::Job* Submit(Lanes& lanes, const std::string& name, const std::string& gate = "") {
    std::unique_ptr<Lanes::Job> job = std::make_unique<TestJob>(scene_, name, gate);
    Lanes::Job* raw = job.get();
    return lanes.Submit(job) ? raw : nullptr;
  }
  Lanes::Done Done() {
    return [this](std::unique_ptr<Lanes::Job> job) { scene_.Note(static_cast<TestJob&>(*job).Report()); };
  }
  std::ptrdiff_t Count(const std::string& event) {
    const std::vector<std::string> events = scene_.events();
    return std::count(events.begin(), events.end(), event);
  }

  Scene scene_;
};

TEST_F(LanesTest, WorkInOrderOnOneLane) {
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(1).ok());
  for (const char* name : {"a", "b", "c"}) Submit(lanes, name);
  scene_.WaitFor("c ran");
  EXPECT_EQ(scene_.events(), (std::vector<std::string>{"a runs", "a ran", "b runs", "b ran", "c runs", "c ran"}));
}

TEST_F(LanesTest, RunAsManyAtOnceAsThereAreLanes) {
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(2).ok());
  Submit(lanes, "a", "b runs");
  Submit(lanes, "b", "a runs");
  scene_.WaitFor("a ran");
  scene_.WaitFor("b ran");
}

// Begins when it is told that it may.
class PatientJob final : public TestJob {
 public:
  PatientJob(Scene& scene, const std::atomic<bool>& ready) : TestJob(scene, "patient", ""), ready_(ready) {}
  bool Ready() override { return ready_; }

 private:
  const std::atomic<bool>& ready_;
};

TEST_F(LanesTest, JobsThatAreNotReadyLetOthersGoFirst) {
  std::atomic<bool> ready{false};
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(1).ok());
  std::unique_ptr<Lanes::Job> job = std::make_unique<PatientJob>(scene_, ready);
  ASSERT_TRUE(lanes.Submit(job));
  Submit(lanes, "a");
  scene_.WaitFor("a ran");
  EXPECT_EQ(lanes.waiting(), 1u);
  bool drained = false;
  lanes.Close([&drained] { drained = true; });
  EXPECT_EQ(Count("patient runs"), 0) << "closing waits for it";
  ready = true;
  lanes.Wake();
  lanes.Join();
  EXPECT_TRUE(drained);
  EXPECT_EQ(scene_.events(), (std::vector<std::string>{"a runs", "a ran", "patient runs", "patient ran"}));
}

TEST_F(LanesTest, StopAbandonsJobsThatAreNotReady) {
  const std::atomic<bool> ready{false};
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(2).ok());
  std::unique_ptr<Lanes::Job> job = std::make_unique<PatientJob>(scene_, ready);
  ASSERT_TRUE(lanes.Submit(job));
  lanes.Stop();
  EXPECT_EQ(scene_.events(), (std::vector<std::string>{"patient abandoned"}));
}

TEST_F(LanesTest, CancelTakesAWaitingJobOutOfTheQueue) {
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(1).ok());
  Submit(lanes, "a", "go");
  scene_.WaitFor("a runs");
  Lanes::Job* waiting = Submit(lanes, "b");
  EXPECT_EQ(lanes.waiting(), 1u);
  EXPECT_EQ(lanes.running(), 1u);
  lanes.Cancel(waiting);
  EXPECT_EQ(lanes.waiting(), 0u);
  EXPECT_EQ(scene_.events().back(), "b abandoned");
  scene_.Note("go");
  scene_.WaitFor("a ran");
}

TEST_F(LanesTest, CancelInterruptsARunningJob) {
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(1).ok());
  Lanes::Job* running = Submit(lanes, "a", "interrupted");
  scene_.WaitFor("a runs");
  lanes.Cancel(running);
  scene_.WaitFor("a ran");
}

TEST_F(LanesTest, CloseFinishesWhatWasAcceptedAndRefusesMore) {
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(2).ok());
  for (const char* name : {"a", "b", "c"}) Submit(lanes, name, "go");
  lanes.Close([this] { scene_.Note("drained"); });
  EXPECT_EQ(Submit(lanes, "d"), nullptr);
  scene_.Note("go");
  scene_.WaitFor("drained");
  lanes.Join();
  EXPECT_EQ(scene_.events().back(), "drained");
  EXPECT_EQ(Count("c ran"), 1);
  bool again = false;
  lanes.Close([&again] { again = true; });
  EXPECT_TRUE(again);
}

TEST_F(LanesTest, StopInterruptsAndAbandons) {
  Lanes lanes(Done());
  ASSERT_TRUE(lanes.Start(1).ok());
  Submit(lanes, "a", "interrupted");
  scene_.WaitFor("a runs");
  Submit(lanes, "b");
  lanes.Stop();
  EXPECT_EQ(Count("a ran"), 1);
  EXPECT_EQ(Count("b abandoned"), 1);
  EXPECT_EQ(Submit(lanes, "c"), nullptr);
  lanes.Stop();
}

}  // namespace
}  // namespace im
