// An execution context set up for one set of input shapes, with the memory of its inputs and outputs on both sides.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/status.h"
#include "cuda/device.h"
#include "cuda/memory.h"
#include "kernels/preprocessor.h"
#include "tensorrt/engine.h"

namespace im::trt {

// In the order of the engine's inputs.
struct InputView {
  const void* data = nullptr;
  std::size_t bytes = 0;
  Shape shape;
  // Instead of data: pictures that the device prepares, as the first ones of the batch. The rest of it is zeros.
  const kernels::PreprocessJob* job = nullptr;
};

// In the order of the engine's outputs.
struct OutputView {
  const void* data = nullptr;
  std::size_t bytes = 0;
  Shape shape;
};

class Binding {
 public:
  // Scratch memory is the caller's: one block serves several bindings whose work goes into one stream. `kernel` may be null when
  // no input is ever a job.
  static Result<std::unique_ptr<Binding>> Create(std::shared_ptr<const Engine> engine, const cuda::Stream& stream,
                                                 cuda::DeviceAddress scratch,
                                                 std::shared_ptr<const kernels::PreprocessKernel> kernel, Journal& journal);
  // What was put into the stream must be done.
  ~Binding();
  Binding(const Binding&) = delete;
  Binding& operator=(const Binding&) = delete;

  // Nothing to do when the shapes are those of the last time.
  Status Configure(const std::vector<InputView>& inputs);
  // Whether the sizes of all outputs are known beforehand: only then can the work be captured.
  bool is_static() const { return growing_.empty(); }

  // Copies to where the device reads; the work before must be done.
  Status Fill(const std::vector<InputView>& inputs);
  // Upload and preparation, network, download, in the stream.
  Status Enqueue();
  // After the stream has been waited for; the views hold until the next Fill or Configure.
  std::vector<OutputView> Outputs() const;

 private:
  struct Side {
    cuda::DeviceBuffer device;
    cuda::PinnedBuffer host;
    std::size_t bytes = 0;
    Shape shape;
    // Inputs that have ever been a job. The pictures of the last Fill, 0 when it brought data.
    std::unique_ptr<kernels::Preprocessor> preprocessor;
    std::size_t picture_bytes = 0;
  };

  Binding(std::shared_ptr<const Engine> engine, const cuda::Stream& stream,
          std::shared_ptr<const kernels::PreprocessKernel> kernel, Journal& journal)
      : engine_(std::move(engine)), stream_(stream), kernel_(std::move(kernel)), journal_(journal) {}
  Status SetShapes(const std::vector<InputView>& inputs);
  Status PrepareOutput(std::size_t index);
  Status Reserve(Side& side, std::size_t bytes);
  Status SetAddress(const Tensor& tensor, cuda::DeviceAddress address);
  Status Upload(std::size_t index);
  Status Download(Side& side, cuda::DeviceAddress from);
  Status FinishGrowing();

  struct Growing {
    std::size_t index;
    std::unique_ptr<GrowingOutput> memory;
  };

  const std::shared_ptr<const Engine> engine_;
  const cuda::Stream& stream_;
  const std::shared_ptr<const kernels::PreprocessKernel> kernel_;
  Journal& journal_;
  // Before the context, which points to them.
  std::vector<Growing> growing_;
  std::vector<Side> inputs_;
  std::vector<Side> outputs_;
  Owned<ExecutionContextObject> context_;
  bool configured_ = false;
};

}  // namespace im::trt
