// Reading JavaScript arguments: each function either returns a checked value or throws a Napi::TypeError that names the
// argument, what was expected and what came. Nothing below native/napi ever sees an unchecked number.
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace im {

[[noreturn]] void ThrowArgument(Napi::Env env, const std::string& name, const std::string& expected, Napi::Value received);

Napi::Object RequireObject(Napi::Value value, const std::string& name);
std::string RequireString(Napi::Value value, const std::string& name);
bool RequireBoolean(Napi::Value value, const std::string& name);
// Finite.
double RequireNumber(Napi::Value value, const std::string& name);
// An integer within [minimum, maximum]; NaN, fractions and infinities are refused.
std::int64_t RequireInteger(Napi::Value value, const std::string& name, std::int64_t minimum, std::int64_t maximum);
// Index of the string in `allowed`.
std::size_t RequireOneOf(Napi::Value value, const std::string& name, const std::vector<const char*>& allowed);

// A view that exists right now: data is null for detached buffers and then the length is 0.
template <typename T>
struct Span {
  T* data = nullptr;
  std::size_t size = 0;
  Napi::Object owner;  // the typed array
};
Span<const std::uint8_t> RequireUint8Array(Napi::Value value, const std::string& name);
Span<float> RequireFloat32Array(Napi::Value value, const std::string& name);
Span<const std::int32_t> RequireInt32Array(Napi::Value value, const std::string& name);

// object[key], with "name.key" in messages.
Napi::Value Field(Napi::Object object, const char* key);

}  // namespace im
