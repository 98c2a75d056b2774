#include "journal.h"

#include <utility>

namespace im::trt {
namespace {

constexpr std::size_t kMaximumEntries = 16;
constexpr std::size_t kMaximumLog = 4096;

// Of a thread that ends: objects that it destroys after its log may still have TensorRT log. A bool is never destroyed.
thread_local bool log_is_gone = false;

struct Log {
  ~Log() { log_is_gone = true; }
  std::string text;
};

// Null where it is gone.
std::string* ThreadLog() {
  thread_local Log log;
  return log_is_gone ? nullptr : &log.text;
}

void Record(Severity severity, const char* text) noexcept {
  if (severity > Severity::kWarning || text == nullptr) return;
  std::string* log = ThreadLog();
  if (log == nullptr || log->size() > kMaximumLog) return;
  if (!log->empty()) *log += "; ";
  *log += text;
}

class ProcessLogger10 final : public Logger10 {
  void log(Severity severity, const char* text) noexcept override { Record(severity, text); }
};
class ProcessLogger11 final : public Logger11 {
  void log(Severity severity, const char* text) noexcept override { Record(severity, text); }
};

}  // namespace

void* LoggerOf(int major) {
  static auto* logger_10 = static_cast<Logger10*>(new ProcessLogger10());
  static auto* logger_11 = static_cast<Logger11*>(new ProcessLogger11());
  return major >= 11 ? static_cast<void*>(logger_11) : static_cast<void*>(logger_10);
}

std::string TakeThreadLog() {
  std::string* log = ThreadLog();
  return log == nullptr ? std::string() : std::exchange(*log, std::string());
}

std::int32_t Journal::getNbErrors() const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return static_cast<std::int32_t>(entries_.size());
}

std::int32_t Journal::getErrorCode(std::int32_t index) const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return index >= 0 && static_cast<std::size_t>(index) < entries_.size() ? entries_[static_cast<std::size_t>(index)].code : 0;
}

const char* Journal::getErrorDesc(std::int32_t index) const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return index >= 0 && static_cast<std::size_t>(index) < entries_.size() ? entries_[static_cast<std::size_t>(index)].text.c_str()
                                                                         : "";
}

bool Journal::hasOverflowed() const noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  return overflowed_;
}

void Journal::clear() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  entries_.clear();
  overflowed_ = false;
}

bool Journal::reportError(std::int32_t code, const char* text) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  if (entries_.size() < kMaximumEntries) entries_.push_back({code, text == nullptr ? "" : text});
  else overflowed_ = true;
  return true;
}

Status Journal::Failure(const char* stage, const std::string& what, const char* call) {
  std::string reasons;
  std::int32_t code = 0;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    for (const Entry& entry : entries_) {
      if (code == 0) code = entry.code;
      reasons += (reasons.empty() ? "" : "; ") + entry.text;
    }
    entries_.clear();
  }
  const std::string log = TakeThreadLog();
  if (reasons.empty()) reasons = log;
  const std::string said = reasons.empty() ? " TensorRT gave no reason." : " TensorRT says: " + reasons;
  const Code kind = code == kErrorFailedAllocation ? Code::kOutOfDeviceMemory : Code::kTensorRt;
  return {kind, stage, what + said, {call, code}};
}

}  // namespace im::trt
