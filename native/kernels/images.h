// The kernels as this build carries them.
#pragma once

#include <vector>

namespace im::kernels {

// For cuda::Module::Load: machine code, where scripts/build-kernels.mjs has made it before the addon was compiled, then text. Empty
// on systems that CUDA does not exist for.
std::vector<const void*> PreprocessImages();
std::vector<const void*> DetectionImages();

// Whether there is machine code.
bool HasMachineCode();

}  // namespace im::kernels
