#pragma once

#include <napi.h>

namespace im {

void ExportMaps(Napi::Env env, Napi::Object exports);

}  // namespace im
