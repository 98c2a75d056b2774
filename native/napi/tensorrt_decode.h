// What a run has the device make of its outputs, as JavaScript says it (NativeDetectionRequest in src/native/addon.ts).
#pragma once

#include <napi.h>

#include "tensorrt/decode.h"

namespace im {

// Holds nothing of JavaScript's.
trt::DecodeJob ReadDecodeJob(Napi::Value value);

}  // namespace im
