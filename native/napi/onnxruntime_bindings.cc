#include "onnxruntime_bindings.h"

namespace im {

void ExportOnnxRuntime(Napi::Env, Napi::Object) {}

}  // namespace im
