// Pictures to network inputs, one pass. The grid: groups of four pixels, rows, pictures.
#include "kernels/preprocess_body.h"

extern "C" __global__ void __launch_bounds__(256) im_preprocess(const im::kernels::PreprocessArguments arguments) {
  im::kernels::PreprocessGroup(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y * blockDim.y + threadIdx.y,
                               blockIdx.z);
}
