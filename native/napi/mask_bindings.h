#pragma once

#include <napi.h>

namespace im {

void ExportMasks(Napi::Env env, Napi::Object exports);

}  // namespace im
