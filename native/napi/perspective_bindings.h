#pragma once

#include <napi.h>

namespace im {

void ExportPerspective(Napi::Env env, Napi::Object exports);

}  // namespace im
