#include "arguments.h"

#include <cmath>

namespace im {
namespace {

std::string Describe(Napi::Value value) {
  switch (value.Type()) {
    case napi_undefined: return "undefined";
    case napi_null: return "null";
    case napi_boolean: return value.As<Napi::Boolean>().Value() ? "true" : "false";
    case napi_number: return value.ToString().Utf8Value();
    case napi_string: {
      std::string text = value.As<Napi::String>().Utf8Value();
      return "\"" + (text.size() > 40 ? text.substr(0, 40) + "..." : text) + "\"";
    }
    case napi_symbol: return "a symbol";
    case napi_function: return "a function";
    case napi_bigint: return "a bigint";
    default: return value.IsArray() ? "an array" : value.IsTypedArray() ? "a typed array of another type" : "an object";
  }
}

template <typename T>
Span<T> TypedArraySpan(Napi::Value value, const std::string& name, napi_typedarray_type type, const char* expected) {
  if (!value.IsTypedArray()) ThrowArgument(value.Env(), name, expected, value);
  napi_typedarray_type actual;
  std::size_t length = 0;
  void* data = nullptr;
  if (napi_get_typedarray_info(value.Env(), value, &actual, &length, &data, nullptr, nullptr) != napi_ok || actual != type) {
    ThrowArgument(value.Env(), name, expected, value);
  }
  if (data == nullptr) length = 0;
  return {static_cast<T*>(data), length, value.As<Napi::Object>()};
}

}  // namespace

void ThrowArgument(Napi::Env env, const std::string& name, const std::string& expected, Napi::Value received) {
  Napi::TypeError error =
      Napi::TypeError::New(env, "Expected " + expected + " for " + name + " but received " + Describe(received) + ".");
  error.Value().Set("nativeCode", "invalid-argument");
  error.Value().Set("stage", "arguments");
  throw error;
}

Napi::Object RequireObject(Napi::Value value, const std::string& name) {
  if (!value.IsObject() || value.IsFunction()) ThrowArgument(value.Env(), name, "an object", value);
  return value.As<Napi::Object>();
}

std::string RequireString(Napi::Value value, const std::string& name) {
  if (!value.IsString()) ThrowArgument(value.Env(), name, "a string", value);
  return value.As<Napi::String>().Utf8Value();
}

bool RequireBoolean(Napi::Value value, const std::string& name) {
  if (!value.IsBoolean()) ThrowArgument(value.Env(), name, "a boolean", value);
  return value.As<Napi::Boolean>().Value();
}

double RequireNumber(Napi::Value value, const std::string& name) {
  if (!value.IsNumber() || !std::isfinite(value.As<Napi::Number>().DoubleValue()))
    ThrowArgument(value.Env(), name, "a finite number", value);
  return value.As<Napi::Number>().DoubleValue();
}

std::int64_t RequireInteger(Napi::Value value, const std::string& name, std::int64_t minimum, std::int64_t maximum) {
  const double number = value.IsNumber() ? value.As<Napi::Number>().DoubleValue() : std::nan("");
  if (!(number >= static_cast<double>(minimum) && number <= static_cast<double>(maximum)) || number != std::floor(number)) {
    ThrowArgument(value.Env(), name, "an integer between " + std::to_string(minimum) + " and " + std::to_string(maximum), value);
  }
  return static_cast<std::int64_t>(number);
}

std::size_t RequireOneOf(Napi::Value value, const std::string& name, const std::vector<const char*>& allowed) {
  std::string expected = "one of";
  const std::string text = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (value.IsString() && text == allowed[i]) return i;
    expected += std::string(i == 0 ? " \"" : ", \"") + allowed[i] + "\"";
  }
  ThrowArgument(value.Env(), name, expected, value);
}

Span<const std::uint8_t> RequireUint8Array(Napi::Value value, const std::string& name) {
  return TypedArraySpan<const std::uint8_t>(value, name, napi_uint8_array, "a Uint8Array");
}

Span<float> RequireFloat32Array(Napi::Value value, const std::string& name) {
  return TypedArraySpan<float>(value, name, napi_float32_array, "a Float32Array");
}

Span<const std::int32_t> RequireInt32Array(Napi::Value value, const std::string& name) {
  return TypedArraySpan<const std::int32_t>(value, name, napi_int32_array, "an Int32Array");
}

Napi::Value Field(Napi::Object object, const char* key) { return object.Get(key); }

}  // namespace im
