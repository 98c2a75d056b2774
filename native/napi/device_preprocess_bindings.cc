// openDevicePreprocessor and its object (src/native/addon.ts).
#include "device_preprocess_bindings.h"

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "arguments.h"
#include "base/elements.h"
#include "device_queue.h"
#include "environment.h"
#include "image_arguments.h"
#include "kernels/preprocessor.h"
#include "lane_task.h"
#include "tensor_values.h"

namespace im {
namespace {

constexpr char kOpenStage[] = "cuda.open";
constexpr char kRunStage[] = "preprocess";

// The kernel and the stream that it runs in. Tasks share it, so it outlives its JavaScript object while one is in progress.
struct PreprocessorState {
  PreprocessorState(std::shared_ptr<DeviceQueue> device_queue, std::shared_ptr<const kernels::PreprocessKernel> loaded,
                    cuda::Stream made)
      : queue(std::move(device_queue)), kernel(std::move(loaded)), stream(std::move(made)) {}
  ~PreprocessorState() {
    (void)queue->resources()->device->MakeCurrent();
    (void)stream.Synchronize();
    queue->resources()->memory->Forget(stream.get());
  }

  const std::shared_ptr<DeviceQueue> queue;
  const std::shared_ptr<const kernels::PreprocessKernel> kernel;
  const cuda::Stream stream;
};

// Per JavaScript environment.
struct Room {
  Napi::FunctionReference preprocessor_class;
  DeviceQueues queues;
  std::shared_ptr<StoppableLanes> opener;
  // Handed from a finished opening to the constructor of the object, so that nobody else can call that.
  std::shared_ptr<PreprocessorState> arriving;
};

// ------------------------------------------------------------------------------------------------------------------ run

class PrepareTask : public DeviceTask {
 public:
  PrepareTask(Napi::Env env, std::shared_ptr<PreprocessorState> state, StablePicture picture)
      : DeviceTask(env, *state->queue, kRunStage),
        state_(std::move(state)),
        picture_(std::move(picture.picture)),
        copy_(std::move(picture.copy)) {
    if (copy_ == nullptr) Hold(picture.owner);
  }

  Napi::Value Value(Napi::Env env) override {
    void* memory = output_.release();
    return AdoptElements(env, kFloat32, memory, bytes_, std::free, memory);
  }

 protected:
  Status Submit() override {
    const Result<kernels::PreprocessJob> job = kernels::PreprocessJob::Make({picture_});
    if (!job.ok()) return job.status();
    bytes_ = job.value().output_length() * sizeof(float);
    output_.reset(std::malloc(bytes_));
    if (output_ == nullptr) return {Code::kOutOfMemory, kRunStage, "Not enough memory for the prepared picture."};
    IM_RETURN_IF_ERROR(resources().device->MakeCurrent());
    const Status status = Enqueue(job.value());
    // Part of the work may be in the stream; its memory has to be free before anything else uses it.
    if (!status.ok()) (void)state_->stream.Synchronize();
    else ExpectCompletion();
    return status;
  }

  Status Complete() override {
    IM_RETURN_IF_ERROR(resources().device->MakeCurrent());
    const Status status = done_->Wait();
    if (!status.ok()) (void)state_->stream.Synchronize();
    else std::memcpy(output_.get(), downloaded_.data(), bytes_);
    return status;
  }

  void Settled() override {
    preprocessor_.reset();
    target_ = {};
    downloaded_ = {};
    done_.reset();
  }

 private:
  const cuda::Resources& resources() const { return *state_->queue->resources(); }

  Status Enqueue(const kernels::PreprocessJob& job) {
    Result<cuda::Event> done = cuda::Event::Create(resources().device);
    if (!done.ok()) return done.status();
    done_.emplace(std::move(done.value()));
    Result<cuda::DeviceBuffer> target = resources().memory->Allocate(bytes_, state_->stream.get());
    if (!target.ok()) return target.status();
    target_ = std::move(target.value());
    Result<cuda::PinnedBuffer> downloaded = resources().pinned->Allocate(bytes_);
    if (!downloaded.ok()) return downloaded.status();
    downloaded_ = std::move(downloaded.value());
    preprocessor_.emplace(state_->queue->resources(), state_->kernel, state_->stream);
    IM_RETURN_IF_ERROR(preprocessor_->Prepare(job));
    IM_RETURN_IF_ERROR(preprocessor_->Enqueue(target_.address(), kernels::InputType::kFloat32));
    const cuda::Device& device = *resources().device;
    IM_RETURN_IF_ERROR(
        device.Check(device.table().cuMemcpyDtoHAsync_v2(downloaded_.data(), target_.address(), bytes_, state_->stream.get()),
                     "cuMemcpyDtoHAsync"));
    return done_->Record(state_->stream);
  }

  const std::shared_ptr<PreprocessorState> state_;
  kernels::Picture picture_;
  HostMemory copy_;
  HostMemory output_;
  std::size_t bytes_ = 0;
  std::optional<kernels::Preprocessor> preprocessor_;
  cuda::DeviceBuffer target_;
  cuda::PinnedBuffer downloaded_;
  std::optional<cuda::Event> done_;
};

// Behind all work in the queue.
class CloseTask : public DeviceTask {
 public:
  CloseTask(Napi::Env env, std::shared_ptr<PreprocessorState> state)
      : DeviceTask(env, *state->queue, kRunStage), queue_(state->queue), state_(std::move(state)) {}
  Napi::Value Value(Napi::Env env) override { return env.Undefined(); }

 protected:
  Status Submit() override {
    // Waits for the stream. Those that wait on the other thread still hold the state until they have.
    state_.reset();
    return {};
  }

 private:
  const std::shared_ptr<DeviceQueue> queue_;
  std::shared_ptr<PreprocessorState> state_;
};

class NativeDevicePreprocessor : public Napi::ObjectWrap<NativeDevicePreprocessor> {
 public:
  static Napi::Function Define(Napi::Env env, Room* room) {
    return DefineClass(
        env, "NativeDevicePreprocessor",
        {InstanceMethod<&NativeDevicePreprocessor::Run>("run"), InstanceMethod<&NativeDevicePreprocessor::Close>("close")}, room);
  }

  explicit NativeDevicePreprocessor(const Napi::CallbackInfo& info) : ObjectWrap(info) {
    auto* room = static_cast<Room*>(info.Data());
    if (room->arriving == nullptr) throw Napi::TypeError::New(info.Env(), "Preprocessors are made by openDevicePreprocessor.");
    state_ = std::move(room->arriving);
  }
  ~NativeDevicePreprocessor() override {
    if (state_ != nullptr) DeviceQueue::Discard(state_->queue, std::move(state_));
  }

 private:
  Napi::Value Run(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    RequireOpen(env);
    StablePicture picture = ReadPicture(info[0], info[1], info[2]);
    RequireOpen(env);  // a getter of the arguments may have closed it
    auto task = std::make_unique<PrepareTask>(env, state_, std::move(picture));
    return LaneTask::Submit(env, std::move(task), env.Null());
  }

  Napi::Value Close(const Napi::CallbackInfo& info) {
    RequireOpen(info.Env());
    auto task = std::make_unique<CloseTask>(info.Env(), std::move(state_));
    return LaneTask::Submit(info.Env(), std::move(task), info.Env().Null());
  }

  void RequireOpen(Napi::Env env) const {
    if (state_ == nullptr) ThrowStatus(env, {Code::kClosed, kRunStage, "The preprocessor is closed."});
  }

  std::shared_ptr<PreprocessorState> state_;
};

// ----------------------------------------------------------------------------------------------------------------- open

class OpenTask : public LaneTask {
 public:
  OpenTask(Napi::Env env, std::shared_ptr<Lanes> lanes, Room* room, std::string cuda_path, int device)
      : LaneTask(env, std::move(lanes), kOpenStage),
        room_(room),
        environment_(Environment::Get(env)),
        cuda_path_(std::move(cuda_path)),
        device_(device) {}

  Status Execute() override {
    const Result<std::shared_ptr<DeviceQueue>> queue = room_->queues.Get(environment_, cuda_path_, device_);
    if (!queue.ok()) return queue.status();
    const std::shared_ptr<const cuda::Device>& device = queue.value()->resources()->device;
    const Result<std::shared_ptr<const kernels::PreprocessKernel>> kernel = kernels::PreprocessKernel::Load(device);
    if (!kernel.ok()) return kernel.status();
    Result<cuda::Stream> stream = cuda::Stream::Create(device);
    if (!stream.ok()) return stream.status();
    state_ = std::make_shared<PreprocessorState>(queue.value(), kernel.value(), std::move(stream.value()));
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    const Status started = state_->queue->Start(state_->queue);
    if (!started.ok()) ThrowStatus(env, started);
    room_->arriving = std::move(state_);
    return room_->preprocessor_class.New({});
  }

 private:
  Room* const room_;
  Environment* const environment_;
  const std::string cuda_path_;
  const int device_;
  std::shared_ptr<PreprocessorState> state_;
};

Napi::Value Open(const Napi::CallbackInfo& info, Room* room) {
  const Napi::Env env = info.Env();
  Napi::Object options = RequireObject(info[0], "options");
  std::string cuda_path = RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath");
  const auto device = static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023));
  const std::shared_ptr<Lanes>& lanes = LanesOf(env, room->opener, 1);
  return LaneTask::Submit(env, std::make_unique<OpenTask>(env, lanes, room, std::move(cuda_path), device), env.Null());
}

}  // namespace

void ExportDevicePreprocess(Napi::Env env, Napi::Object exports) {
  auto* room = new Room();
  room->preprocessor_class = Napi::Persistent(NativeDevicePreprocessor::Define(env, room));
  napi_add_env_cleanup_hook(env, [](void* data) { delete static_cast<Room*>(data); }, room);
  exports.Set(
      "openDevicePreprocessor",
      Napi::Function::New(env, [room](const Napi::CallbackInfo& info) { return Open(info, room); }, "openDevicePreprocessor"));
}

}  // namespace im
