#include "measure_network.h"

#include <cstring>
#include <string>
#include <utility>

#include "base/elements.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.measure";

Status Check(const Engine& engine, const std::vector<InputView>& inputs) {
  if (inputs.size() != engine.inputs().size()) {
    return InvalidArgument(kStage, "The engine has " + std::to_string(engine.inputs().size()) + " inputs, received " +
                                       std::to_string(inputs.size()) + ".");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = engine.inputs()[i];
    const std::optional<std::size_t> count = ElementCount(inputs[i].shape);
    if (inputs[i].shape.size() != tensor.shape.size() || !count || *count * ElementSize(tensor.type) != inputs[i].bytes) {
      return InvalidArgument(kStage, "Input \"" + tensor.name + "\" " + ShapeText(tensor.shape) + " of " +
                                         ElementName(tensor.type) + " received " + std::to_string(inputs[i].bytes) +
                                         " bytes for the shape " + ShapeText(inputs[i].shape) + ".");
    }
  }
  return {};
}

// Everything that has to be gone before the stream is.
class Bench {
 public:
  Bench(const std::shared_ptr<const Engine>& engine, const cuda::Stream& stream) : engine_(engine), stream_(stream) {}
  ~Bench() { (void)stream_.Synchronize(); }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Status Prepare(const std::vector<InputView>& inputs) {
    const cuda::Resources& resources = *engine_->resources();
    Result<cuda::DeviceBuffer> scratch =
        resources.memory->Allocate(static_cast<std::size_t>(engine_->description().scratch_bytes), stream_.get());
    if (!scratch.ok()) return scratch.status();
    scratch_ = std::move(scratch.value());
    Result<std::shared_ptr<const DeviceStore>> store = DeviceStore::Create(engine_->resources());
    if (!store.ok()) return store.status();
    std::vector<InputView> residents;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      IM_RETURN_IF_ERROR(Upload(engine_->inputs()[i].type, inputs[i], store.value()));
      residents.push_back({nullptr, inputs[i].bytes, inputs[i].shape, nullptr, residents_.back().get()});
    }
    Result<std::unique_ptr<Binding>> binding = Binding::Create(engine_, stream_, {scratch_.address(), nullptr}, {}, journal_);
    if (!binding.ok()) return binding.status();
    binding_ = std::move(binding.value());
    IM_RETURN_IF_ERROR(binding_->Configure(residents));
    if (!binding_->is_static())
      return InvalidArgument(kStage, "The network's outputs have a size that only a run tells, so it cannot be captured.");
    IM_RETURN_IF_ERROR(binding_->Fill(residents, nullptr, std::vector<OutputUse>(engine_->outputs().size(), OutputUse::kIgnore)));
    // TensorRT wants one plain run before it can be captured.
    IM_RETURN_IF_ERROR(binding_->Enqueue());
    return stream_.Synchronize();
  }

  Result<std::vector<double>> Measure(const kernels::Rounds& rounds) const {
    return kernels::MeasureMicroseconds(stream_, rounds, [&] { return binding_->Enqueue(); });
  }

 private:
  Status Upload(int type, const InputView& input, const std::shared_ptr<const DeviceStore>& store) {
    const cuda::Device& device = *engine_->resources()->device;
    Result<cuda::DeviceBuffer> memory = store->Allocate(input.bytes, stream_);
    if (!memory.ok()) return memory.status();
    const cuda::DeviceAddress address = memory.value().address();
    residents_.push_back(std::make_unique<DeviceTensor>(store, std::move(memory.value()), type, input.shape, input.bytes));
    if (input.bytes == 0) return {};
    Result<cuda::PinnedBuffer> staging = engine_->resources()->pinned->Allocate(input.bytes);
    if (!staging.ok()) return staging.status();
    std::memcpy(staging.value().data(), input.data, input.bytes);
    staging_.push_back(std::move(staging.value()));
    return device.Check(device.table().cuMemcpyHtoDAsync_v2(address, staging_.back().data(), input.bytes, stream_.get()),
                        "cuMemcpyHtoDAsync");
  }

  const std::shared_ptr<const Engine> engine_;
  const cuda::Stream& stream_;
  Journal journal_;
  cuda::DeviceBuffer scratch_;
  std::vector<cuda::PinnedBuffer> staging_;
  std::vector<std::unique_ptr<const DeviceTensor>> residents_;
  std::unique_ptr<Binding> binding_;
};

}  // namespace

Result<std::vector<double>> MeasureNetwork(const std::shared_ptr<const Engine>& engine, const std::vector<InputView>& inputs,
                                           const kernels::Rounds& rounds) {
  IM_RETURN_IF_ERROR(Check(*engine, inputs));
  const cuda::Resources& resources = *engine->resources();
  IM_RETURN_IF_ERROR(resources.device->MakeCurrent());
  const Result<cuda::Stream> stream = cuda::Stream::Create(resources.device);
  if (!stream.ok()) return stream.status();
  const Result<std::vector<double>> measured = [&]() -> Result<std::vector<double>> {
    Bench bench(engine, stream.value());
    IM_RETURN_IF_ERROR(bench.Prepare(inputs));
    return bench.Measure(rounds);
  }();
  // What was freed in the stream's order is given back before the stream is.
  (void)stream.value().Synchronize();
  resources.memory->Forget(stream.value().get());
  return measured;
}

}  // namespace im::trt
