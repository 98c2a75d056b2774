// A run of a session: wrapped on the JavaScript thread, computed on a lane of its session, settled on the JavaScript thread.
#pragma once

#include <napi.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "environment.h"
#include "lane_task.h"
#include "memory.h"
#include "tensor_values.h"
#include "onnxruntime/runtime.h"
#include "onnxruntime/session.h"
#include "onnxruntime/tensors.h"

namespace im {

// A session and what runs it. Tasks share it, so it outlives its JavaScript object while a run is in progress.
struct SessionState : Stoppable {
  SessionState(std::unique_ptr<ort::Session> opened, Environment* environment)
      : session(std::move(opened)), lanes(std::make_shared<Lanes>(LaneTask::FinishIn(environment))) {}
  ~SessionState() override { lanes->Stop(); }
  void Stop() override { lanes->Stop(); }

  std::unique_ptr<ort::Session> session;  // null once closed
  const std::shared_ptr<Lanes> lanes;
  std::atomic<std::uint64_t> completed{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<std::uint64_t> cancelled{0};
};

class RunTask : public LaneTask {
 public:
  RunTask(Napi::Env env, std::shared_ptr<SessionState> state);

  void AddInput(Napi::Object tensor, const std::string& where);
  void SetOutputs(std::vector<std::string> names) { output_names_ = std::move(names); }
  void MakeRunOptions(Napi::Env env);

  Status Execute() override;
  void Run() override;
  void Abandon() override;
  void Interrupt() override;
  Napi::Value Value(Napi::Env env) override;

 private:
  struct MemoryRange {
    const char* begin;
    std::size_t size;
    bool Overlaps(const void* data, std::size_t bytes) const {
      const char* other = static_cast<const char*>(data);
      return other < begin + size && begin < other + bytes;
    }
  };

  Napi::Value Elements(Napi::Env env, ort::OutputTensor& output) const;

  const ort::Runtime& runtime_ = *ort::Runtime::Get();
  const std::shared_ptr<SessionState> state_;
  ort::Owned<ort::OrtRunOptions> run_options_;
  std::vector<HostMemory> copies_;
  std::vector<MemoryRange> input_memory_;
  std::vector<std::string> input_names_;
  std::vector<ort::Owned<ort::OrtValue>> inputs_;
  std::vector<std::string> output_names_;
  std::vector<ort::OutputTensor> outputs_;
  std::atomic<bool> interrupted_{false};
};

}  // namespace im
