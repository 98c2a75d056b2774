// For tests of what the detection kernels find, on the stand-in driver or a real one.
#pragma once

#include <cstring>
#include <memory>
#include <vector>

#include "detection/key_points.h"
#include "fakes/cuda_fixture.h"
#include "fakes/halves.h"
#include "kernels/detector.h"

namespace im::kernels {

// Comparable to the bit, in which NaN equals itself.
inline std::vector<std::uint32_t> Bits(const detection::Detections& detections) {
  std::vector<std::uint32_t> bits;
  for (std::size_t i = 0; i < detections.size(); ++i) {
    const detection::Box& box = detections.boxes[i];
    for (const float value : {box.x1, box.y1, box.x2, box.y2, detections.scores[i]}) {
      bits.emplace_back();
      std::memcpy(&bits.back(), &value, sizeof value);
    }
    bits.push_back(static_cast<std::uint32_t>(detections.class_ids[i]));
    bits.push_back(static_cast<std::uint32_t>(detections.indices[i]));
  }
  return bits;
}

inline std::vector<std::uint32_t> Bits(const detection::KeyPoints& key_points) {
  std::vector<std::uint32_t> bits;
  for (const std::vector<float>* numbers : {&key_points.positions, &key_points.confidence, &key_points.covariance}) {
    bits.push_back(static_cast<std::uint32_t>(numbers->size()));
    for (const float value : *numbers) {
      bits.emplace_back();
      std::memcpy(&bits.back(), &value, sizeof value);
    }
  }
  return bits;
}

class DetectorFixture : public cuda::FakeDriverTest {
 protected:
  struct Bench {
    std::shared_ptr<const cuda::Resources> resources;
    std::shared_ptr<const DetectionKernels> kernels;
    std::unique_ptr<cuda::Stream> stream;

    ~Bench() {
      if (stream == nullptr) return;
      (void)stream->Synchronize();
      resources->memory->Forget(stream->get());
    }

    Status Open() {
      const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
      if (!driver.ok()) return driver.status();
      const Result<std::shared_ptr<const cuda::Resources>> opened = cuda::Resources::Open(driver.value(), 0);
      if (!opened.ok()) return opened.status();
      resources = opened.value();
      const Result<std::shared_ptr<const DetectionKernels>> loaded = DetectionKernels::Load(resources->device);
      if (!loaded.ok()) return loaded.status();
      kernels = loaded.value();
      Result<cuda::Stream> made = cuda::Stream::Create(resources->device);
      if (!made.ok()) return made.status();
      stream = std::make_unique<cuda::Stream>(std::move(made.value()));
      return {};
    }

    template <typename Element>
    Result<cuda::DeviceBuffer> Upload(const std::vector<Element>& values) const {
      const std::size_t bytes = values.size() * sizeof(Element);
      Result<cuda::DeviceBuffer> memory = resources->memory->Allocate(bytes, stream->get());
      if (!memory.ok()) return memory.status();
      if (values.empty()) return memory;
      const cuda::Device& device = *resources->device;
      IM_RETURN_IF_ERROR(
          device.Check(device.table().cuMemcpyHtoDAsync_v2(memory.value().address(), values.data(), bytes, stream->get()),
                       "cuMemcpyHtoDAsync"));
      return memory;
    }

    // Runs what was prepared and waits for it.
    Status Finish(const Detector& detector, std::vector<detection::Detections>& found) const {
      const Status enqueued = detector.Enqueue();
      const Status waited = stream->Synchronize();
      if (!enqueued.ok()) return enqueued;
      IM_RETURN_IF_ERROR(waited);
      found = detector.Results();
      return {};
    }
  };
};

}  // namespace im::kernels
