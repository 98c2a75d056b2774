// For engines whose outputs the device decodes, on the stand-ins: TensorRT's returns its input, so a head is what was put in.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fakes/detector_fixture.h"
#include "fakes/tensorrt_fixture.h"
#include "tensorrt/executor.h"

namespace im::trt {

class DecodeFixture : public FakeTensorRtTest {
 protected:
  Result<std::unique_ptr<Executor>> MakeExecutor(const char* lines, bool with_kernels = true) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), 0);
    if (!resources.ok()) return resources.status();
    const Release& release = GetParam();
    const std::string plan = FakePlan(release.major, release.minor, release.patch, 1, lines);
    const Result<std::shared_ptr<const Engine>> engine = Engine::Load(*library_, resources.value(), plan.data(), plan.size(), {});
    if (!engine.ok()) return engine.status();
    ExecutorOptions options;
    if (with_kernels) {
      Result<std::shared_ptr<const DecodingKernels>> kernels = DecodingKernels::Load(resources.value()->device);
      if (!kernels.ok()) return kernels.status();
      options.kernels.decoding = std::move(kernels.value());
    }
    return Executor::Create(engine.value(), options);
  }

  static InputView View(const std::vector<float>& values, Shape shape) {
    return {values.data(), values.size() * sizeof(float), std::move(shape), nullptr};
  }

  // Not found is not right either.
  static Status Check(const std::vector<Decoded>& found, const std::vector<detection::Detections>& expected) {
    bool same = found.size() == expected.size();
    for (std::size_t i = 0; same && i < found.size(); ++i)
      same = kernels::Bits(found[i].detections) == kernels::Bits(expected[i]);
    return same ? Status() : Status(Code::kRuntime, "test", "wrong detections");
  }
};

}  // namespace im::trt
