// The package's kernels on the host, by name.
#pragma once

#include <cstddef>
#include <cstdint>

// Host memory behind an address of the device, null when there is none.
using HostAddress = void* (*)(std::uint64_t address);

struct KernelTwin {
  const char* name;
  // Whether all addresses were good.
  bool (*run)(void** parameters, const unsigned grid[3], const unsigned block[3]);
  std::size_t parameter_bytes;  // of the only parameter
};

// Null when there is none of this name.
const KernelTwin* FindKernelTwin(const char* name, HostAddress host);
