// decodeMasks of src/native/addon.ts. Always on a compute thread unless nothing is selected: enlarging a mask takes longer than
// the way there. Planes in the caller's memory are copied first.
#include "mask_bindings.h"

#include <memory>
#include <new>
#include <utility>

#include "decoding.h"
#include "environment.h"
#include "mask_arguments.h"

namespace im {
namespace {

Napi::Value DecodeMasks(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  MaskArguments arguments = MaskArguments::Read(info[0], info[1], info[2]);
  const auto decode = [&arguments](std::shared_ptr<const MaskArrays> memory) {
    return [head = arguments.head, selection = std::move(arguments.selection), target = arguments.target,
            memory = std::move(memory)] { return masks::DecodeMasks(head, selection, target); };
  };
  if (arguments.selection.indices.empty()) return RunHere<masks::MaskRuns>(env, decode(nullptr));
  if (AllOwned(arguments.arrays)) return RunElsewhere<masks::MaskRuns>(env, decode(nullptr), Owners(arguments.arrays));
  std::shared_ptr<const MaskArrays> memory;
  try {
    memory = arguments.CopyArrays();
  } catch (const std::bad_alloc&) {
    throw MakeError(env, {Code::kOutOfMemory, "decode", "Not enough memory for a copy of the mask prototypes."});
  }
  return RunElsewhere<masks::MaskRuns>(env, decode(std::move(memory)));
}

}  // namespace

void ExportMasks(Napi::Env env, Napi::Object exports) {
  exports.Set("decodeMasks", Napi::Function::New(env, DecodeMasks, "decodeMasks"));
}

}  // namespace im
