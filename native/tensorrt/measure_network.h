// How long a network takes by the device's clock, without anything around it.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "kernels/measure.h"
#include "tensorrt/binding.h"
#include "tensorrt/engine.h"

namespace im::trt {

// Microseconds of each round (kernels/measure.h): the network alone, captured, on inputs that are on the device, with outputs
// that stay there. `inputs` in the order of the engine's, with data. Refuses networks whose outputs have a size that only the
// run tells, since those cannot be captured.
Result<std::vector<double>> MeasureNetwork(const std::shared_ptr<const Engine>& engine, const std::vector<InputView>& inputs,
                                           const kernels::Rounds& rounds);

}  // namespace im::trt
