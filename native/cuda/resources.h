// A device with its pools, as everything that runs on it shares them.
#pragma once

#include <memory>

#include "cuda/device.h"
#include "cuda/memory.h"

namespace im::cuda {

struct Resources {
  std::shared_ptr<const Device> device;
  std::shared_ptr<DevicePool> memory;
  std::shared_ptr<PinnedPool> pinned;

  static Result<std::shared_ptr<const Resources>> Open(const Driver& driver, int ordinal) {
    // Enough that steady work allocates nothing, little beside a model.
    constexpr std::size_t kKeptDeviceBytes = std::size_t{128} << 20;
    constexpr std::size_t kKeptPinnedBytes = std::size_t{64} << 20;
    Result<std::shared_ptr<const Device>> device = Device::Open(driver, ordinal);
    if (!device.ok()) return device.status();
    Result<std::shared_ptr<DevicePool>> memory = DevicePool::Create(device.value(), kKeptDeviceBytes);
    if (!memory.ok()) return memory.status();
    auto resources = std::make_shared<Resources>();
    resources->device = device.value();
    resources->memory = memory.value();
    resources->pinned = PinnedPool::Create(device.value(), kKeptPinnedBytes);
    return std::shared_ptr<const Resources>(std::move(resources));
  }
};

}  // namespace im::cuda
