// Pictures and what to do with them, as JavaScript passes them (NativeImageDescription and PreprocessSteps in src/native/addon.ts).
#pragma once

#include <napi.h>

#include <cstddef>

#include "image/steps.h"

namespace im {

// All but the pixels. Nothing says yet that picture and steps belong together: Validate does.
Image ReadImage(Napi::Value value);
PreprocessSteps ReadSteps(Napi::Value value);

void RequireLength(Napi::Env env, const char* name, std::size_t expected, const char* unit, std::size_t received);

}  // namespace im
