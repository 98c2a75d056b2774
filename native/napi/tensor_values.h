// Tensors as JavaScript passes and gets them (NativeTensor in src/native/addon.ts).
#pragma once

#include <napi.h>

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "arguments.h"

namespace im {

// Largest integer that a JavaScript number holds exactly.
constexpr std::int64_t kMaximumDimension = (std::int64_t{1} << 53) - 1;
// Below this, copying an output is cheaper than an external buffer with its finalizer.
constexpr std::size_t kCopiedOutputBytes = 4096;

struct Free {
  void operator()(void* memory) const { std::free(memory); }
};
using HostMemory = std::unique_ptr<void, Free>;

std::vector<std::int64_t> ReadDims(Napi::Value value, const std::string& where);
std::vector<std::string> ReadStrings(Napi::Value value, const std::string& where);
// Bytes of a typed array as it is now; null data for a detached one.
Span<std::uint8_t> ReadTypedArray(Napi::Value value, const std::string& where);

// Bytes that stay as they are while a job on another thread reads them: those in memory that only the job's holder can touch,
// others in a copy. The caller holds `owner` or the copy for as long. Throws when there is no memory; `what` is for that message.
struct StableBytes {
  const void* data = nullptr;
  std::size_t size = 0;
  HostMemory copy;     // null: not copied
  Napi::Object owner;  // to be held when not copied
};
StableBytes Stabilize(Napi::Env env, const Span<const std::uint8_t>& bytes, const std::string& what);

// A typed array of elements of one of ONNX's types, with a copy of the bytes.
Napi::Value CopyElements(Napi::Env env, int type, const void* data, std::size_t bytes);
// Over memory that `release` frees once the array is collected.
Napi::Value AdoptElements(Napi::Env env, int type, void* data, std::size_t bytes, void (*release)(void* hint), void* hint);

}  // namespace im
