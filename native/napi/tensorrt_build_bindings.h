// buildTensorRtEngine and what goes with it (src/native/addon.ts).
#pragma once

#include <napi.h>

namespace im {

void ExportTensorRtBuild(Napi::Env env, Napi::Object exports);

}  // namespace im
