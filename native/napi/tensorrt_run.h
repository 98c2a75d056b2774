// Runs of an engine: NativeTensorRtEngine.run, runDetections and runMaps of src/native/addon.ts.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "device_queue.h"
#include "tensorrt/executor_pool.h"
#include "tensorrt/library.h"

namespace im {

constexpr char kTensorRtRunStage[] = "tensorrt.run";

// An engine and what runs it. Tasks share it, so it outlives its JavaScript object while a run is in progress.
struct EngineState {
  std::shared_ptr<DeviceQueue> queue;
  // Waits for its runs; JavaScript thread. Ends with the executors.
  std::shared_ptr<Lanes> completion;
  // Closing frees these two on the device's thread, while runs that have ended are still to be settled on the JavaScript thread.
  std::shared_ptr<const trt::Engine> engine;
  std::shared_ptr<trt::ExecutorPool> executors;
  std::vector<trt::Tensor> inputs;
  std::vector<trt::Tensor> outputs;
  trt::Version library;
  // Of the objects that tensors on the device become; JavaScript thread. Lives as long as the environment.
  const Napi::FunctionReference* tensor_class = nullptr;
  // JavaScript thread.
  bool closed = false;
  const std::shared_ptr<RunCounters> counters = std::make_shared<RunCounters>();
};

// `uses`: what becomes of each output; null downloads all.
Napi::Value StartRun(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs, Napi::Value uses,
                     Napi::Value cancel);
// What the device makes of the outputs, and the outputs that are asked for besides.
Napi::Value StartMaps(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs, Napi::Value request,
                      Napi::Value cancel);
Napi::Value StartDetections(Napi::Env env, const std::shared_ptr<EngineState>& state, Napi::Value inputs, Napi::Value request,
                            Napi::Value cancel);

}  // namespace im
