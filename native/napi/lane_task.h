// A promise whose work is done on lanes, and the token that cancels it.
//
// A task travels: made on the JavaScript thread, carried out on a lane, settled on the JavaScript thread. Cancelling, closing and
// the end of the environment all happen on the JavaScript thread; only Lanes is shared.
#pragma once

#include <napi.h>

#include <memory>

#include "base/lanes.h"
#include "environment.h"

namespace im {

class LaneTask;

// What `cancel()` reaches. Lives on the JavaScript thread, like everything that attaches to it.
class CancelToken : public Napi::ObjectWrap<CancelToken> {
 public:
  static Napi::Function Define(Napi::Env env);
  explicit CancelToken(const Napi::CallbackInfo& info);
  // Throws when the value is no token of this binary.
  static CancelToken* From(Napi::Value value);

 private:
  friend class LaneTask;
  void Cancel(const Napi::CallbackInfo&);

  bool cancelled_ = false;
  LaneTask* target_ = nullptr;
};

class LaneTask : public Task, public Lanes::Job {
 public:
  // `stage` is what failures of cancelled and refused tasks name.
  LaneTask(Napi::Env env, std::shared_ptr<Lanes> lanes, const char* stage) : Task(env), lanes_(std::move(lanes)), stage_(stage) {}
  ~LaneTask() override;

  void Run() override { set_status(ExecuteGuarded(*this)); }
  void Abandon() override { set_status({Code::kCancelled, stage_, "Cancelled before it started."}); }
  // What cannot be stopped half way just runs to its end.
  void Interrupt() override {}

  // Hands the task over; `token`, null or a cancel token, cancels it from now on.
  static Napi::Promise Submit(Napi::Env env, std::unique_ptr<LaneTask> task, Napi::Value token);
  static Lanes::Done FinishIn(Environment* environment);

 private:
  friend class CancelToken;

  const std::shared_ptr<Lanes> lanes_;
  const char* const stage_;
  CancelToken* token_ = nullptr;
};

// Lanes that end with the environment.
struct StoppableLanes : Stoppable {
  explicit StoppableLanes(Environment* environment) : lanes(std::make_shared<Lanes>(LaneTask::FinishIn(environment))) {}
  ~StoppableLanes() override { lanes->Stop(); }
  void Stop() override { lanes->Stop(); }
  const std::shared_ptr<Lanes> lanes;
};

// The lanes of `place`, which are started when they are asked for first. JavaScript thread; throws when there are no threads to
// be had.
const std::shared_ptr<Lanes>& LanesOf(Napi::Env env, std::shared_ptr<StoppableLanes>& place, unsigned threads);

// Of a function whose work runs on one thread of its own; one for each JavaScript environment.
class FunctionLane {
 public:
  // As LanesOf.
  const std::shared_ptr<Lanes>& Get(Napi::Env env) { return LanesOf(env, lanes_, 1); }

 private:
  std::shared_ptr<StoppableLanes> lanes_;
};
using LaneFunction = Napi::Value (*)(const Napi::CallbackInfo& info, FunctionLane& lane);
void ExportOnLane(Napi::Env env, Napi::Object exports, const char* name, LaneFunction function);

// An object of a class of this binary; another copy of the addon in the same process has classes of another layout.
napi_type_tag MakeTag(std::uint64_t kind);

[[noreturn]] void ThrowStatus(Napi::Env env, const Status& status);
[[noreturn]] void ThrowInvalid(Napi::Env env, const std::string& message);

void ExportCancelToken(Napi::Env env, Napi::Object exports);

}  // namespace im
