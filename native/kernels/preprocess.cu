// Pictures to network inputs. Contrast first, where it is asked for; the grids: stripes or tiles, pictures. Then one pass or
// more; the grid: groups of four pixels, rows, pictures.
#include "kernels/contrast_body.h"
#include "kernels/preprocess_body.h"

using im::kernels::Block;
using im::kernels::ContrastArguments;
using im::kernels::ContrastShared;

extern "C" __global__ void __launch_bounds__(256) im_contrast_count(const ContrastArguments arguments) {
  __shared__ ContrastShared shared;
  im::kernels::CountStripe(Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(256) im_contrast_map(const ContrastArguments arguments) {
  __shared__ ContrastShared shared;
  im::kernels::MapValues(Block(), arguments, blockIdx.x, shared);
}

extern "C" __global__ void __launch_bounds__(256) im_contrast_tiles(const ContrastArguments arguments) {
  __shared__ ContrastShared shared;
  im::kernels::MapTile(Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(256) im_contrast_levels(const ContrastArguments arguments) {
  __shared__ ContrastShared shared;
  im::kernels::LevelStripe(Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(256) im_contrast_rescale(const ContrastArguments arguments) {
  __shared__ ContrastShared shared;
  im::kernels::RescaleStripe(Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(256) im_preprocess(const im::kernels::PreprocessArguments arguments) {
  im::kernels::PreprocessGroup(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y * blockDim.y + threadIdx.y,
                               blockIdx.z);
}
