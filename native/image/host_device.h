// Marks functions that the CPU executor and the CUDA kernels share, so that both compute the same bits.
#pragma once

#if defined(__CUDACC__)
#define IM_HOST_DEVICE __host__ __device__ inline
#else
#define IM_HOST_DEVICE inline
#endif

// Before a loop. nvcc: spell it out, so that small arrays stay in registers; or leave it a loop, so that the text stays small.
#if defined(__CUDACC__)
#define IM_UNROLL _Pragma("unroll")
#define IM_KEEP_LOOP _Pragma("unroll 1")
#else
#define IM_UNROLL
#define IM_KEEP_LOOP
#endif
