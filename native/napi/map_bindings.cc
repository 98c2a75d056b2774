// makeClassMap and makeValueMap of src/native/addon.ts: always on a compute thread, since the result has the size of a picture.
#include "map_bindings.h"

#include <cstring>
#include <memory>
#include <utility>
#include <vector>

#include "arguments.h"
#include "environment.h"
#include "map_arguments.h"
#include "memory.h"

namespace im {
namespace {

constexpr std::int64_t kMaximumOffset = std::int64_t{1} << 40;

std::size_t Side(Napi::Object object, const char* key, const std::string& name) {
  return static_cast<std::size_t>(
      RequireInteger(Field(object, key), name + "." + key, 1, static_cast<std::int64_t>(maps::kMaximumSide)));
}

// A map and the array it lies in; all properties are read before the array, since a getter may detach it.
struct MapArgument {
  Napi::Value array;
  std::size_t offset = 0;
  maps::DenseMap map;

  static MapArgument Read(Napi::Value value) {
    const Napi::Object object = RequireObject(value, "map");
    MapArgument argument;
    argument.array = Field(object, "data");
    argument.offset = static_cast<std::size_t>(RequireInteger(Field(object, "offset"), "map.offset", 0, kMaximumOffset));
    argument.map.channels = Side(object, "channels", "map");
    argument.map.width = Side(object, "width", "map");
    argument.map.height = Side(object, "height", "map");
    return argument;
  }
};

class MapTask : public Task {
 public:
  MapTask(Napi::Env env, const maps::Placement& placement) : Task(env), placement_(placement) {}

  // Ours is read in place; what the caller might change or detach meanwhile is copied.
  void Take(const MapArgument& argument) {
    const Span<float> array = RequireFloat32Array(argument.array, "map.data");
    map_ = argument.map;
    const std::size_t count = map_.channels * map_.width * map_.height;
    if (argument.offset > array.size || count > array.size - argument.offset) {
      ThrowArgument(argument.array.Env(), "map.data", "an array of at least offset + channels * height * width floats",
                    argument.array);
    }
    map_.data = array.data + argument.offset;
    if (IsOwnedMemory(array.data, array.size * sizeof(float))) {
      Hold(array.owner);
    } else {
      copy_.assign(map_.data, map_.data + count);
      map_.data = copy_.data();
    }
  }

 protected:
  std::size_t Pixels() const { return placement_.canvas_width * placement_.canvas_height; }

  template <typename T>
  T* AllocateColumn(Napi::Env env, Napi::ObjectReference& column) {
    Napi::ArrayBuffer buffer = AllocateBuffer(env, Pixels() * sizeof(T));
    column = Napi::Persistent(buffer.As<Napi::Object>());
    return static_cast<T*>(buffer.Data());
  }
  template <typename TypedArray>
  TypedArray Column(Napi::Env env, Napi::ObjectReference& column) const {
    return TypedArray::New(env, Pixels(), column.Value().As<Napi::ArrayBuffer>(), 0);
  }

  maps::Placement placement_;
  maps::DenseMap map_;

 private:
  std::vector<float> copy_;
};

class ClassMapTask final : public MapTask {
 public:
  ClassMapTask(Napi::Env env, const maps::Placement& placement, maps::ClassMapSettings settings)
      : MapTask(env, placement), settings_(std::move(settings)), wide_(maps::HasWideIds(settings_)) {}

  void Allocate(Napi::Env env) {
    if (wide_) {
      wide_ids_ = AllocateColumn<std::uint16_t>(env, ids_);
    } else {
      narrow_ids_ = AllocateColumn<std::uint8_t>(env, ids_);
    }
    confidence_data_ = AllocateColumn<float>(env, confidence_);
  }

  Status Execute() override {
    return wide_ ? maps::MakeClassMap(map_, placement_, settings_, wide_ids_, confidence_data_)
                 : maps::MakeClassMap(map_, placement_, settings_, narrow_ids_, confidence_data_);
  }

  Napi::Value Value(Napi::Env env) override {
    Napi::Object result = Napi::Object::New(env);
    if (wide_) {
      result.Set("classMap", Column<Napi::Uint16Array>(env, ids_));
    } else {
      result.Set("classMap", Column<Napi::Uint8Array>(env, ids_));
    }
    result.Set("confidence", Column<Napi::Float32Array>(env, confidence_));
    return result;
  }

 private:
  const maps::ClassMapSettings settings_;
  const bool wide_;
  Napi::ObjectReference ids_;
  Napi::ObjectReference confidence_;
  std::uint8_t* narrow_ids_ = nullptr;
  std::uint16_t* wide_ids_ = nullptr;
  float* confidence_data_ = nullptr;
};

class ValueMapTask final : public MapTask {
 public:
  ValueMapTask(Napi::Env env, const maps::Placement& placement, Kernel kernel) : MapTask(env, placement), kernel_(kernel) {}
  void Allocate(Napi::Env env) { data_ = AllocateColumn<float>(env, values_); }
  Status Execute() override { return maps::MakeValueMap(map_, placement_, kernel_, data_); }
  Napi::Value Value(Napi::Env env) override { return Column<Napi::Float32Array>(env, values_); }

 private:
  Kernel kernel_;
  Napi::ObjectReference values_;
  float* data_ = nullptr;
};

// Before anything as large as the picture is allocated.
void RequireValid(Napi::Env env, const maps::DenseMap& map, const maps::Placement& placement) {
  const Status status = maps::Validate(map, placement);
  if (!status.ok()) throw MakeError(env, status);
}

Napi::Value MakeClassMapBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const MapArgument map = MapArgument::Read(info[0]);
  const maps::Placement placement = ReadPlacement(info[1], "placement");
  maps::ClassMapSettings settings = ReadClassMapSettings(info[2], "settings");
  if (settings.class_ids.size() != map.map.channels) ThrowArgument(env, "settings.classIds", "one id for each channel", info[2]);
  RequireValid(env, map.map, placement);
  auto task = std::make_unique<ClassMapTask>(env, placement, std::move(settings));
  task->Allocate(env);
  task->Take(map);
  return Environment::Get(env)->Submit(std::move(task));
}

Napi::Value MakeValueMapBinding(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const MapArgument map = MapArgument::Read(info[0]);
  const maps::Placement placement = ReadPlacement(info[1], "placement");
  const Kernel kernel = ReadMapFilter(info[2], "filter");
  RequireValid(env, map.map, placement);
  auto task = std::make_unique<ValueMapTask>(env, placement, kernel);
  task->Allocate(env);
  task->Take(map);
  return Environment::Get(env)->Submit(std::move(task));
}

}  // namespace

void ExportMaps(Napi::Env env, Napi::Object exports) {
  exports.Set("makeClassMap", Napi::Function::New(env, MakeClassMapBinding, "makeClassMap"));
  exports.Set("makeValueMap", Napi::Function::New(env, MakeValueMapBinding, "makeValueMap"));
}

}  // namespace im
