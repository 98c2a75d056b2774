#include "lane_task.h"

#include "arguments.h"

namespace im {
namespace {

const char kThisBinary = 0;
constexpr std::uint64_t kTokenKind = 1;

}  // namespace

napi_type_tag MakeTag(std::uint64_t kind) { return {kind, reinterpret_cast<std::uintptr_t>(&kThisBinary)}; }

void ThrowStatus(Napi::Env env, const Status& status) { throw MakeError(env, status); }
void ThrowInvalid(Napi::Env env, const std::string& message) { ThrowStatus(env, InvalidArgument("arguments", message)); }

Napi::Function CancelToken::Define(Napi::Env env) {
  return DefineClass(env, "NativeCancelToken", {InstanceMethod<&CancelToken::Cancel>("cancel")});
}

CancelToken::CancelToken(const Napi::CallbackInfo& info) : ObjectWrap(info) {
  const napi_type_tag tag = MakeTag(kTokenKind);
  info.This().As<Napi::Object>().TypeTag(&tag);
}

CancelToken* CancelToken::From(Napi::Value value) {
  const napi_type_tag tag = MakeTag(kTokenKind);
  if (!value.IsObject() || !value.As<Napi::Object>().CheckTypeTag(&tag))
    ThrowArgument(value.Env(), "cancel", "a cancel token", value);
  return Unwrap(value.As<Napi::Object>());
}

void CancelToken::Cancel(const Napi::CallbackInfo&) {
  cancelled_ = true;
  if (target_ != nullptr) target_->lanes_->Cancel(target_);
}

LaneTask::~LaneTask() {
  if (token_ != nullptr) token_->target_ = nullptr;
}

Napi::Promise LaneTask::Submit(Napi::Env env, std::unique_ptr<LaneTask> task, Napi::Value token) {
  LaneTask* target = task.get();
  CancelToken* attached = nullptr;
  if (!token.IsNull()) {
    attached = CancelToken::From(token);
    if (attached->target_ != nullptr) ThrowInvalid(env, "This cancel token is in use already.");
    attached->target_ = target;
    target->token_ = attached;
    target->Hold(token.As<Napi::Object>());
  }
  // Before the hand-over: after it, the task may be finished at any moment.
  Environment* environment = Environment::Get(env);
  Napi::Promise promise = environment->Begin(*target);
  const std::shared_ptr<Lanes> lanes = target->lanes_;
  std::unique_ptr<Lanes::Job> job = std::move(task);
  if (attached != nullptr && attached->cancelled_) {
    target->Abandon();
  } else if (!lanes->Submit(job)) {
    target->set_status({Code::kClosed, target->stage_, "The session is closed."});
  }
  if (job != nullptr) FinishIn(environment)(std::move(job));
  return promise;
}

Lanes::Done LaneTask::FinishIn(Environment* environment) {
  return [environment](std::unique_ptr<Lanes::Job> job) {
    environment->Finish(std::unique_ptr<Task>(static_cast<LaneTask*>(job.release())));
  };
}

const std::shared_ptr<Lanes>& LanesOf(Napi::Env env, std::shared_ptr<StoppableLanes>& place, unsigned threads) {
  if (place == nullptr) {
    auto made = std::make_shared<StoppableLanes>(Environment::Get(env));
    const Status started = made->lanes->Start(threads);
    if (!started.ok()) ThrowStatus(env, started);
    Environment::Get(env)->StopAtExit(made);
    place = std::move(made);
  }
  return place->lanes;
}

void ExportOnLane(Napi::Env env, Napi::Object exports, const char* name, LaneFunction function) {
  auto* lane = new FunctionLane();
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<FunctionLane*>(data); }, lane);
  exports.Set(name, Napi::Function::New(env, [=](const Napi::CallbackInfo& info) { return function(info, *lane); }, name));
}

void ExportCancelToken(Napi::Env env, Napi::Object exports) {
  // Freed while the environment can still take the reference.
  auto* token_class = new Napi::FunctionReference(Napi::Persistent(CancelToken::Define(env)));
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Napi::FunctionReference*>(data); }, token_class);
  exports.Set(
      "createCancelToken",
      Napi::Function::New(env, [token_class](const Napi::CallbackInfo&) { return token_class->New({}); }, "createCancelToken"));
}

}  // namespace im
