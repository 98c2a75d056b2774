// Marks functions that the CPU executor and the CUDA kernels share, so that both compute the same bits.
#pragma once

#if defined(__CUDACC__)
#define IM_HOST_DEVICE __host__ __device__ inline
#else
#define IM_HOST_DEVICE inline
#endif
