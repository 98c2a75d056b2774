#pragma once

#include <napi.h>

namespace im {

void ExportImage(Napi::Env env, Napi::Object exports);

// Instruction set chosen for the image loops on this CPU: "avx2" or "baseline".
const char* SimdName();
}  // namespace im
