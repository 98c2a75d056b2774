// Key points of what was found, and queries with key points. What each kernel does stands in the two headers. The grids: points
// or pairs, pictures.
#include "kernels/key_point_queries_body.h"
#include "kernels/key_points_body.h"

using im::kernels::KeyPointQueriesArguments;

extern "C" __global__ void __launch_bounds__(128) im_key_points_copy(const im::kernels::KeyPointArguments arguments) {
  im::kernels::CopyKeyPoints(arguments, blockIdx.x * blockDim.x + threadIdx.x, gridDim.x * blockDim.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(128) im_key_point_queries_weigh(const KeyPointQueriesArguments arguments) {
  im::kernels::WeighPoint(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(128) im_key_point_queries_gather(const KeyPointQueriesArguments arguments) {
  __shared__ im::kernels::PairsShared shared;
  im::kernels::GatherKeyPointPairs(im::kernels::Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(128) im_key_point_queries_place(const KeyPointQueriesArguments arguments) {
  im::kernels::PlaceKeyPointPair(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(128) im_key_point_queries_write(const KeyPointQueriesArguments arguments) {
  im::kernels::WriteKeyPoints(arguments, blockIdx.x * blockDim.x + threadIdx.x, gridDim.x * blockDim.x, blockIdx.y);
}
