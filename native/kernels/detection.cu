// Heads with a score per class for every candidate, to the boxes that stay. The grids: candidates, pictures; or just pictures.
#include "kernels/detection_body.h"

extern "C" __global__ void __launch_bounds__(128) im_detection_gather(const im::kernels::DetectionArguments arguments) {
  im::kernels::GatherCandidate(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(128) im_detection_rank(const im::kernels::DetectionArguments arguments) {
  im::kernels::RankCandidate(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(256) im_detection_suppress(const im::kernels::DetectionArguments arguments) {
  __shared__ im::kernels::SuppressShared shared;
  im::kernels::SuppressPicture(im::kernels::Block(), arguments, blockIdx.x, shared);
}
