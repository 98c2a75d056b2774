#pragma once

#include <napi.h>

namespace im {

void ExportDevicePreprocess(Napi::Env env, Napi::Object exports);

}  // namespace im
