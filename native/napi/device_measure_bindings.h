#pragma once

#include <napi.h>

namespace im {

void ExportDeviceMeasure(Napi::Env env, Napi::Object exports);

}  // namespace im
