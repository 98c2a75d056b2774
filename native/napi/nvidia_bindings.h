#pragma once

#include <napi.h>

namespace im {

void ExportNvidia(Napi::Env env, Napi::Object exports);

}  // namespace im
