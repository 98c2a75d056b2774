// For tests that use the stand-in driver: a fresh machine for each test, and nothing may be left alive after it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "cuda/driver.h"
#include "fakes/fake_cuda.h"

namespace im::cuda {

inline LibrarySearch FakeDriverSearch() {
  LibrarySearch search = DriverSearch(std::string(IM_FAKES) + "/cuda");
  search.ask_loader = false;
  search.folders.clear();
  return search;
}

class FakeDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    fake_ = FakeCuda::Attach(IM_FAKES "/cuda/libcuda.so.1");
    ASSERT_NE(fake_.state, nullptr);
    ASSERT_EQ(state().alive(), 0);
    state() = FakeCudaState();
  }
  void TearDown() override {
    EXPECT_EQ(state().device_blocks, 0);
    EXPECT_EQ(state().pinned_blocks, 0);
    EXPECT_EQ(state().streams, 0);
    EXPECT_EQ(state().events, 0);
    EXPECT_EQ(state().modules, 0);
    EXPECT_EQ(state().graphs, 0);
    EXPECT_EQ(state().retained_contexts, 0);
  }

  FakeCudaState& state() { return *fake_.state(); }
  void FailNext(const char* function, int code) {
    state().fail_function = function;
    state().fail_code = code;
  }

  FakeCuda fake_;
};

}  // namespace im::cuda
