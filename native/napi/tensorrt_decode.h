// What a run has the device make of its outputs, as JavaScript says it, and what came of it (NativeDetectionRequest and
// NativeMapRequest in src/native/addon.ts).
#pragma once

#include <napi.h>

#include "tensorrt/decode.h"

namespace im {

// They hold nothing of JavaScript's.
trt::DecodeJob ReadDetectionJob(Napi::Value value);
trt::DecodeJob ReadMapJob(Napi::Value value);

// NativeDecodedPicture, NativeClassMap or values.
Napi::Value ToJavaScript(Napi::Env env, trt::Decoded&& decoded);

}  // namespace im
