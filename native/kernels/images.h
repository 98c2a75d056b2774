// The kernels as this build carries them.
#pragma once

#include <vector>

namespace im::kernels {

// For cuda::Module::Load: machine code, where scripts/build-kernels.mjs has made it before the addon was compiled, then text.
// Empty where CUDA does not exist: on other systems than 64-bit Linux.
std::vector<const void*> PreprocessImages();
std::vector<const void*> DetectionImages();
std::vector<const void*> MaskImages();
std::vector<const void*> KeyPointImages();
std::vector<const void*> MapImages();

// Whether there is machine code.
bool HasMachineCode();

}  // namespace im::kernels
