#pragma once

#include <napi.h>

namespace im {

void ExportDetection(Napi::Env env, Napi::Object exports);

}  // namespace im
