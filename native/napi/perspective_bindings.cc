// cropQuadrilaterals of src/native/addon.ts: all parts of one picture in one job, so that its pixels are copied once at most.
#include "perspective_bindings.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "../image/perspective.h"
#include "arguments.h"
#include "environment.h"
#include "image_arguments.h"
#include "memory.h"

namespace im {
namespace {

constexpr std::uint32_t kMaximumCrops = 65536;

class CropTask final : public Task {
 public:
  CropTask(Napi::Env env, const Image& image, std::vector<Quadrilateral> crops)
      : Task(env), image_(image), crops_(std::move(crops)) {}

  void CopyPixels() {
    copy_.assign(image_.pixels, image_.pixels + ByteCount(image_));
    image_.pixels = copy_.data();
  }
  void Allocate(Napi::Env env) {
    for (const Quadrilateral& crop : crops_) {
      Napi::ArrayBuffer buffer = AllocateBuffer(env, ByteCount(crop));
      targets_.push_back(static_cast<std::uint8_t*>(buffer.Data()));
      buffers_.push_back(Napi::Persistent(buffer.As<Napi::Object>()));
    }
  }

  Status Execute() override {
    for (std::size_t i = 0; i < crops_.size(); ++i) CropQuadrilateral(image_, crops_[i], targets_[i]);
    return {};
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Array result = Napi::Array::New(env, crops_.size());
    for (std::size_t i = 0; i < crops_.size(); ++i) {
      result.Set(static_cast<std::uint32_t>(i),
                 Napi::Uint8Array::New(env, ByteCount(crops_[i]), buffers_[i].Value().As<Napi::ArrayBuffer>(), 0));
    }
    return result;
  }

 private:
  Image image_;
  std::vector<Quadrilateral> crops_;
  std::vector<std::uint8_t> copy_;
  std::vector<Napi::ObjectReference> buffers_;
  std::vector<std::uint8_t*> targets_;
};

Quadrilateral ReadQuadrilateral(Napi::Value value, const std::string& name) {
  const Napi::Object object = RequireObject(value, name);
  Quadrilateral crop;
  crop.width = static_cast<int>(RequireInteger(Field(object, "width"), name + ".width", 1, kMaximumSide));
  crop.height = static_cast<int>(RequireInteger(Field(object, "height"), name + ".height", 1, kMaximumSide));
  const Napi::Value corners = Field(object, "corners");
  const bool is_doubles = corners.IsTypedArray() && corners.As<Napi::TypedArray>().TypedArrayType() == napi_float64_array;
  if (!is_doubles || corners.As<Napi::Float64Array>().ElementLength() != 8) {
    ThrowArgument(value.Env(), name + ".corners", "a Float64Array of 8 numbers", corners);
  }
  const auto list = corners.As<Napi::Float64Array>();
  for (std::size_t i = 0; i < 8; ++i) crop.corners[i] = list[i];
  return crop;
}

Napi::Value CropQuadrilateralsBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Image image = ReadImage(info[1]);
  const bool borrowed = RequireBoolean(Field(RequireObject(info[1], "image"), "borrowed"), "image.borrowed");
  if (image.channels == 2) ThrowArgument(env, "image.channels", "1, 3 or 4", Napi::Number::New(env, image.channels));
  if (!info[2].IsArray()) ThrowArgument(env, "crops", "an array", info[2]);
  const auto list = info[2].As<Napi::Array>();
  // Looked at once: a getter may change it.
  const std::uint32_t count = list.Length();
  if (count > kMaximumCrops) ThrowArgument(env, "crops", "at most " + std::to_string(kMaximumCrops) + " parts", info[2]);
  std::vector<Quadrilateral> crops;
  crops.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) crops.push_back(ReadQuadrilateral(list.Get(i), "crops[" + std::to_string(i) + "]"));

  // The typed array comes last: reading an object can run a getter, and a getter can detach it.
  const Span<const std::uint8_t> pixels = RequireUint8Array(info[0], "pixels");
  RequireLength(env, "pixels", ByteCount(image), "bytes", pixels.size);
  image.pixels = pixels.data;
  auto task = std::make_unique<CropTask>(env, image, std::move(crops));
  if (borrowed && !IsOwnedMemory(pixels.data, pixels.size)) task->CopyPixels();
  else task->Hold(pixels.owner);
  task->Allocate(env);
  return Environment::Get(env)->Submit(std::move(task));
}

}  // namespace

void ExportPerspective(Napi::Env env, Napi::Object exports) {
  exports.Set("cropQuadrilaterals", Napi::Function::New(env, CropQuadrilateralsBinding, "cropQuadrilaterals"));
}

}  // namespace im
