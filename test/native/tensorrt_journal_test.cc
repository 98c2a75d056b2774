#include "tensorrt/journal.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace im::trt {
namespace {

void Log(const std::string& text) { static_cast<Logger10*>(LoggerOf(10))->log(Severity::kWarning, text.c_str()); }

// Longer than what strings hold within themselves, so that the leak checker sees it.
const std::string& Long() {
  static const std::string text(100, 'x');
  return text;
}

TEST(ThreadLogTest, BelongsToItsThread) {
  Log("here");
  std::string there;
  std::thread([&] {
    Log(Long());
    Log("there");
    there = TakeThreadLog();
    EXPECT_EQ(TakeThreadLog(), "");
    Log(Long());  // nobody takes it: it goes with the thread
  }).join();
  EXPECT_EQ(there, Long() + "; there");
  EXPECT_EQ(TakeThreadLog(), "here");
}

struct LogsInTheEnd {
  std::string* taken = nullptr;
  ~LogsInTheEnd() {
    if (taken == nullptr) return;
    Log(Long());
    *taken = "took: " + TakeThreadLog();
  }
};

TEST(ThreadLogTest, IsNotTouchedOnceItIsGone) {
  std::string taken;
  std::thread([&] {
    // Made before the log, so destroyed after it.
    thread_local LogsInTheEnd last;
    last.taken = &taken;
    Log(Long());
  }).join();
  EXPECT_EQ(taken, "took: ");
}

}  // namespace
}  // namespace im::trt
