// A class or a value for every pixel of pictures. The grid: pixels, pictures.
#include "kernels/map_body.h"

extern "C" __global__ void __launch_bounds__(256) im_maps_classes(const im::kernels::MapArguments arguments) {
  im::kernels::ClassifyPixel(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(256) im_maps_values(const im::kernels::MapArguments arguments) {
  im::kernels::MeasurePixel(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}
