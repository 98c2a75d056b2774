// An execution context set up for one set of input shapes, with the memory of its inputs and outputs on both sides.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"
#include "cuda/memory.h"
#include "kernels/preprocessor.h"
#include "tensorrt/device_decoder.h"
#include "tensorrt/device_tensor.h"
#include "tensorrt/engine.h"

namespace im::trt {

// In the order of the engine's inputs.
struct InputView {
  const void* data = nullptr;
  std::size_t bytes = 0;
  Shape shape;
  // Instead of data: pictures that the device prepares, as the first ones of the batch. The rest of it is zeros.
  const kernels::PreprocessJob* job = nullptr;
  // Instead of data: a tensor that is on the device already.
  const DeviceTensor* resident = nullptr;
};

// What becomes of an output: it goes to the host, stays on the device, or is of no interest.
enum class OutputUse { kDownload, kKeep, kIgnore };

// In the order of the engine's outputs.
struct OutputView {
  const void* data = nullptr;  // null: not downloaded
  std::size_t bytes = 0;
  Shape shape;
  std::shared_ptr<const DeviceTensor> kept = nullptr;  // null: not kept
};

// What the device does around the network; null where it never does.
struct DeviceKernels {
  std::shared_ptr<const kernels::PreprocessKernel> preprocess = nullptr;  // for inputs that are jobs
  std::shared_ptr<const DecodingKernels> decoding = nullptr;              // for decode jobs
};

// Memory of the caller's, which serves several bindings whose work goes into one stream, one run after the other.
struct SharedMemory {
  cuda::DeviceAddress scratch = 0;
  std::shared_ptr<kernels::LargeBlocks> blocks;
};

class Binding {
 public:
  static Result<std::unique_ptr<Binding>> Create(std::shared_ptr<const Engine> engine, const cuda::Stream& stream,
                                                 SharedMemory shared, DeviceKernels kernels, Journal& journal);
  // What was put into the stream must be done.
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  // Nothing to do when the shapes are those of the last time.
  Status Configure(const std::vector<InputView>& inputs);
  // Whether the sizes of all outputs are known beforehand: only then can the work be captured.
  bool is_static() const { return growing_.empty(); }

  // Copies to where the device reads; the work before must be done. `decode` may be null. `uses`: one for each output.
  Status Fill(const std::vector<InputView>& inputs, const DecodeJob* decode, const std::vector<OutputUse>& uses);
  // Upload and preparation, network, decoding, download, in the stream.
  Status Enqueue();
  // A copy of an output behind all that, in the stream.
  Result<std::shared_ptr<const DeviceTensor>> Keep(std::size_t index, const std::shared_ptr<const DeviceStore>& store) const;
  // After the stream has been waited for; the views hold until the next Fill or Configure.
  std::vector<OutputView> Outputs() const;
  // Likewise: what the decode job of the last Fill has made of them, by picture; empty without one.
  std::vector<Decoded> Results() const;

 private:
  struct Side {
    cuda::DeviceBuffer device;
    cuda::PinnedBuffer host;
    std::size_t bytes = 0;
    Shape shape;
    // Outputs, in the last Fill.
    OutputUse use = OutputUse::kDownload;
    // Inputs: the last Fill has put the tensor in place on the device.
    bool resident = false;
    // Inputs that have ever been a job. The pictures of the last Fill, 0 when it brought data.
    std::unique_ptr<kernels::Preprocessor> preprocessor;
    std::size_t picture_bytes = 0;
  };

  Binding(std::shared_ptr<const Engine> engine, const cuda::Stream& stream, SharedMemory shared, DeviceKernels kernels,
          Journal& journal)
      : engine_(std::move(engine)),
        stream_(stream),
        shared_(std::move(shared)),
        kernels_(std::move(kernels)),
        journal_(journal) {}
  Status SetShapes(const std::vector<InputView>& inputs);
  Status PrepareOutput(std::size_t index);
  Status PrepareDecoding(const DecodeJob& job);
  Status ReserveDevice(Side& side, std::size_t bytes);
  // As many bytes as the device has: only what is copied needs it.
  Status ReserveHost(Side& side);
  Status SetAddress(const Tensor& tensor, cuda::DeviceAddress address);
  Status Upload(std::size_t index);
  Status Download(std::size_t index);
  // Of an output, wherever its memory comes from.
  cuda::DeviceAddress OutputAddress(std::size_t index) const;
  Status FinishGrowing();

  struct Growing {
    std::size_t index;
    std::unique_ptr<GrowingOutput> memory;
  };

  const std::shared_ptr<const Engine> engine_;
  const cuda::Stream& stream_;
  const SharedMemory shared_;
  const DeviceKernels kernels_;
  Journal& journal_;
  // Before the context, which points to them.
  std::vector<Growing> growing_;
  std::vector<Side> inputs_;
  std::vector<Side> outputs_;
  std::unique_ptr<DeviceDecoder> decoder_;
  bool decodes_ = false;  // in the last Fill
  Owned<ExecutionContextObject> context_;
  bool configured_ = false;
};

}  // namespace im::trt
