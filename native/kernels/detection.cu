// Heads with a score per class for every candidate, or for every query, to the boxes that stay; rows that the network has chosen
// to those that pass. The grids: candidates or pairs, pictures; or just pictures.
#include "kernels/detection_body.h"
#include "kernels/queries_body.h"
#include "kernels/rows_body.h"

extern "C" __global__ void __launch_bounds__(128) im_detection_gather(const im::kernels::DetectionArguments arguments) {
  __shared__ im::kernels::CandidatesShared shared;
  im::kernels::GatherCandidates(im::kernels::Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(128) im_detection_rank(const im::kernels::DetectionArguments arguments) {
  im::kernels::RankCandidate(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(256) im_detection_suppress(const im::kernels::DetectionArguments arguments) {
  __shared__ im::kernels::SuppressShared shared;
  im::kernels::SuppressPicture(im::kernels::Block(), arguments, blockIdx.x, shared);
}

extern "C" __global__ void __launch_bounds__(128) im_queries_gather(const im::kernels::QueriesArguments arguments) {
  __shared__ im::kernels::PairsShared shared;
  im::kernels::GatherPairs(im::kernels::Block(), arguments, blockIdx.x, blockIdx.y, shared);
}

extern "C" __global__ void __launch_bounds__(128) im_queries_place(const im::kernels::QueriesArguments arguments) {
  im::kernels::PlacePair(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(256) im_rows_filter(const im::kernels::RowsArguments arguments) {
  __shared__ im::kernels::RowsShared shared;
  im::kernels::FilterPicture(im::kernels::Block(), arguments, blockIdx.x, shared);
}
