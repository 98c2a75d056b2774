// Pictures and what to do with them, as JavaScript passes them (NativeImageDescription and PreprocessSteps in
// src/native/addon.ts).
#pragma once

#include <napi.h>

#include <cstddef>

#include "image/steps.h"
#include "kernels/preprocess_job.h"
#include "tensor_values.h"

namespace im {

// All but the pixels. Nothing says yet that picture and steps belong together: Validate does.
Image ReadImage(Napi::Value value);
PreprocessSteps ReadSteps(Napi::Value value);

// A picture that stays as it is while a job on another thread reads it. The caller holds `owner`, or `copy` where there is one.
struct StablePicture {
  kernels::Picture picture;
  HostMemory copy;
  Napi::Object owner;
};
// Validated. `image.borrowed` says whether somebody else may change the pixels.
StablePicture ReadPicture(Napi::Value pixels, Napi::Value image, Napi::Value steps);

void RequireLength(Napi::Env env, const char* name, std::size_t expected, const char* unit, std::size_t received);

}  // namespace im
