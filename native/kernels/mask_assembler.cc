#include "kernels/mask_assembler.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "kernels/images.h"
#include "kernels/mask_tables.h"

namespace im::kernels {
namespace {

constexpr char kStage[] = "decode";
constexpr const char* kNames[] = {"im_masks_region", "im_masks_arrange", "im_masks_cells", "im_masks_cells_half",
                                  "im_masks_count",  "im_masks_sum",     "im_masks_write", "im_masks_runs"};
// So that counts and sums fit, with room.
constexpr std::size_t kMaximumCells = std::size_t{1} << 26;
constexpr std::size_t kMaximumInstances = std::size_t{1} << 28;
constexpr std::size_t kMaximumRows = std::size_t{1} << 30;
constexpr std::size_t kMaximumPictures = 65535;
// Blocks that take tiles, and runs, in turn: how many there are is known on the device only.
constexpr unsigned kTileBlocks = 1024;
constexpr unsigned kRunBlocks = 256;
// Blocks that share the groups of instances.
constexpr unsigned kGroupBlocks = 16;
// Pictures of nearly the same size need the same upload.
constexpr std::size_t kUploadStep = std::size_t{1} << 16;

constexpr std::size_t RoundedUp(std::size_t value, std::size_t step) { return (value + step - 1) / step * step; }

bool IsWithin(std::int32_t value, std::int32_t least) { return value >= least && value <= masks::kMaximumSide; }

bool IsPossible(const masks::MaskTarget& target) {
  for (const std::int32_t side : {target.resize.width, target.resize.height, target.picture.width, target.picture.height}) {
    if (!IsWithin(side, 1)) return false;
  }
  for (const std::int32_t shift :
       {target.left, target.top, target.trim.left, target.trim.top, target.trim.right, target.trim.bottom}) {
    if (!IsWithin(shift, -masks::kMaximumSide)) return false;
  }
  return std::int64_t{target.picture.width} * target.picture.height <= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

bool MaskLaunch::operator==(const MaskLaunch& other) const {
  const MaskArguments& a = arguments;
  const MaskArguments& b = other.arguments;
  return a.job == b.job && a.planes == b.planes && a.coefficients == b.coefficients && a.found == b.found &&
         a.found_count == b.found_count && a.working == b.working && a.results == b.results &&
         upload_bytes == other.upload_bytes && pictures == other.pictures && instance_blocks == other.instance_blocks &&
         cell_blocks == other.cell_blocks && groups == other.groups && half_planes == other.half_planes;
}

Result<std::shared_ptr<const MaskKernels>> MaskKernels::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<cuda::Module> module = cuda::Module::Load(device, MaskImages());
  if (!module.ok()) return module.status();
  std::shared_ptr<MaskKernels> kernels(new MaskKernels(std::move(module.value())));
  for (std::size_t i = 0; i < kernels->functions_.size(); ++i) {
    const Result<cuda::FunctionObject*> found = kernels->module_.Find(kNames[i]);
    if (!found.ok()) return found.status();
    kernels->functions_[i] = found.value();
  }
  return std::shared_ptr<const MaskKernels>(std::move(kernels));
}

Status MaskKernels::Launch(const MaskLaunch& launch, const cuda::Stream& stream) const {
  const auto& [region, arrange, cells, half_cells, count, sum, write, runs] = functions_;
  const auto enqueue = [&](cuda::FunctionObject* function, const cuda::Extent& grid, unsigned block) {
    return cuda::Launch(function, grid, {block, 1, 1}, launch.arguments, stream);
  };
  IM_RETURN_IF_ERROR(enqueue(region, {launch.instance_blocks, launch.pictures, 1}, kMaskBlock));
  IM_RETURN_IF_ERROR(enqueue(arrange, {}, kMaskSumBlock));
  IM_RETURN_IF_ERROR(
      enqueue(launch.half_planes ? half_cells : cells, {launch.cell_blocks, launch.groups, launch.pictures}, kMaskBlock));
  IM_RETURN_IF_ERROR(enqueue(count, {kTileBlocks, 1, 1}, kMaskBlock));
  IM_RETURN_IF_ERROR(enqueue(sum, {}, kMaskSumBlock));
  IM_RETURN_IF_ERROR(enqueue(write, {kTileBlocks, 1, 1}, kMaskBlock));
  return enqueue(runs, {kRunBlocks, 1, 1}, kMaskSumBlock);
}

Status MaskAssembler::CheckAndDescribe(const DeviceMaskHead& head, const DeviceFound& found,
                                       const std::vector<masks::MaskTarget>& targets, MaskJob& job,
                                       MaskArguments& arguments) const {
  const auto side_fits = [](std::size_t side) { return side > 0 && side <= static_cast<std::size_t>(masks::kMaximumSide); };
  const std::size_t rows = head.coefficients ? head.candidates : head.channels;
  if (!side_fits(head.width) || !side_fits(head.height) || head.width > kMaximumCells / head.height || head.channels == 0 ||
      (head.coefficients && head.channels > kMaskChannels) || rows > kMaximumRows) {
    return InvalidArgument(kStage, std::to_string(head.channels) + " planes of " + std::to_string(head.width) + " x " +
                                       std::to_string(head.height) + " cells cannot be made masks on the device.");
  }
  if (found.pictures == 0 || found.pictures > kMaximumPictures || found.limit > kMaximumInstances / found.pictures ||
      found.length < found.pictures * found.limit || found.candidates > rows || found.found % alignof(Found) != 0 ||
      found.counts % sizeof(std::int32_t) != 0) {
    return InvalidArgument(kStage, std::to_string(found.limit) + " instances of " + std::to_string(found.pictures) +
                                       " pictures do not lie within " + std::to_string(found.length) + ", or are of more than " +
                                       std::to_string(rows) + " candidates.");
  }
  if (targets.size() != found.pictures) return InvalidArgument(kStage, "Every picture needs one target for its masks.");
  for (const masks::MaskTarget& target : targets) {
    if (!IsPossible(target)) return InvalidArgument(kStage, "A picture or mask is too small or too large.");
  }
  const Result<BatchMatrix> planes =
      ViewOnDevice(head.planes, found.pictures, head.width * head.height, head.channels, "mask planes");
  if (!planes.ok()) return planes.status();
  arguments.planes = planes.value().data;
  job.cell_stride = planes.value().candidate_stride;
  job.plane_stride = planes.value().attribute_stride;
  job.planes_per_picture = planes.value().per_picture;
  if (head.coefficients) {
    const Result<BatchMatrix> coefficients =
        ViewOnDevice(*head.coefficients, found.pictures, head.candidates, head.channels, "mask coefficients");
    if (!coefficients.ok()) return coefficients.status();
    arguments.coefficients = coefficients.value().data;
    job.row_stride = coefficients.value().candidate_stride;
    job.coefficient_stride = coefficients.value().attribute_stride;
    job.coefficients_per_picture = coefficients.value().per_picture;
    job.half_coefficients = coefficients.value().half ? 1 : 0;
  }
  arguments.found = DevicePointer<const Found>(found.found);
  arguments.found_count = DevicePointer<const std::int32_t>(found.counts);
  job.width = static_cast<std::int32_t>(head.width);
  job.height = static_cast<std::int32_t>(head.height);
  job.channels = head.coefficients ? static_cast<std::int32_t>(head.channels) : 0;
  job.rows = static_cast<std::int32_t>(rows);
  job.pictures = static_cast<std::int32_t>(found.pictures);
  job.limit = static_cast<std::int32_t>(found.limit);
  job.sigmoid = head.sigmoid ? 1 : 0;
  return {};
}

Status MaskAssembler::Prepare(const DeviceMaskHead& head, const DeviceFound& found, const std::optional<MaskCut>& cut,
                              const std::vector<masks::MaskTarget>& targets, const MaskBudget& budget) {
  launch_ = {};  // until all of it has succeeded
  MaskLaunch launch;
  MaskJob job{};
  IM_RETURN_IF_ERROR(CheckAndDescribe(head, found, targets, job, launch.arguments));
  job.cut_to_boxes = cut ? 1 : 0;
  job.box_scale = cut ? cut->box_scale : 1.0f;

  const MaskTables tables(job.width, job.height, targets);
  // What the batch can need at most.
  std::size_t tiles = 0;
  std::size_t runs = 0;
  for (const MaskPicture& picture : tables.pictures()) {
    tiles += found.limit *
             std::max(std::size_t{1}, RoundedUp(static_cast<std::size_t>(picture.column_count), kMaskBlock) / kMaskBlock);
    runs += found.limit * (static_cast<std::size_t>(picture.width) * static_cast<std::size_t>(picture.height) + 1);
  }
  const std::size_t instances = found.pictures * found.limit;
  tiles = std::min({tiles, budget.columns / kMaskBlock, kMaximumCells});
  runs = std::min({runs, budget.runs, static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())});
  const std::size_t cells = std::min(instances * (head.width * head.height), budget.cells);
  job.tile_capacity = static_cast<std::uint32_t>(tiles);
  job.cell_capacity = cells;
  job.run_capacity = runs;

  Parts working;
  job.totals_offset = working.Take(sizeof(MaskTotals));
  job.first_offset = working.Take((found.pictures + 1) * sizeof(std::uint32_t));
  job.place_offset = working.Take(instances * sizeof(MaskPlace));
  job.tile_place_offset = working.Take(tiles * sizeof(std::uint32_t));
  job.tile_run_offset = working.Take(tiles * sizeof(std::uint64_t));
  job.column_run_offset = working.Take(tiles * kMaskBlock * sizeof(std::uint32_t));
  job.cell_values_offset = working.Take(cells * sizeof(float));
  job.run_end_offset = working.Take(runs * sizeof(std::uint32_t));
  Parts results;
  results.Take(sizeof(MaskTotals));
  job.first_result_offset = results.Take((found.pictures + 1) * sizeof(std::uint32_t));
  job.begin_result_offset = results.Take((instances + 1) * sizeof(std::uint32_t));
  job.run_result_offset = results.Take(runs * sizeof(std::uint32_t));

  launch.upload_bytes = RoundedUp(tables.bytes(), kUploadStep);
  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, staging_, launch.upload_bytes));
  IM_RETURN_IF_ERROR(ReserveShared(*resources_->pinned, memory_.pinned, shared_->pinned, results.total()));
  IM_RETURN_IF_ERROR(Reserve(*resources_->memory, job_memory_, launch.upload_bytes, stream_.get()));
  IM_RETURN_IF_ERROR(ReserveShared(*resources_->memory, memory_.device, shared_->device, working.total(), stream_.get()));
  tables.WriteTo(staging_.data(), job);

  launch.arguments.job = DevicePointer<const unsigned char>(job_memory_.address());
  launch.arguments.working = DevicePointer<unsigned char>(memory_.device->address());
  // Pinned memory has the same address on the device: every driver of 64 bits has one address space for both.
  launch.arguments.results = static_cast<unsigned char*>(memory_.pinned->data());
  launch.pictures = static_cast<unsigned>(found.pictures);
  launch.instance_blocks = static_cast<unsigned>(std::max(std::size_t{1}, RoundedUp(found.limit, kMaskBlock) / kMaskBlock));
  launch.cell_blocks = static_cast<unsigned>(RoundedUp(head.width * head.height, kMaskBlock) / kMaskBlock);
  const std::size_t groups = std::max(std::size_t{1}, RoundedUp(found.limit, kMaskGroup) / kMaskGroup);
  launch.groups = static_cast<unsigned>(std::min(groups, std::size_t{kGroupBlocks}));
  launch.half_planes = head.planes.half;
  job_ = job;
  launch_ = launch;
  return {};
}

Status MaskAssembler::Enqueue() const {
  if (launch_.pictures == 0) return InvalidArgument(kStage, "There are no masks to assemble.");
  const cuda::Device& device = *resources_->device;
  IM_RETURN_IF_ERROR(device.Check(
      device.table().cuMemcpyHtoDAsync_v2(job_memory_.address(), staging_.data(), launch_.upload_bytes, stream_.get()),
      "cuMemcpyHtoDAsync"));
  return kernels_->Launch(launch_, stream_);
}

std::vector<PictureMasks> MaskAssembler::Results() const {
  if (launch_.pictures == 0) return {};
  std::vector<PictureMasks> results(launch_.pictures);
  const std::size_t instances = launch_.pictures * static_cast<std::size_t>(job_.limit);
  const auto* bytes = static_cast<const unsigned char*>(memory_.pinned->data());
  const auto word = [&](std::uint64_t offset, std::size_t index) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes + offset + index * sizeof value, sizeof value);
    return value;
  };
  MaskTotals totals{};
  std::memcpy(&totals, bytes, sizeof totals);
  for (std::size_t picture = 0; picture < results.size(); ++picture) {
    const std::uint32_t begin = word(job_.first_result_offset, picture);
    const std::uint32_t end = word(job_.first_result_offset, picture + 1);
    if (begin == end) results[picture] = {true, {{}, {0}}};
    if (begin >= end || end > totals.complete || totals.complete > instances) continue;
    const std::uint32_t first_run = word(job_.begin_result_offset, begin);
    const std::uint32_t end_run = word(job_.begin_result_offset, end);
    if (first_run > end_run || end_run > job_.run_capacity) continue;
    masks::MaskRuns& masks = results[picture].masks;
    for (std::uint32_t mask = begin; mask <= end; ++mask)
      masks.offsets.push_back(word(job_.begin_result_offset, mask) - first_run);
    masks.runs.resize(end_run - first_run);
    std::memcpy(masks.runs.data(), bytes + job_.run_result_offset + first_run * sizeof(std::uint32_t),
                masks.runs.size() * sizeof(std::uint32_t));
    results[picture].complete = true;
  }
  return results;
}

}  // namespace im::kernels
