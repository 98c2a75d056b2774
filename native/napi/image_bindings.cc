#include "image_bindings.h"

namespace im {

void ExportImage(Napi::Env, Napi::Object) {}

const char* SimdName() { return "baseline"; }
}  // namespace im
