// How long the device takes for work, by its own clock.
#pragma once

#include <vector>

#include "base/status.h"
#include "cuda/device.h"

namespace im::kernels {

struct Rounds {
  int count = 1;
  int together = 1;
};

// Microseconds that one `enqueue()` takes, once per round. It is captured `together` times in one graph, so that what the host
// takes for launching does not count; a first round warms up and is left out.
template <typename Enqueue>
Result<std::vector<double>> MeasureMicroseconds(const cuda::Stream& stream, const Rounds& rounds, Enqueue enqueue) {
  const Result<cuda::Graph> graph = cuda::Graph::Capture(stream, [&]() -> Status {
    for (int i = 0; i < rounds.together; ++i) IM_RETURN_IF_ERROR(enqueue());
    return {};
  });
  if (!graph.ok()) return graph.status();
  const Result<cuda::Event> start = cuda::Event::CreateTimed(stream.device());
  if (!start.ok()) return start.status();
  const Result<cuda::Event> end = cuda::Event::CreateTimed(stream.device());
  if (!end.ok()) return end.status();
  std::vector<double> microseconds;
  for (int round = -1; round < rounds.count; ++round) {
    IM_RETURN_IF_ERROR(start.value().Record(stream));
    IM_RETURN_IF_ERROR(graph.value().Launch(stream));
    IM_RETURN_IF_ERROR(end.value().Record(stream));
    IM_RETURN_IF_ERROR(end.value().Wait());
    const Result<float> milliseconds = end.value().MillisecondsSince(start.value());
    if (!milliseconds.ok()) return milliseconds.status();
    if (round >= 0) microseconds.push_back(static_cast<double>(milliseconds.value()) * 1000.0 / rounds.together);
  }
  return microseconds;
}

}  // namespace im::kernels
