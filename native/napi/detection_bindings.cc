#include "detection_bindings.h"

namespace im {

void ExportDetection(Napi::Env, Napi::Object) {}

}  // namespace im
