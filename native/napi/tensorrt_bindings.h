#pragma once

#include <napi.h>

namespace im {

void ExportTensorRt(Napi::Env env, Napi::Object exports);

}  // namespace im
