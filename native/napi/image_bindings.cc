#include "image_bindings.h"

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

#include "../image/preprocess.h"
#include "../image/scratch.h"
#include "arguments.h"
#include "environment.h"
#include "memory.h"

namespace im {
namespace {

class PreprocessTask final : public Task {
 public:
  PreprocessTask(Napi::Env env, const Image& image, PreprocessSteps steps) : Task(env), image_(image), steps_(std::move(steps)) {}

  // Works on a copy, so that the caller may do with the pixels what he likes.
  Status CopyPixels() {
    const std::size_t bytes = PixelBytes();
    IM_RETURN_IF_ERROR(pixels_.Allocate(bytes));
    std::memcpy(pixels_.data(), image_.pixels, bytes);
    image_.pixels = pixels_.data();
    return {};
  }

  // Writes to `target` directly.
  void UseTarget(float* target) { target_ = target; }

  // Writes to memory of its own, and to the typed array once nobody else is running.
  Status CopyToTargetLater(Napi::Object target) {
    IM_RETURN_IF_ERROR(result_.Allocate(OutputLength(steps_)));
    target_ = result_.data();
    destination_ = Napi::Persistent(target);
    return {};
  }

  Status Execute() override { return Preprocess(image_, steps_, target_); }

  Napi::Value Value(Napi::Env env) override {
    if (!destination_.IsEmpty()) {
      const Span<float> target = RequireFloat32Array(destination_.Value(), "target");
      const std::size_t length = OutputLength(steps_);
      if (target.size != length) {
        throw MakeError(env, InvalidArgument("preprocess", "The target was detached or resized while the picture was prepared."));
      }
      std::memcpy(target.data, result_.data(), length * sizeof(float));
    }
    return env.Undefined();
  }

 private:
  std::size_t PixelBytes() const {
    return static_cast<std::size_t>(image_.width) * static_cast<std::size_t>(image_.height) * static_cast<std::size_t>(image_.channels);
  }

  Image image_;
  PreprocessSteps steps_;
  float* target_ = nullptr;
  Scratch<std::uint8_t> pixels_;
  Scratch<float> result_;
  Napi::ObjectReference destination_;
};

int RequireInt(Napi::Object object, const char* key, int minimum, int maximum) {
  return static_cast<int>(RequireInteger(Field(object, key), key, minimum, maximum));
}

int RequireSide(Napi::Object object, const char* key) { return RequireInt(object, key, 1, kMaximumSide); }

// A number that is finite as float32, too.
float RequireFloat(Napi::Value value, const char* name) {
  const double number = RequireNumber(value, name);
  if (std::fabs(number) > static_cast<double>(std::numeric_limits<float>::max())) {
    ThrowArgument(value.Env(), name, "a number that fits float32", value);
  }
  return static_cast<float>(number);
}

void ReadTriple(Napi::Object object, const char* key, float (&triple)[3]) {
  const Napi::Value value = Field(object, key);
  if (value.IsNull()) return;
  const char* const expected = "an array of three numbers or null";
  if (!value.IsArray() || value.As<Napi::Array>().Length() != 3) ThrowArgument(value.Env(), key, expected, value);
  for (std::uint32_t i = 0; i < 3; ++i) triple[i] = RequireFloat(value.As<Napi::Array>().Get(i), key);
}

Normalization ReadNormalization(Napi::Object object) {
  Normalization normalization;
  const Napi::Value divisor = Field(object, "divisor");
  const Napi::Value factor = Field(object, "factor");
  if (!divisor.IsNull()) normalization.divisor = RequireFloat(divisor, "divisor");
  if (!factor.IsNull()) normalization.factor = RequireFloat(factor, "factor");
  ReadTriple(object, "mean", normalization.mean);
  ReadTriple(object, "std", normalization.std);
  return normalization;
}

GeometryStep ReadGeometryStep(Napi::Object object) {
  if (RequireOneOf(Field(object, "kind"), "kind", {"resize", "sample"}) == 1) {
    SampleStep step;
    step.width = RequireSide(object, "width");
    step.height = RequireSide(object, "height");
    step.origin_x = RequireNumber(Field(object, "originX"), "originX");
    step.origin_y = RequireNumber(Field(object, "originY"), "originY");
    step.step_x = RequireNumber(Field(object, "stepX"), "stepX");
    step.step_y = RequireNumber(Field(object, "stepY"), "stepY");
    return step;
  }
  constexpr std::array<Filter, 3> filters{Filter::kLinear, Filter::kPillow, Filter::kNone};
  ResizeStep step;
  step.filter = filters[RequireOneOf(Field(object, "filter"), "filter", {"linear", "pillow", "none"})];
  step.width = RequireSide(object, "width");
  step.height = RequireSide(object, "height");
  const Napi::Object canvas = RequireObject(Field(object, "canvas"), "canvas");
  step.canvas.width = RequireSide(canvas, "width");
  step.canvas.height = RequireSide(canvas, "height");
  step.canvas.left = RequireInt(canvas, "left", -kMaximumSide, kMaximumSide);
  step.canvas.top = RequireInt(canvas, "top", -kMaximumSide, kMaximumSide);
  step.canvas.fill = RequireFloat(Field(canvas, "fill"), "fill");
  return step;
}

Size ReadSize(Napi::Object object) { return {RequireSide(object, "width"), RequireSide(object, "height")}; }

Rectangle ReadRectangle(Napi::Object object) {
  return {RequireInt(object, "left", 0, kMaximumSide), RequireInt(object, "top", 0, kMaximumSide), RequireSide(object, "width"),
          RequireSide(object, "height")};
}

PreprocessSteps ReadSteps(Napi::Object object) {
  constexpr std::array<Contrast, 3> contrasts{Contrast::kStretching, Contrast::kHistogramEqualization, Contrast::kAdaptiveEqualization};
  PreprocessSteps steps;
  steps.source = ReadSize(RequireObject(Field(object, "source"), "source"));
  steps.crop = ReadRectangle(RequireObject(Field(object, "crop"), "crop"));
  steps.grayscale = RequireBoolean(Field(object, "grayscale"), "grayscale");
  const Napi::Value contrast = Field(object, "contrast");
  if (!contrast.IsNull()) {
    steps.contrast = contrasts[RequireOneOf(contrast, "contrast",
                                            {"contrast-stretching", "histogram-equalization", "adaptive-equalization"})];
  }
  const Napi::Value geometry = Field(object, "geometry");
  if (!geometry.IsArray() || geometry.As<Napi::Array>().Length() > 2) ThrowArgument(object.Env(), "geometry", "an array of one or two steps", geometry);
  const std::uint32_t count = geometry.As<Napi::Array>().Length();
  for (std::uint32_t i = 0; i < count; ++i) {
    steps.geometry.push_back(ReadGeometryStep(RequireObject(geometry.As<Napi::Array>().Get(i), "geometry")));
  }
  steps.swap_channels = RequireBoolean(Field(object, "swapChannels"), "swapChannels");
  steps.normalization = ReadNormalization(RequireObject(Field(object, "normalization"), "normalization"));
  steps.output = ReadSize(RequireObject(Field(object, "output"), "output"));
  return steps;
}

// Everything of NativeImageDescription but the pixels.
Image ReadImage(Napi::Object object) {
  constexpr std::array<ColorFormat, 2> formats{ColorFormat::kRgb, ColorFormat::kBgr};
  Image image;
  image.width = RequireSide(object, "width");
  image.height = RequireSide(object, "height");
  image.channels = RequireInt(object, "channels", 1, 4);
  image.color_format = formats[RequireOneOf(Field(object, "colorFormat"), "colorFormat", {"rgb", "bgr"})];
  return image;
}

// Whether the memory stays where it is for as long as the typed array lives: shared memory cannot be detached, and ours
// is copied when it is transferred.
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

void RequireLength(Napi::Env env, const char* name, std::size_t expected, std::size_t actual, const char* why) {
  if (actual == expected) return;
  throw MakeError(env, InvalidArgument("preprocess", std::string(name) + " has " + std::to_string(actual) + " elements, but " + why +
                                                         " needs exactly " + std::to_string(expected) + "."));
}

// preprocess(pixels, image, steps, target). Wrong arguments throw; what fails later rejects the promise.
Napi::Value PreprocessPicture(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object description = RequireObject(info[1], "image");
  Image image = ReadImage(description);
  const bool borrowed = RequireBoolean(Field(description, "borrowed"), "borrowed");
  PreprocessSteps steps = ReadSteps(RequireObject(info[2], "steps"));

  // Typed arrays last: reading an object can run a getter, and that could detach them.
  const Span<const std::uint8_t> pixels = RequireUint8Array(info[0], "pixels");
  const Span<float> target = RequireFloat32Array(info[3], "target");
  RequireLength(env, "pixels",
                static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height) * static_cast<std::size_t>(image.channels),
                pixels.size, "the picture");
  image.pixels = pixels.data;
  ThrowIfError(env, Validate(image, steps));
  RequireLength(env, "target", OutputLength(steps), target.size, "the network input");

  const std::size_t target_bytes = target.size * sizeof(float);
  auto task = std::make_unique<PreprocessTask>(env, image, std::move(steps));
  const bool pixels_stay = !borrowed || StaysInPlace(pixels.owner, pixels.data, pixels.size);
  if (pixels_stay && !Overlap(pixels.data, pixels.size, target.data, target_bytes)) {
    task->Hold(pixels.owner);
  } else {
    ThrowIfError(env, task->CopyPixels());
  }
  if (StaysInPlace(target.owner, target.data, target_bytes)) {
    task->UseTarget(target.data);
    task->Hold(target.owner);
  } else {
    ThrowIfError(env, task->CopyToTargetLater(target.owner));
  }
  return Environment::Get(env)->Submit(std::move(task));
}

}  // namespace

void ExportImage(Napi::Env env, Napi::Object exports) {
  exports.Set("preprocess", Napi::Function::New(env, PreprocessPicture, "preprocess"));
}

const char* SimdName() { return BestKernels().name; }

}  // namespace im
