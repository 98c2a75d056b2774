#pragma once

#include <napi.h>

namespace im {

void ExportDeviceDecode(Napi::Env env, Napi::Object exports);

}  // namespace im
