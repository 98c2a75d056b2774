#include "image_bindings.h"

#include <cstring>
#include <memory>
#include <utility>

#include "../image/preprocess.h"
#include "../image/scratch.h"
#include "arguments.h"
#include "environment.h"
#include "image_arguments.h"
#include "memory.h"

namespace im {
namespace {

class PreprocessTask final : public Task {
 public:
  PreprocessTask(Napi::Env env, const Image& image, PreprocessSteps steps) : Task(env), image_(image), steps_(std::move(steps)) {}

  // The caller may change or detach its memory while this runs.
  Status CopyPixels() {
    const std::size_t bytes = ByteCount(image_);
    IM_RETURN_IF_ERROR(pixels_.Allocate(bytes));
    std::memcpy(pixels_.data(), image_.pixels, bytes);
    image_.pixels = pixels_.data();
    return {};
  }
  void WriteTo(float* target) { target_ = target; }
  // For targets that could be detached: written elsewhere, copied when the promise settles.
  Status WriteLaterTo(Napi::Object array) {
    IM_RETURN_IF_ERROR(result_.Allocate(OutputLength(steps_)));
    target_ = result_.data();
    array_ = Napi::Persistent(array);
    return {};
  }

  Status Execute() override { return Preprocess(image_, steps_, target_); }

  Napi::Value Value(Napi::Env env) override {
    if (!array_.IsEmpty()) {
      const Span<float> array = RequireFloat32Array(array_.Value(), "target");
      const std::size_t length = OutputLength(steps_);
      if (array.size != length)
        throw MakeError(env, InvalidArgument("preprocess", "The target was detached while the picture was prepared."));
      std::memcpy(array.data, result_.data(), length * sizeof(float));
    }
    return env.Undefined();
  }

 private:
  Image image_;
  PreprocessSteps steps_;
  Scratch<std::uint8_t> pixels_;
  float* target_ = nullptr;
  Scratch<float> result_;
  Napi::ObjectReference array_;
};

// Whether the memory stays where it is for as long as the typed array lives: shared memory cannot be detached, and ours is
// copied when it is transferred. Asks the engine, since properties of the object may say anything.
bool StaysInPlace(Napi::Object typed_array, const void* data, std::size_t byte_length) {
  napi_value buffer = nullptr;
  bool is_array_buffer = true;
  if (napi_get_typedarray_info(typed_array.Env(), typed_array, nullptr, nullptr, nullptr, &buffer, nullptr) != napi_ok ||
      napi_is_arraybuffer(typed_array.Env(), buffer, &is_array_buffer) != napi_ok) {
    return false;
  }
  return !is_array_buffer || IsOwnedMemory(data, byte_length);
}

bool Overlap(const void* first, std::size_t first_bytes, const void* second, std::size_t second_bytes) {
  const auto a = reinterpret_cast<std::uintptr_t>(first);
  const auto b = reinterpret_cast<std::uintptr_t>(second);
  return a < b + second_bytes && b < a + first_bytes;
}

void ThrowIfError(Napi::Env env, const Status& status) {
  if (!status.ok()) throw MakeError(env, status);
}

// Pixels that somebody else may change have to be copied before the call returns, which holds JavaScript up as any work here
// does. A large picture that becomes a small input is sooner prepared than copied.
bool IsSoonerPreparedThanCopied(const Image& image, const PreprocessSteps& steps) {
  // What memcpy moves while a linear resize makes one pixel, rounded up (measured: about 25, docs/benchmarks).
  constexpr std::size_t kBytesPerPixel = 32;
  if (steps.contrast || steps.geometry.size() != 1) return false;
  const auto* resize = std::get_if<ResizeStep>(&steps.geometry.front());
  return resize != nullptr && resize->filter == Filter::kLinear && OutputLength(steps) / 3 * kBytesPerPixel < ByteCount(image);
}

Napi::Value PreprocessNow(Napi::Env env, const Image& image, const PreprocessSteps& steps, float* target) {
  const auto deferred = Napi::Promise::Deferred::New(env);
  const Status status = Preprocess(image, steps, target);
  if (status.ok()) deferred.Resolve(env.Undefined());
  else deferred.Reject(MakeError(env, status).Value());
  return deferred.Promise();
}

// preprocess(pixels, description, steps, target): see NativeAddon in src/native/addon.ts.
Napi::Value PreprocessBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Image image = ReadImage(info[1]);
  const bool borrowed = RequireBoolean(Field(RequireObject(info[1], "image"), "borrowed"), "image.borrowed");
  PreprocessSteps steps = ReadSteps(info[2]);

  // Typed arrays come last: reading an object can run a getter, and a getter can detach them.
  const Span<const std::uint8_t> pixels = RequireUint8Array(info[0], "pixels");
  const Span<float> target = RequireFloat32Array(info[3], "target");
  RequireLength(env, "pixels", ByteCount(image), "bytes", pixels.size);
  image.pixels = pixels.data;
  ThrowIfError(env, Validate(image, steps));
  RequireLength(env, "target", OutputLength(steps), "floats", target.size);

  const std::size_t target_bytes = target.size * sizeof(float);
  const bool pixels_stay = !borrowed || StaysInPlace(pixels.owner, pixels.data, pixels.size);
  const bool apart = !Overlap(pixels.data, pixels.size, target.data, target_bytes);
  if (!pixels_stay && apart && IsSoonerPreparedThanCopied(image, steps)) return PreprocessNow(env, image, steps, target.data);

  auto task = std::make_unique<PreprocessTask>(env, image, std::move(steps));
  if (pixels_stay && apart) {
    task->Hold(pixels.owner);
  } else {
    ThrowIfError(env, task->CopyPixels());
  }
  if (StaysInPlace(target.owner, target.data, target_bytes)) {
    task->WriteTo(target.data);
    task->Hold(target.owner);
  } else {
    ThrowIfError(env, task->WriteLaterTo(target.owner));
  }
  return Environment::Get(env)->Submit(std::move(task));
}

}  // namespace

void ExportImage(Napi::Env env, Napi::Object exports) {
  exports.Set("preprocess", Napi::Function::New(env, PreprocessBinding, "preprocess"));
}

const char* SimdName() { return BestKernels().name; }

}  // namespace im
