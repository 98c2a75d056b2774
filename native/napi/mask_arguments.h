// Masks as JavaScript asks for them: NativeMaskHead, NativeMaskSelection and NativeMaskTarget of src/native/addon.ts.
#pragma once

#include <napi.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "../masks/decode.h"
#include "arguments.h"

namespace im {

masks::MaskTarget ReadMaskTarget(Napi::Value value, const std::string& name);

// The arrays of a head in memory of our own.
struct MaskArrays {
  std::vector<float> planes;
  std::vector<float> coefficients;
};

struct MaskArguments {
  masks::MaskHead head;
  std::size_t candidates = 0;  // rows of the coefficients
  masks::MaskSelection selection;
  // Whether the masks end at the boxes of the selection, also when it has no instance.
  bool cut = false;
  masks::MaskTarget target;
  std::vector<Span<float>> arrays;  // what the head lies in; for this turn of JavaScript only

  // Everything has been checked, and no JavaScript runs between taking pointers and returning.
  static MaskArguments Read(Napi::Value head, Napi::Value selection, Napi::Value target);
  // Has the head lie in a copy, for which there may be no memory (std::bad_alloc): one matrix column after the other.
  std::shared_ptr<const MaskArrays> CopyArrays();
};

}  // namespace im
