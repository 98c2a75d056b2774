// Batches of masks at random, on the host as the CPU makes them and on the device.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "fakes/cuda_fixture.h"
#include "fakes/halves.h"
#include "kernels/mask_assembler.h"
#include "masks/decode.h"

namespace im::kernels {

using masks::MaskRuns;
using masks::MaskTarget;

// Prototypes and coefficients of a batch, or planes, with the instances that are to have masks.
struct Batch {
  std::size_t pictures = 1;
  std::size_t width = 1;
  std::size_t height = 1;
  std::size_t channels = 1;
  std::size_t candidates = 1;
  bool combined = true;
  bool cells_last = true;       // planes lie one after the other
  bool candidates_last = true;  // so do the coefficients of a channel
  bool sigmoid = false;
  std::optional<MaskCut> cut;
  std::size_t limit = 0;
  std::vector<float> planes;
  std::vector<float> coefficients;
  bool half_planes = false;  // float16 on the device
  bool half_coefficients = false;
  std::vector<std::vector<Found>> found;
  std::vector<MaskTarget> targets;

  std::size_t cells() const { return width * height; }
  detection::MatrixLayout plane_layout() const {
    return cells_last ? detection::MatrixLayout{0, 1, cells()} : detection::MatrixLayout{0, channels, 1};
  }
  detection::MatrixLayout coefficient_layout() const {
    return candidates_last ? detection::MatrixLayout{0, 1, candidates} : detection::MatrixLayout{0, channels, 1};
  }
};

inline std::vector<MaskRuns> Expected(const Batch& batch) {
  const std::vector<float> all_planes = batch.half_planes ? RoundedToHalves(batch.planes) : batch.planes;
  const std::vector<float> all_coefficients = batch.half_coefficients ? RoundedToHalves(batch.coefficients) : batch.coefficients;
  std::vector<MaskRuns> expected;
  for (std::size_t picture = 0; picture < batch.pictures; ++picture) {
    masks::MaskHead head;
    head.width = static_cast<std::int32_t>(batch.width);
    head.height = static_cast<std::int32_t>(batch.height);
    head.channels = batch.channels;
    const detection::MatrixLayout planes = batch.plane_layout();
    head.planes = {all_planes.data() + picture * batch.channels * batch.cells(), planes.candidate_stride,
                   planes.attribute_stride};
    if (batch.combined) {
      const detection::MatrixLayout rows = batch.coefficient_layout();
      head.coefficients = detection::Matrix{all_coefficients.data() + picture * batch.channels * batch.candidates,
                                            rows.candidate_stride, rows.attribute_stride};
    }
    head.sigmoid = batch.sigmoid;
    masks::MaskSelection selection;
    if (batch.cut) selection.box_scale = batch.cut->box_scale;
    for (const Found& found : batch.found[picture]) {
      selection.indices.push_back(found.candidate);
      if (batch.cut) selection.boxes.push_back(found.box);
    }
    // Without an instance there are no boxes either.
    expected.push_back(masks::DecodeMasks(head, selection, batch.targets[picture]));
  }
  return expected;
}

class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  std::size_t Below(std::size_t limit) { return engine_() % limit; }
  std::int32_t Between(std::int32_t least, std::int32_t most) {
    return least + static_cast<std::int32_t>(Below(static_cast<std::size_t>(most - least + 1)));
  }
  bool Chance(std::size_t one_in) { return Below(one_in) == 0; }
  // Coarse: many sums are equal to a threshold, or nearly.
  float Number() {
    if (Chance(400)) return (std::vector<float>{NAN, INFINITY, -INFINITY, 1e-44f, 3e38f})[Below(5)];
    return Chance(2) ? static_cast<float>(Between(-8, 8)) * 0.25f : static_cast<float>(Between(-1000, 1000)) / 250.0f;
  }

 private:
  std::mt19937 engine_;
};

inline MaskTarget RandomTarget(Random& random, const Batch& batch) {
  const auto trim = [&](std::size_t side) {
    if (random.Chance(2)) return 0;
    if (random.Chance(20)) return static_cast<std::int32_t>(side);  // nothing is left
    return random.Between(-2, static_cast<std::int32_t>(side / 4));
  };
  MaskTarget target{};
  target.trim = {trim(batch.width), trim(batch.height), trim(batch.width), trim(batch.height)};
  target.resize = {random.Between(1, 70), random.Between(1, 70)};
  if (random.Chance(8)) target.resize.width = random.Between(200, 400);  // several tiles
  target.picture = {target.resize.width, target.resize.height};
  if (random.Chance(2)) {
    // A static crop, or a part that lies beyond the picture.
    target.left = random.Between(-20, 20);
    target.top = random.Between(-20, 20);
    target.picture = {random.Between(1, 80), random.Between(1, 80)};
  }
  target.threshold = (std::vector<float>{0.0f, 0.5f, 0.25f, -0.5f, -0.0f, 0.731f})[random.Below(6)];
  return target;
}

inline Found RandomInstance(Random& random, const Batch& batch) {
  const float scale = batch.cut ? batch.cut->box_scale : 1.0f;
  const auto corner = [&](std::size_t side) {
    // In cells: halves are rounded to even; some lie at the border and beyond.
    return static_cast<float>(random.Between(-4, static_cast<std::int32_t>(2 * side) + 4)) * 0.5f / scale;
  };
  Found found{};
  found.box = {corner(batch.width), corner(batch.height), corner(batch.width), corner(batch.height)};
  if (random.Chance(2)) {
    if (found.box.x2 < found.box.x1) std::swap(found.box.x1, found.box.x2);
    if (found.box.y2 < found.box.y1) std::swap(found.box.y1, found.box.y2);
  }
  if (random.Chance(6)) {  // one pixel
    found.box.x2 = found.box.x1 + 1;
    found.box.y2 = found.box.y1 + 1;
  }
  if (random.Chance(20)) found.box.x1 = random.Chance(2) ? NAN : -INFINITY;
  if (random.Chance(20)) found.box.y2 = INFINITY;
  found.candidate = static_cast<std::int32_t>(random.Below(batch.combined ? batch.candidates : batch.channels));
  return found;
}

inline Batch RandomBatch(Random& random) {
  Batch batch;
  batch.pictures = 1 + random.Below(3);
  batch.width = 1 + random.Below(20);
  batch.height = 1 + random.Below(20);
  batch.combined = !random.Chance(3);
  batch.channels = batch.combined ? (random.Chance(2) ? 32 : 1 + random.Below(32)) : 1 + random.Below(6);
  batch.candidates = 1 + random.Below(12);
  batch.cells_last = random.Chance(2);
  batch.candidates_last = random.Chance(2);
  batch.sigmoid = random.Chance(2);
  batch.half_planes = random.Chance(3);
  batch.half_coefficients = random.Chance(3);
  if (random.Chance(2)) batch.cut = MaskCut{(std::vector<float>{0.25f, 1.0f, 0.3f})[random.Below(3)]};
  batch.limit = random.Below(50);
  batch.planes.resize(batch.pictures * batch.channels * batch.cells());
  for (float& value : batch.planes) value = random.Number();
  if (batch.combined) batch.coefficients.resize(batch.pictures * batch.channels * batch.candidates);
  // Few coefficients, so that sums stay coarse.
  for (float& value : batch.coefficients) value = random.Chance(3) ? random.Number() : 0.0f;
  for (std::size_t picture = 0; picture < batch.pictures; ++picture) {
    batch.targets.push_back(RandomTarget(random, batch));
    batch.found.emplace_back();
    for (std::size_t i = random.Chance(5) ? 0 : random.Below(batch.limit + 1); i > 0; --i) {
      batch.found.back().push_back(RandomInstance(random, batch));
    }
  }
  return batch;
}

// A device with a stream, and memory on it.
struct Bench {
  std::shared_ptr<const cuda::Resources> resources;
  std::shared_ptr<const MaskKernels> kernels;
  std::unique_ptr<cuda::Stream> stream;
  std::vector<cuda::DeviceBuffer> memory;

  ~Bench() {
    if (stream == nullptr) return;
    (void)stream->Synchronize();
    memory.clear();
    resources->memory->Forget(stream->get());
  }

  // Memory of the device with these contents.
  template <typename Value>
  Result<cuda::DeviceAddress> Upload(const std::vector<Value>& values) {
    const std::size_t bytes = std::max(std::size_t{1}, values.size()) * sizeof(Value);
    Result<cuda::DeviceBuffer> buffer = resources->memory->Allocate(bytes, stream->get());
    if (!buffer.ok()) return buffer.status();
    memory.push_back(std::move(buffer.value()));
    if (!values.empty()) {
      const cuda::Device& device = *resources->device;
      IM_RETURN_IF_ERROR(device.Check(device.table().cuMemcpyHtoDAsync_v2(memory.back().address(), values.data(),
                                                                          values.size() * sizeof(Value), stream->get()),
                                      "cuMemcpyHtoDAsync"));
    }
    return memory.back().address();
  }
};

class MaskAssemblerTest : public cuda::FakeDriverTest {
 protected:
  static Status Open(Bench& bench) {
    const Result<cuda::Driver> driver = cuda::Driver::Open(cuda::FakeDriverSearch());
    if (!driver.ok()) return driver.status();
    const Result<std::shared_ptr<const cuda::Resources>> resources = cuda::Resources::Open(driver.value(), 0);
    if (!resources.ok()) return resources.status();
    bench.resources = resources.value();
    const Result<std::shared_ptr<const MaskKernels>> kernels = MaskKernels::Load(bench.resources->device);
    if (!kernels.ok()) return kernels.status();
    bench.kernels = kernels.value();
    Result<cuda::Stream> stream = cuda::Stream::Create(bench.resources->device);
    if (!stream.ok()) return stream.status();
    bench.stream = std::make_unique<cuda::Stream>(std::move(stream.value()));
    return {};
  }

  struct OnDevice {
    DeviceMaskHead head;
    DeviceFound found;
  };

  // Heads and instances as Prepare takes them; memory lies at the addresses.
  static OnDevice Describe(const Batch& batch, cuda::DeviceAddress planes, cuda::DeviceAddress coefficients,
                           cuda::DeviceAddress found, cuda::DeviceAddress counts) {
    OnDevice on_device;
    DeviceMaskHead& head = on_device.head;
    head.width = batch.width;
    head.height = batch.height;
    head.channels = batch.channels;
    head.planes = {planes, batch.planes.size(), batch.plane_layout(), batch.channels * batch.cells(), batch.half_planes};
    if (batch.combined) {
      head.coefficients = DeviceMatrix{coefficients, batch.coefficients.size(), batch.coefficient_layout(),
                                       batch.channels * batch.candidates, batch.half_coefficients};
      head.candidates = batch.candidates;
    }
    head.sigmoid = batch.sigmoid;
    on_device.found = {found,       batch.pictures * batch.limit,
                       counts,      batch.pictures,
                       batch.limit, batch.combined ? batch.candidates : batch.channels};
    return on_device;
  }

  static Result<OnDevice> Upload(Bench& bench, const Batch& batch) {
    std::vector<Found> rows(batch.pictures * batch.limit);
    std::vector<std::int32_t> counts;
    for (std::size_t picture = 0; picture < batch.pictures; ++picture) {
      std::copy(batch.found[picture].begin(), batch.found[picture].end(),
                rows.begin() + static_cast<std::ptrdiff_t>(picture * batch.limit));
      counts.push_back(static_cast<std::int32_t>(batch.found[picture].size()));
    }
    const auto upload = [&](const std::vector<float>& values, bool half) {
      return half ? bench.Upload(ToHalves(values)) : bench.Upload(values);
    };
    const Result<cuda::DeviceAddress> planes = upload(batch.planes, batch.half_planes);
    if (!planes.ok()) return planes.status();
    const Result<cuda::DeviceAddress> coefficients = upload(batch.coefficients, batch.half_coefficients);
    if (!coefficients.ok()) return coefficients.status();
    const Result<cuda::DeviceAddress> found = bench.Upload(rows);
    if (!found.ok()) return found.status();
    const Result<cuda::DeviceAddress> counted = bench.Upload(counts);
    if (!counted.ok()) return counted.status();
    return Describe(batch, planes.value(), coefficients.value(), found.value(), counted.value());
  }

  static Status Run(Bench& bench, const Batch& batch, std::vector<PictureMasks>& masks, const MaskBudget& budget = {}) {
    bench.memory.clear();
    const Result<OnDevice> on_device = Upload(bench, batch);
    if (!on_device.ok()) return on_device.status();
    MaskAssembler assembler(bench.resources, bench.kernels, *bench.stream);
    IM_RETURN_IF_ERROR(assembler.Prepare(on_device.value().head, on_device.value().found, batch.cut, batch.targets, budget));
    const Status enqueued = assembler.Enqueue();
    const Status waited = bench.stream->Synchronize();
    if (!enqueued.ok()) return enqueued;
    IM_RETURN_IF_ERROR(waited);
    masks = assembler.Results();
    return {};
  }

  static void ExpectEqual(const std::vector<PictureMasks>& found, const std::vector<MaskRuns>& expected) {
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t picture = 0; picture < found.size(); ++picture) {
      EXPECT_TRUE(found[picture].complete);
      EXPECT_EQ(found[picture].masks.offsets, expected[picture].offsets) << "picture " << picture;
      EXPECT_EQ(found[picture].masks.runs, expected[picture].runs) << "picture " << picture;
    }
  }
};

}  // namespace im::kernels
