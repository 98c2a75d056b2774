#pragma once

#include <napi.h>

namespace im {

void ExportTensorRtMeasure(Napi::Env env, Napi::Object exports);

}  // namespace im
