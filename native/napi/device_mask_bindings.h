#pragma once

#include <napi.h>

namespace im {

void ExportDeviceMasks(Napi::Env env, Napi::Object exports);

}  // namespace im
