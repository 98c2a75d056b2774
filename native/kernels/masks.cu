// Masks of the instances that were found, as runs. What each kernel does stands in masks_body.h.
#include "kernels/mask_runs_body.h"
#include "kernels/masks_body.h"

using im::kernels::Block;
using im::kernels::MaskArguments;

// The grid: instances, pictures.
extern "C" __global__ void __launch_bounds__(128) im_masks_region(const MaskArguments arguments) {
  im::kernels::PlaceMask(arguments, blockIdx.x * blockDim.x + threadIdx.x, blockIdx.y);
}

extern "C" __global__ void __launch_bounds__(256) im_masks_arrange(const MaskArguments arguments) {
  __shared__ im::kernels::ArrangeShared shared;
  im::kernels::ArrangeMasks(Block(), arguments, shared);
}

// The grid: tiles of cells, groups of instances, pictures.
extern "C" __global__ void __launch_bounds__(128) im_masks_cells(const MaskArguments arguments) {
  __shared__ im::kernels::MaskCellsShared shared;
  im::kernels::ComputeMaskCells<float>(Block(), arguments, blockIdx.x, blockIdx.y, gridDim.y, blockIdx.z, shared);
}

// The same of planes in float16: one kernel for both would take more registers.
extern "C" __global__ void __launch_bounds__(128) im_masks_cells_half(const MaskArguments arguments) {
  __shared__ im::kernels::MaskCellsShared shared;
  im::kernels::ComputeMaskCells<im::kernels::Half>(Block(), arguments, blockIdx.x, blockIdx.y, gridDim.y, blockIdx.z, shared);
}

extern "C" __global__ void __launch_bounds__(128) im_masks_count(const MaskArguments arguments) {
  __shared__ im::kernels::SumsShared<im::kernels::kMaskBlock> shared;
  im::kernels::CountMaskRuns(Block(), arguments, blockIdx.x, gridDim.x, shared);
}

extern "C" __global__ void __launch_bounds__(256) im_masks_sum(const MaskArguments arguments) {
  __shared__ im::kernels::SumsShared<im::kernels::kMaskSumBlock> shared;
  im::kernels::SumMaskRuns(Block(), arguments, shared);
}

extern "C" __global__ void __launch_bounds__(128) im_masks_write(const MaskArguments arguments) {
  im::kernels::WriteMaskRuns(arguments, blockIdx.x, gridDim.x, static_cast<int>(threadIdx.x));
}

extern "C" __global__ void __launch_bounds__(256) im_masks_runs(const MaskArguments arguments) {
  im::kernels::WriteRunLengths(arguments, blockIdx.x * blockDim.x + threadIdx.x, gridDim.x * blockDim.x);
}
