// For tests that use the stand-in driver: a fresh machine for each test, and nothing may be left alive after it.
#pragma once

#include <initializer_list>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "cuda/driver.h"
#include "fakes/fake_cuda.h"

namespace im::cuda {

// Where there is a GPU: the folder of the real driver, for tests of results (docs/gpu.md), which ask no stand-in anything.
inline const char* RealDriverFolder() { return std::getenv("IM_TEST_CUDA_LIBRARY_PATH"); }

inline LibrarySearch FakeDriverSearch() {
  const char* real = RealDriverFolder();
  LibrarySearch search = DriverSearch(real != nullptr ? std::string(real) : std::string(IM_FAKES) + "/cuda");
  search.ask_loader = false;
  search.folders.clear();
  return search;
}

class FakeDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    if (RealDriverFolder() != nullptr) return;
    fake_ = FakeCuda::Attach(IM_FAKES "/cuda/libcuda.so.1");
    ASSERT_NE(fake_.state, nullptr);
    ASSERT_EQ(state().alive(), 0);
    state() = FakeCudaState();
  }
  void TearDown() override {
    if (RealDriverFolder() != nullptr) return;
    EXPECT_EQ(state().device_blocks, 0);
    EXPECT_EQ(state().pinned_blocks, 0);
    EXPECT_EQ(state().streams, 0);
    EXPECT_EQ(state().events, 0);
    EXPECT_EQ(state().modules, 0);
    EXPECT_EQ(state().graphs, 0);
    EXPECT_EQ(state().pools, 0);
    EXPECT_EQ(state().retained_contexts, 0);
  }

  // Of graphs, which a real driver does not count.
  void ExpectLaunches(int count) {
    if (RealDriverFolder() != nullptr) return;
    EXPECT_EQ(state().graph_launches, count);
  }

  FakeCudaState& state() { return *fake_.state(); }
  void FailNext(const char* function, int code) {
    state().fail_function = function;
    state().fail_code = code;
  }

  // Runs `scenario`, which returns a Status, with every one of its driver calls failing in turn: for want of memory and with an
  // error of the device, on drivers with and without pools of memory. Each time it has to answer a typed error or have been able
  // to do without that call, leave nothing alive, and work when it is run again.
  template <typename Scenario>
  void ExpectToSurviveEveryFailure(const Scenario& scenario, std::initializer_list<int> codes = {2, 719}) {
    for (const bool pools : {true, false}) {
      for (const int code : codes) {
        SCOPED_TRACE(testing::Message() << "pools " << pools << ", code " << code);
        state() = FakeCudaState();
        state().memory_pools = pools;
        ExpectToSurvive(code, scenario);
      }
    }
  }

  FakeCuda fake_;

 private:
  template <typename Scenario>
  void ExpectToSurvive(int code, const Scenario& scenario) {
    const FakeCudaState machine = state();
    for (long n = 1;; ++n) {
      ASSERT_LT(n, 1000) << "the scenario never ends";
      state() = machine;
      state().fail_at = n;
      state().fail_code = code;
      const Status failed = scenario();
      const char* function = state().failed_function;
      if (function == nullptr) {
        EXPECT_TRUE(failed.ok()) << failed.message();
        break;
      }
      if (!failed.ok()) {
        EXPECT_TRUE(failed.code() == Code::kCuda || failed.code() == Code::kTensorRt ||
                    failed.code() == Code::kOutOfDeviceMemory || failed.code() == Code::kOutOfMemory)
            << function << ": " << CodeName(failed.code());
        EXPECT_GT(failed.message().size(), 20u) << function;
      }
      EXPECT_EQ(state().alive(), 0) << "after a failure of " << function << " (call " << n << ")";
      state().fail_at = 0;
      const Status again = scenario();
      EXPECT_TRUE(again.ok()) << "after a failure of " << function << ": " << again.message();
    }
  }
};

}  // namespace im::cuda
