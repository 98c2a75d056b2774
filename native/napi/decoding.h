// What the decoders share at the native door: matrices as arguments, results as typed arrays, and where the work runs.
//
// A round trip to a compute thread costs more than decoding a small head, so small ones are decoded at once. A large head whose
// memory is ours is decoded elsewhere, in place. A large head in the caller's memory, which may be detached at any time, is
// read before the call returns.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "../detection/detections.h"
#include "../detection/key_points.h"
#include "../detection/priors.h"
#include "../masks/runs.h"
#include "arguments.h"
#include "environment.h"

namespace im {

// Points of an instance, at least one.
std::size_t RequireSlots(Napi::Value value, const std::string& name);
// `size` and `covarianceSize` of an object.
detection::KeyPointScale ReadKeyPointScale(Napi::Value value, const std::string& name);

Napi::Object ToJavaScript(Napi::Env env, const detection::Detections& detections);
Napi::Object ToJavaScript(Napi::Env env, const detection::KeyPoints& key_points);
Napi::Object ToJavaScript(Napi::Env env, const detection::Instances& instances);
Napi::Value ToJavaScript(Napi::Env env, const std::vector<std::int32_t>& positions);
Napi::Value ToJavaScript(Napi::Env env, const std::vector<double>& microseconds);
Napi::Value ToJavaScript(Napi::Env env, const masks::MaskRuns& masks);

template <typename Output>
class DecodeTask : public Task {
 public:
  DecodeTask(Napi::Env env, std::function<Output()> work) : Task(env), work_(std::move(work)) {}
  Status Execute() override {
    output_ = work_();
    return {};
  }
  Napi::Value Value(Napi::Env env) override { return ToJavaScript(env, output_); }

 private:
  std::function<Output()> work_;
  Output output_;
};

template <typename Output>
Napi::Promise RunHere(Napi::Env env, std::function<Output()> work) {
  DecodeTask<Output> task(env, std::move(work));
  try {
    task.set_status(task.Execute());
  } catch (const std::bad_alloc&) {
    task.set_status({Code::kOutOfMemory, "decode", "Not enough memory to decode."});
  }
  const Napi::Promise promise = task.promise();
  task.Settle(env);
  return promise;
}

template <typename Output>
Napi::Promise RunElsewhere(Napi::Env env, std::function<Output()> work, const std::vector<Napi::Object>& in_use = {}) {
  auto task = std::make_unique<DecodeTask<Output>>(env, std::move(work));
  for (const Napi::Object& object : in_use) task->Hold(object);
  return Environment::Get(env)->Submit(std::move(task));
}

std::size_t RequireCount(Napi::Value value, const std::string& name, std::int64_t minimum = 0);
std::size_t RequireStride(Napi::Value value, const std::string& name);

// Arguments are read in two steps. Reading a property may run a getter, which may detach an array; so all properties are read
// before the first pointer is taken, and no JavaScript runs between taking pointers and using them.
struct MatrixArgument {
  std::string name;
  Napi::Value data;
  detection::MatrixLayout layout;

  static MatrixArgument Read(Napi::Value value, const std::string& name);
  // Remembers in `arrays` what the matrix lies in.
  detection::Matrix View(std::size_t candidates, std::size_t attributes, std::vector<Span<float>>& arrays) const;
};

detection::BoxFormat ReadBoxFormat(Napi::Value value, const std::string& name);
// Of a network's input, for priors.
detection::InputSize ReadInputSize(Napi::Value value, const std::string& name);
detection::ObjectnessUse ReadObjectnessUse(Napi::Value value, const std::string& name);

// NativeDecodeSettings, read in the same two steps.
struct SettingsArgument {
  std::string name;
  Napi::Value thresholds;
  detection::Limits limits;

  static SettingsArgument Read(Napi::Value value, const std::string& name);
  detection::Thresholds Thresholds() const;
};

// Whether all arrays lie in memory that jobs may use in place.
bool AllOwned(const std::vector<Span<float>>& arrays);
std::vector<Napi::Object> Owners(const std::vector<Span<float>>& arrays);

}  // namespace im
