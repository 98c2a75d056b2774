#pragma once

#include <napi.h>

namespace im {

void ExportOnnxRuntime(Napi::Env env, Napi::Object exports);

}  // namespace im
