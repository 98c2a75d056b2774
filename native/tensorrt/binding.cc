#include "binding.h"

#include <cstring>

#include "base/elements.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.run";

Status CopyOnDevice(cuda::DeviceAddress to, cuda::DeviceAddress from, std::size_t bytes, const cuda::Stream& stream) {
  if (bytes == 0) return {};
  const cuda::Device& device = *stream.device();
  return device.Check(device.table().cuMemcpyDtoDAsync_v2(to, from, bytes, stream.get()), "cuMemcpyDtoDAsync");
}

CudaStream* AsTensorRtStream(const cuda::Stream& stream) { return reinterpret_cast<CudaStream*>(stream.get()); }

}  // namespace

Result<std::unique_ptr<Binding>> Binding::Create(std::shared_ptr<const Engine> engine, const cuda::Stream& stream,
                                                 SharedMemory shared, DeviceKernels kernels, Journal& journal) {
  std::unique_ptr<Binding> binding(new Binding(std::move(engine), stream, std::move(shared), std::move(kernels), journal));
  Result<Owned<ExecutionContextObject>> context = binding->engine_->CreateContext(AsTensorRtStream(stream), journal);
  if (!context.ok()) return context.status();
  binding->context_ = std::move(context.value());
  const Caller& caller = binding->engine_->caller();
  void* memory = reinterpret_cast<void*>(static_cast<std::uintptr_t>(binding->shared_.scratch));
  const auto bytes = static_cast<std::int64_t>(binding->engine_->description().scratch_bytes);
  if (caller.Has<method::ExecutionContext_setDeviceMemoryV2>()) {
    caller.Call<method::ExecutionContext_setDeviceMemoryV2>(binding->context_.get(), memory, bytes);
  } else {
    caller.Call<method::ExecutionContext_setDeviceMemory>(binding->context_.get(), memory);
  }
  binding->inputs_.resize(binding->engine_->inputs().size());
  binding->outputs_.resize(binding->engine_->outputs().size());
  return binding;
}

Binding::~Binding() { (void)engine_->resources()->device->MakeCurrent(); }

Status Binding::Configure(const std::vector<InputView>& inputs) {
  bool same = configured_;
  for (std::size_t i = 0; same && i < inputs.size(); ++i) same = inputs[i].shape == inputs_[i].shape;
  if (same) return {};
  configured_ = false;  // until all of it has succeeded
  IM_RETURN_IF_ERROR(SetShapes(inputs));
  growing_.clear();
  for (std::size_t i = 0; i < outputs_.size(); ++i) IM_RETURN_IF_ERROR(PrepareOutput(i));
  configured_ = true;
  return {};
}

Status Binding::SetShapes(const std::vector<InputView>& inputs) {
  const Caller& caller = engine_->caller();
  (void)TakeThreadLog();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Tensor& tensor = engine_->inputs()[i];
    const Dims dims = ToDims(inputs[i].shape);
    if (!caller.Call<method::ExecutionContext_setInputShape>(context_.get(), tensor.name.c_str(), &dims)) {
      return journal_.Failure(kStage, "The shape of input \"" + tensor.name + "\" was refused.", "setInputShape");
    }
    Side& side = inputs_[i];
    IM_RETURN_IF_ERROR(ReserveDevice(side, inputs[i].bytes));
    side.shape = inputs[i].shape;
    IM_RETURN_IF_ERROR(SetAddress(tensor, side.device.address()));
  }
  if (caller.Call<method::ExecutionContext_inferShapes>(context_.get(), 0, nullptr) != 0) {
    return journal_.Failure(kStage, "The shapes of the outputs cannot be told from those of the inputs.", "inferShapes");
  }
  return {};
}

Status Binding::PrepareOutput(std::size_t index) {
  const Caller& caller = engine_->caller();
  const Tensor& tensor = engine_->outputs()[index];
  Side& side = outputs_[index];
  const Dims dims = caller.Call<method::ExecutionContext_getTensorShape>(context_.get(), tensor.name.c_str());
  if (dims.rank < 0 || dims.rank > kMaximumRank) {
    return journal_.Failure(kStage, "The shape of output \"" + tensor.name + "\" cannot be read.", "getTensorShape");
  }
  side.shape.assign(dims.sizes, dims.sizes + dims.rank);
  OutputAllocator* allocator = nullptr;
  const std::optional<std::size_t> count = ElementCount(side.shape);
  if (count) {
    IM_RETURN_IF_ERROR(ReserveDevice(side, *count * ElementSize(tensor.type)));
    IM_RETURN_IF_ERROR(SetAddress(tensor, side.device.address()));
  } else {
    side.device = cuda::DeviceBuffer();
    growing_.push_back({index, std::make_unique<GrowingOutput>(engine_->resources(), stream_.get())});
    allocator = growing_.back().memory.get();
  }
  if (!caller.Call<method::ExecutionContext_setOutputAllocator>(context_.get(), tensor.name.c_str(), allocator)) {
    return journal_.Failure(kStage, "Memory for output \"" + tensor.name + "\" cannot be given.", "setOutputAllocator");
  }
  return {};
}

Status Binding::ReserveDevice(Side& side, std::size_t bytes) {
  side.bytes = bytes;
  if (side.device.address() != 0 && side.device.size() >= bytes) return {};
  Result<cuda::DeviceBuffer> device = engine_->resources()->memory->Allocate(bytes, stream_.get());
  if (!device.ok()) return device.status();
  side.device = std::move(device.value());
  return {};
}

Status Binding::ReserveHost(Side& side) {
  if (side.host.data() != nullptr && side.host.size() >= side.bytes) return {};
  Result<cuda::PinnedBuffer> host = engine_->resources()->pinned->Allocate(side.bytes);
  if (!host.ok()) return host.status();
  side.host = std::move(host.value());
  return {};
}

Status Binding::SetAddress(const Tensor& tensor, cuda::DeviceAddress address) {
  void* pointer = reinterpret_cast<void*>(static_cast<std::uintptr_t>(address));
  if (engine_->caller().Call<method::ExecutionContext_setTensorAddress>(context_.get(), tensor.name.c_str(), pointer)) return {};
  return journal_.Failure(kStage, "The address of \"" + tensor.name + "\" was refused.", "setTensorAddress");
}

Status Binding::Fill(const std::vector<InputView>& inputs, const DecodeJob* decode, const std::vector<OutputUse>& uses) {
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    Side& side = inputs_[i];
    side.picture_bytes = 0;
    side.resident = inputs[i].resident != nullptr;
    if (side.resident) {
      // Not part of what is captured: where it comes from differs from run to run.
      IM_RETURN_IF_ERROR(CopyOnDevice(side.device.address(), inputs[i].resident->address(), inputs[i].bytes, stream_));
    } else if (inputs[i].job != nullptr) {
      if (side.preprocessor == nullptr)
        side.preprocessor = std::make_unique<kernels::Preprocessor>(engine_->resources(), kernels_.preprocess, stream_);
      IM_RETURN_IF_ERROR(side.preprocessor->Prepare(*inputs[i].job));
      side.picture_bytes = inputs[i].job->output_length() * ElementSize(engine_->inputs()[i].type);
    } else if (inputs[i].bytes > 0) {
      IM_RETURN_IF_ERROR(ReserveHost(side));
      std::memcpy(side.host.data(), inputs[i].data, inputs[i].bytes);
    }
  }
  decodes_ = decode != nullptr;
  for (std::size_t i = 0; i < outputs_.size(); ++i) outputs_[i].use = uses[i];
  if (decodes_) IM_RETURN_IF_ERROR(PrepareDecoding(*decode));
  // Those that grow get theirs when their size is known.
  for (Side& side : outputs_) {
    if (side.use == OutputUse::kDownload && side.device.address() != 0) IM_RETURN_IF_ERROR(ReserveHost(side));
  }
  return {};
}

Status Binding::PrepareDecoding(const DecodeJob& job) {
  std::vector<DeviceOutput> outputs;
  // An output that grows has no memory yet.
  for (const Side& side : outputs_) outputs.push_back({side.device.address(), side.shape});
  if (decoder_ == nullptr) {
    decoder_ = std::make_unique<DeviceDecoder>(engine_->resources(), kernels_.decoding, stream_, shared_.blocks);
  }
  return decoder_->Prepare(job, engine_->outputs(), outputs);
}

Status Binding::Upload(std::size_t index) {
  const cuda::Device& device = *engine_->resources()->device;
  const Side& side = inputs_[index];
  if (side.bytes == 0 || side.resident) return {};
  if (side.picture_bytes == 0) {
    return device.Check(device.table().cuMemcpyHtoDAsync_v2(side.device.address(), side.host.data(), side.bytes, stream_.get()),
                        "cuMemcpyHtoDAsync");
  }
  const bool half = engine_->inputs()[index].type == kFloat16;
  IM_RETURN_IF_ERROR(
      side.preprocessor->Enqueue(side.device.address(), half ? kernels::InputType::kFloat16 : kernels::InputType::kFloat32));
  if (side.picture_bytes == side.bytes) return {};
  return device.Check(device.table().cuMemsetD8Async(side.device.address() + side.picture_bytes, 0,
                                                     side.bytes - side.picture_bytes, stream_.get()),
                      "cuMemsetD8Async");
}

Status Binding::Enqueue() {
  for (std::size_t i = 0; i < inputs_.size(); ++i) IM_RETURN_IF_ERROR(Upload(i));
  for (Growing& growing : growing_) growing.memory->Reset();
  (void)TakeThreadLog();
  if (!engine_->caller().Call<method::ExecutionContext_enqueueV3>(context_.get(), AsTensorRtStream(stream_))) {
    return journal_.Failure(kStage, "TensorRT did not run the network.", "enqueueV3");
  }
  IM_RETURN_IF_ERROR(FinishGrowing());
  if (decodes_) IM_RETURN_IF_ERROR(decoder_->Enqueue());
  for (std::size_t i = 0; i < outputs_.size(); ++i) IM_RETURN_IF_ERROR(Download(i));
  return {};
}

// TensorRT has told the sizes by the time that it returns.
Status Binding::FinishGrowing() {
  for (Growing& growing : growing_) {
    const Tensor& tensor = engine_->outputs()[growing.index];
    Side& side = outputs_[growing.index];
    const Dims& dims = growing.memory->dims();
    side.shape.assign(dims.sizes, dims.sizes + (dims.rank > 0 && dims.rank <= kMaximumRank ? dims.rank : 0));
    const std::optional<std::size_t> count = ElementCount(side.shape);
    const std::size_t bytes = count.value_or(0) * ElementSize(tensor.type);
    if (dims.rank < 0 || dims.rank > kMaximumRank || !count || bytes > growing.memory->memory().size()) {
      return journal_.Failure(kStage, "The size of output \"" + tensor.name + "\" is still not known after the run.",
                              "notifyShape");
    }
    side.bytes = bytes;
    if (side.use == OutputUse::kDownload) IM_RETURN_IF_ERROR(ReserveHost(side));
  }
  return {};
}

cuda::DeviceAddress Binding::OutputAddress(std::size_t index) const {
  for (const Growing& growing : growing_) {
    if (growing.index == index) return growing.memory->memory().address();
  }
  return outputs_[index].device.address();
}

Status Binding::Download(std::size_t index) {
  const Side& side = outputs_[index];
  const cuda::DeviceAddress from = OutputAddress(index);
  if (side.use != OutputUse::kDownload || side.bytes == 0 || from == 0) return {};
  const cuda::Device& device = *engine_->resources()->device;
  return device.Check(device.table().cuMemcpyDtoHAsync_v2(side.host.data(), from, side.bytes, stream_.get()),
                      "cuMemcpyDtoHAsync");
}

Result<std::shared_ptr<const DeviceTensor>> Binding::Keep(std::size_t index,
                                                          const std::shared_ptr<const DeviceStore>& store) const {
  const Side& side = outputs_[index];
  Result<cuda::DeviceBuffer> memory = store->Allocate(side.bytes, stream_);
  if (!memory.ok()) return memory.status();
  auto tensor = std::make_shared<const DeviceTensor>(store, std::move(memory.value()), engine_->outputs()[index].type, side.shape,
                                                     side.bytes);
  if (const Status copied = CopyOnDevice(tensor->address(), OutputAddress(index), side.bytes, stream_); !copied.ok())
    return copied;
  return tensor;
}

std::vector<OutputView> Binding::Outputs() const {
  std::vector<OutputView> views;
  for (const Side& side : outputs_) {
    const bool downloaded = side.use == OutputUse::kDownload;
    views.push_back({downloaded ? side.host.data() : nullptr, downloaded ? side.bytes : 0, side.shape});
  }
  return views;
}

std::vector<Decoded> Binding::Results() const { return decodes_ ? decoder_->Results() : std::vector<Decoded>(); }

}  // namespace im::trt
