// assembleMasks of src/native/addon.ts: decodeMasks by the kernels of a device, for comparing the two. Each call opens the
// device, uploads, and waits, on a thread of its own.
#include "device_mask_bindings.h"

#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "decoding.h"
#include "device_bench.h"
#include "environment.h"
#include "kernels/mask_assembler.h"
#include "lane_task.h"
#include "mask_arguments.h"

namespace im {
namespace {

constexpr char kStage[] = "decode";

// Masks on a device that outlives it, with memory there that goes with it.
class Bench {
 public:
  explicit Bench(const DeviceBench& device) : resources_(device.resources), stream_(device.stream) {}

  Result<masks::MaskRuns> Assemble(const MaskArguments& arguments, const MaskArrays& arrays) {
    const Result<std::shared_ptr<const kernels::MaskKernels>> kernels = kernels::MaskKernels::Load(resources_->device);
    if (!kernels.ok()) return kernels.status();
    kernels::DeviceMaskHead head;
    kernels::DeviceFound found;
    IM_RETURN_IF_ERROR(Upload(arguments, arrays, head));
    IM_RETURN_IF_ERROR(Upload(arguments, found));
    kernels::MaskAssembler assembler(resources_, kernels.value(), stream_);
    std::optional<kernels::MaskCut> cut;
    if (arguments.cut) cut = kernels::MaskCut{arguments.selection.box_scale};
    IM_RETURN_IF_ERROR(assembler.Prepare(head, found, cut, {arguments.target}));
    const Status enqueued = assembler.Enqueue();
    const Status waited = stream_.Synchronize();
    if (!enqueued.ok()) return enqueued;
    if (!waited.ok()) return waited;
    std::vector<kernels::PictureMasks> masks = assembler.Results();
    if (!masks.front().complete) {
      return InvalidArgument(kStage, "These masks take more memory than masks on the device may take; have the CPU make them.");
    }
    return std::move(masks.front().masks);
  }

 private:
  Result<cuda::DeviceAddress> Upload(const void* data, std::size_t bytes) {
    Result<cuda::DeviceBuffer> buffer = resources_->memory->Allocate(bytes, stream_.get());
    if (!buffer.ok()) return buffer.status();
    memory_.push_back(std::move(buffer.value()));
    const cuda::Device& device = *resources_->device;
    // Memory that is not pinned has been read when the call returns.
    if (bytes > 0) {
      IM_RETURN_IF_ERROR(device.Check(device.table().cuMemcpyHtoDAsync_v2(memory_.back().address(), data, bytes, stream_.get()),
                                      "cuMemcpyHtoDAsync"));
    }
    return memory_.back().address();
  }

  // A matrix as MaskArguments::CopyArrays leaves it.
  Result<kernels::DeviceMatrix> Upload(const std::vector<float>& values, std::size_t candidates) {
    const Result<cuda::DeviceAddress> address = Upload(values.data(), values.size() * sizeof(float));
    if (!address.ok()) return address.status();
    return kernels::DeviceMatrix{address.value(), values.size(), {0, 1, candidates}, values.size()};
  }

  Status Upload(const MaskArguments& arguments, const MaskArrays& arrays, kernels::DeviceMaskHead& head) {
    head.width = static_cast<std::size_t>(arguments.head.width);
    head.height = static_cast<std::size_t>(arguments.head.height);
    head.channels = arguments.head.channels;
    head.sigmoid = arguments.head.sigmoid;
    const Result<kernels::DeviceMatrix> planes = Upload(arrays.planes, head.width * head.height);
    if (!planes.ok()) return planes.status();
    head.planes = planes.value();
    if (!arguments.head.coefficients) return {};
    const Result<kernels::DeviceMatrix> coefficients = Upload(arrays.coefficients, arguments.candidates);
    if (!coefficients.ok()) return coefficients.status();
    head.coefficients = coefficients.value();
    head.candidates = arguments.candidates;
    return {};
  }

  Status Upload(const MaskArguments& arguments, kernels::DeviceFound& found) {
    const masks::MaskSelection& selection = arguments.selection;
    std::vector<kernels::Found> rows(selection.indices.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      rows[i].candidate = selection.indices[i];
      if (arguments.cut) rows[i].box = selection.boxes[i];
    }
    const auto count = static_cast<std::int32_t>(rows.size());
    const Result<cuda::DeviceAddress> address = Upload(rows.data(), rows.size() * sizeof(kernels::Found));
    if (!address.ok()) return address.status();
    const Result<cuda::DeviceAddress> counts = Upload(&count, sizeof count);
    if (!counts.ok()) return counts.status();
    const std::size_t candidates = arguments.head.coefficients ? arguments.candidates : arguments.head.channels;
    found = {address.value(), rows.size(), counts.value(), 1, rows.size(), candidates};
    return {};
  }

  const std::shared_ptr<const cuda::Resources>& resources_;
  const cuda::Stream& stream_;
  std::vector<cuda::DeviceBuffer> memory_;
};

class AssembleTask : public LaneTask {
 public:
  AssembleTask(Napi::Env env, std::shared_ptr<Lanes> lanes, std::string cuda_path, int device, MaskArguments arguments,
               std::shared_ptr<const MaskArrays> arrays)
      : LaneTask(env, std::move(lanes), kStage),
        cuda_path_(std::move(cuda_path)),
        device_(device),
        arguments_(std::move(arguments)),
        arrays_(std::move(arrays)) {}

  Status Execute() override {
    const Result<std::unique_ptr<const DeviceBench>> device = DeviceBench::Open(cuda_path_, device_);
    if (!device.ok()) return device.status();
    Result<masks::MaskRuns> masks = Bench(*device.value()).Assemble(arguments_, *arrays_);
    if (!masks.ok()) return masks.status();
    masks_ = std::move(masks.value());
    return {};
  }

  Napi::Value Value(Napi::Env env) override { return ToJavaScript(env, masks_); }

 private:
  const std::string cuda_path_;
  const int device_;
  const MaskArguments arguments_;
  const std::shared_ptr<const MaskArrays> arrays_;
  masks::MaskRuns masks_;
};

Napi::Value AssembleMasks(const Napi::CallbackInfo& info, FunctionLane& lane) {
  const Napi::Env env = info.Env();
  const Napi::Object options = RequireObject(info[0], "options");
  std::string cuda_path = RequireString(Field(options, "cudaLibraryPath"), "options.cudaLibraryPath");
  const auto device = static_cast<int>(RequireInteger(Field(options, "device"), "options.device", 0, 1023));
  MaskArguments arguments = MaskArguments::Read(info[1], info[2], info[3]);
  std::shared_ptr<const MaskArrays> arrays;
  try {
    arrays = arguments.CopyArrays();
  } catch (const std::bad_alloc&) {
    throw MakeError(env, {Code::kOutOfMemory, kStage, "Not enough memory for a copy of the mask prototypes."});
  }
  const std::shared_ptr<Lanes>& lanes = lane.Get(env);
  auto task = std::make_unique<AssembleTask>(env, lanes, std::move(cuda_path), device, std::move(arguments), std::move(arrays));
  return LaneTask::Submit(env, std::move(task), env.Null());
}

}  // namespace

void ExportDeviceMasks(Napi::Env env, Napi::Object exports) { ExportOnLane(env, exports, "assembleMasks", AssembleMasks); }

}  // namespace im
