#include "tensor_values.h"

#include <cstring>

#include "base/elements.h"
#include "lane_task.h"
#include "memory.h"

namespace im {
namespace {

constexpr std::size_t kMaximumRank = 64;

napi_typedarray_type ArrayType(int type) {
  switch (type) {
    case 1: return napi_float32_array;
    case 3: return napi_int8_array;
    case 4:
    case 10:
    case 16: return napi_uint16_array;
    case 5: return napi_int16_array;
    case 6: return napi_int32_array;
    case 7: return napi_bigint64_array;
    case 11: return napi_float64_array;
    case 12: return napi_uint32_array;
    case 13: return napi_biguint64_array;
    default: return napi_uint8_array;
  }
}

Napi::Value ArrayOver(Napi::Env env, int type, std::size_t bytes, Napi::ArrayBuffer buffer) {
  napi_value array = nullptr;
  if (napi_create_typedarray(env, ArrayType(type), bytes / ElementSize(type), buffer, 0, &array) != napi_ok)
    throw Napi::Error::New(env);
  return {env, array};
}

}  // namespace

std::vector<std::int64_t> ReadDims(Napi::Value value, const std::string& where) {
  if (!value.IsArray()) ThrowArgument(value.Env(), where, "an array of sizes", value);
  Napi::Array array = value.As<Napi::Array>();
  if (array.Length() > kMaximumRank)
    ThrowInvalid(value.Env(), where + " has more than " + std::to_string(kMaximumRank) + " dimensions.");
  std::vector<std::int64_t> dims;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    dims.push_back(RequireInteger(array.Get(i), where + "[" + std::to_string(i) + "]", 0, kMaximumDimension));
  }
  return dims;
}

std::vector<std::string> ReadStrings(Napi::Value value, const std::string& where) {
  if (!value.IsArray()) ThrowArgument(value.Env(), where, "an array of strings", value);
  Napi::Array array = value.As<Napi::Array>();
  std::vector<std::string> strings;
  for (std::uint32_t i = 0; i < array.Length(); ++i) {
    strings.push_back(RequireString(array.Get(i), where + "[" + std::to_string(i) + "]"));
    // The C interface takes zero-terminated texts and would cut this one silently.
    if (strings.back().find('\0') != std::string::npos)
      ThrowInvalid(value.Env(), where + "[" + std::to_string(i) + "] contains a NUL character.");
  }
  return strings;
}

Span<std::uint8_t> ReadTypedArray(Napi::Value value, const std::string& where) {
  if (!value.IsTypedArray()) ThrowArgument(value.Env(), where, "a typed array", value);
  napi_typedarray_type type;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &type, &length, &data, nullptr, nullptr) != napi_ok) {
    ThrowArgument(value.Env(), where, "a typed array", value);
  }
  const std::size_t bytes = data == nullptr ? 0 : length * value.As<Napi::TypedArray>().ElementSize();
  return {static_cast<std::uint8_t*>(data), bytes, value.As<Napi::Object>()};
}

StableBytes Stabilize(Napi::Env env, const Span<const std::uint8_t>& bytes, const std::string& what) {
  StableBytes stable;
  stable.data = bytes.data;
  stable.size = bytes.size;
  if (bytes.size > 0 && IsOwnedMemory(bytes.data, bytes.size)) {
    stable.owner = bytes.owner;
    return stable;
  }
  // Somebody may detach or change it while the job reads.
  stable.copy.reset(std::malloc(bytes.size == 0 ? 1 : bytes.size));
  if (stable.copy == nullptr) ThrowStatus(env, {Code::kOutOfMemory, "arguments", "Not enough memory to copy " + what + "."});
  if (bytes.size > 0) std::memcpy(stable.copy.get(), bytes.data, bytes.size);
  stable.data = stable.copy.get();
  return stable;
}

Napi::Value CopyElements(Napi::Env env, int type, const void* data, std::size_t bytes) {
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, bytes);
  if (bytes > 0) std::memcpy(buffer.Data(), data, bytes);
  return ArrayOver(env, type, bytes, buffer);
}

Napi::Value AdoptElements(Napi::Env env, int type, void* data, std::size_t bytes, void (*release)(void* hint), void* hint) {
  return ArrayOver(env, type, bytes, AdoptBuffer(env, data, bytes, release, hint));
}

}  // namespace im
