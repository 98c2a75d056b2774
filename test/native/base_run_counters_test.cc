#include "base/run_counters.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace im {
namespace {

TEST(RunCounters, FollowRunsOfAnEngineAndItsDevice) {
  const auto device = std::make_shared<RunCounters>();
  const auto first = std::make_shared<RunCounters>();
  const auto second = std::make_shared<RunCounters>();
  CountedRun completed(first, device);
  CountedRun failed(first, device);
  CountedRun cancelled(second, device);
  {
    const CountedRun refused_later(second, device);
  }
  second->Refuse();
  device->Refuse();
  EXPECT_EQ(device->Read().waiting, 3u);
  EXPECT_EQ(device->Read().most_waiting, 4u);
  completed.Start();
  failed.Start();
  EXPECT_EQ(first->Read().running, 2u);
  EXPECT_EQ(first->Read().waiting, 0u);
  EXPECT_EQ(device->Read().waiting, 1u);
  EXPECT_GT(first->Read().longest_wait.count(), 0);
  EXPECT_EQ(second->Read().longest_wait.count(), 0) << "none has begun";
  completed.End(Code::kOk);
  failed.End(Code::kCuda);
  cancelled.End(Code::kCancelled);
  const RunCounts all = device->Read();
  EXPECT_EQ(all.waiting, 0u);
  EXPECT_EQ(all.running, 0u);
  EXPECT_EQ(all.completed, 1u);
  EXPECT_EQ(all.failed, 1u);
  EXPECT_EQ(all.cancelled, 1u);
  EXPECT_EQ(all.refused, 1u);
  EXPECT_EQ(first->Read().refused, 0u);
  EXPECT_EQ(second->Read().cancelled, 1u);
}

TEST(RunCounters, CountOnManyThreads) {
  const auto device = std::make_shared<RunCounters>();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&device] {
      const auto engine = std::make_shared<RunCounters>();
      for (int run = 0; run < 500; ++run) {
        CountedRun counted(engine, device);
        counted.Start();
        counted.End(Code::kOk);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(device->Read().completed, 2000u);
  EXPECT_EQ(device->Read().running, 0u);
  EXPECT_LE(device->Read().most_waiting, 4u);
}

}  // namespace
}  // namespace im
