#include "image_bindings.h"

#include <cstring>
#include <memory>
#include <utility>

#include "../image/preprocess.h"
#include "../image/scratch.h"
#include "arguments.h"
#include "environment.h"
#include "memory.h"

namespace im {
namespace {

int Side(Napi::Object object, const char* key, const std::string& name) {
  return static_cast<int>(RequireInteger(Field(object, key), name + "." + key, 1, kMaximumSide));
}

int Offset(Napi::Object object, const char* key, const std::string& name) {
  return static_cast<int>(RequireInteger(Field(object, key), name + "." + key, -kMaximumSide, kMaximumSide));
}

Size ReadSize(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  return {Side(object, "width", name), Side(object, "height", name)};
}

Rectangle ReadRectangle(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const auto position = [&](const char* key) { return static_cast<int>(RequireInteger(Field(object, key), name + "." + key, 0, kMaximumSide)); };
  return {position("left"), position("top"), Side(object, "width", name), Side(object, "height", name)};
}

GeometryStep ReadStep(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  const auto number = [&](const char* key) { return RequireNumber(Field(object, key), name + "." + key); };
  if (RequireOneOf(Field(object, "kind"), name + ".kind", {"resize", "sample"}) == 1) {
    return SampleStep{Side(object, "width", name), Side(object, "height", name), number("originX"), number("originY"), number("stepX"), number("stepY")};
  }
  ResizeStep step;
  step.filter = static_cast<Filter>(RequireOneOf(Field(object, "filter"), name + ".filter", {"linear", "pillow", "none", "triangle", "cubic"}));
  step.width = Side(object, "width", name);
  step.height = Side(object, "height", name);
  const std::string canvas_name = name + ".canvas";
  const Napi::Object canvas = RequireObject(Field(object, "canvas"), canvas_name);
  step.canvas = {Side(canvas, "width", canvas_name), Side(canvas, "height", canvas_name), Offset(canvas, "left", canvas_name),
                 Offset(canvas, "top", canvas_name), static_cast<float>(RequireNumber(Field(canvas, "fill"), canvas_name + ".fill"))};
  return step;
}

bool IsNull(Napi::Value value) { return value.IsNull() || value.IsUndefined(); }

void ReadTriple(Napi::Object object, const char* key, const std::string& name, float (&values)[3]) {
  const Napi::Value value = Field(object, key);
  if (IsNull(value)) return;
  if (!value.IsArray() || value.As<Napi::Array>().Length() != 3) ThrowArgument(value.Env(), name + "." + key, "an array of three numbers", value);
  const auto list = value.As<Napi::Array>();
  for (std::uint32_t i = 0; i < 3; ++i) values[i] = static_cast<float>(RequireNumber(list.Get(i), name + "." + key + "[" + std::to_string(i) + "]"));
}

Normalization ReadNormalization(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  Normalization result;
  if (!IsNull(Field(object, "divisor"))) result.divisor = static_cast<float>(RequireNumber(Field(object, "divisor"), name + ".divisor"));
  if (!IsNull(Field(object, "factor"))) result.factor = static_cast<float>(RequireNumber(Field(object, "factor"), name + ".factor"));
  ReadTriple(object, "mean", name, result.mean);
  ReadTriple(object, "std", name, result.std);
  return result;
}

PreprocessSteps ReadSteps(Napi::Value value) {
  const Napi::Object object = RequireObject(value, "steps");
  PreprocessSteps steps;
  steps.source = ReadSize(Field(object, "source"), "steps.source");
  steps.crop = ReadRectangle(Field(object, "crop"), "steps.crop");
  steps.grayscale = RequireBoolean(Field(object, "grayscale"), "steps.grayscale");
  if (!IsNull(Field(object, "contrast"))) {
    steps.contrast = static_cast<Contrast>(
        RequireOneOf(Field(object, "contrast"), "steps.contrast", {"contrast-stretching", "histogram-equalization", "adaptive-equalization"}));
  }
  const Napi::Value geometry = Field(object, "geometry");
  if (!geometry.IsArray()) ThrowArgument(value.Env(), "steps.geometry", "an array", geometry);
  const auto list = geometry.As<Napi::Array>();
  // Looked at once: a getter may change it.
  const std::uint32_t count = list.Length();
  if (count < 1 || count > 2) ThrowArgument(value.Env(), "steps.geometry", "one or two steps", geometry);
  for (std::uint32_t i = 0; i < count; ++i) steps.geometry.push_back(ReadStep(list.Get(i), "steps.geometry[" + std::to_string(i) + "]"));
  steps.swap_channels = RequireBoolean(Field(object, "swapChannels"), "steps.swapChannels");
  steps.normalization = ReadNormalization(Field(object, "normalization"), "steps.normalization");
  steps.output = ReadSize(Field(object, "output"), "steps.output");
  return steps;
}

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
      if (array.size != length) throw MakeError(env, InvalidArgument("preprocess", "The target was detached while the picture was prepared."));
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

void RequireLength(Napi::Env env, const char* name, std::size_t expected, const char* unit, std::size_t received) {
  if (received == expected) return;
  ThrowArgument(env, name, "an array of " + std::to_string(expected) + " " + unit, Napi::Number::New(env, static_cast<double>(received)));
}

void ThrowIfError(Napi::Env env, const Status& status) {
  if (!status.ok()) throw MakeError(env, status);
}

// Pixels that somebody else may change have to be copied before the call returns, which holds JavaScript up as any work here does. A large
// picture that becomes a small input is sooner prepared than copied.
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
  const Napi::Object description = RequireObject(info[1], "image");
  Image image;
  image.width = Side(description, "width", "image");
  image.height = Side(description, "height", "image");
  image.channels = static_cast<int>(RequireInteger(Field(description, "channels"), "image.channels", 1, 4));
  image.color_format = static_cast<ColorFormat>(RequireOneOf(Field(description, "colorFormat"), "image.colorFormat", {"rgb", "bgr"}));
  const bool borrowed = RequireBoolean(Field(description, "borrowed"), "image.borrowed");
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

void ExportImage(Napi::Env env, Napi::Object exports) { exports.Set("preprocess", Napi::Function::New(env, PreprocessBinding, "preprocess")); }

const char* SimdName() { return BestKernels().name; }

}  // namespace im
