#include "kernels/map_maker.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <string>

#include "kernels/images.h"
#include "maps/rows.h"

namespace im::kernels {
namespace {

constexpr char kStage[] = "decode";
// The second dimension of a grid.
constexpr std::size_t kMaximumPictures = 65535;
// Far more than any pictures within kMaximumMapPixels need that are not shrunk out of all proportion.
constexpr std::size_t kMaximumWeights = std::size_t{1} << 24;

// What the kernels read: placements of pictures, and which positions make the rows and columns of each.
struct Tables {
  void Add(const DeviceMap& map, const maps::Placement& placement, Kernel kernel) {
    MapPicture picture{};
    picture.first_pixel = pixels;
    picture.trim_left = static_cast<std::int32_t>(placement.trim_left);
    picture.trim_top = static_cast<std::int32_t>(placement.trim_top);
    picture.width = static_cast<std::uint32_t>(placement.width);
    picture.height = static_cast<std::uint32_t>(placement.height);
    picture.left = static_cast<std::uint32_t>(placement.left);
    picture.top = static_cast<std::uint32_t>(placement.top);
    picture.canvas_width = static_cast<std::uint32_t>(placement.canvas_width);
    picture.canvas_height = static_cast<std::uint32_t>(placement.canvas_height);
    picture.columns = AddAxis(map.width, placement.trim_left, placement.trim_right, placement.width, kernel);
    picture.rows = AddAxis(map.height, placement.trim_top, placement.trim_bottom, placement.height, kernel);
    pictures.push_back(picture);
    pixels += placement.canvas_width * placement.canvas_height;
  }

  // The number of its first tap.
  std::uint32_t AddAxis(std::size_t length, std::int64_t trim_before, std::int64_t trim_after, std::size_t output,
                        Kernel kernel) {
    const auto first = static_cast<std::uint32_t>(taps.size());
    const auto first_weight = static_cast<std::uint32_t>(weights.size());
    const auto trimmed = static_cast<std::size_t>(static_cast<std::int64_t>(length) - trim_before - trim_after);
    const Taps axis = ComputeTaps(trimmed, output, kernel);
    for (const Tap& tap : axis.taps) {
      taps.push_back({static_cast<std::uint32_t>(tap.first), static_cast<std::uint32_t>(tap.count),
                      first_weight + static_cast<std::uint32_t>(tap.weights),
                      maps::IsSeen(axis, tap, trim_before, length) ? 1u : 0u});
    }
    weights.insert(weights.end(), axis.weights.begin(), axis.weights.end());
    return first;
  }

  std::vector<MapPicture> pictures;
  std::vector<MapTap> taps;
  std::vector<float> weights;
  std::uint64_t pixels = 0;
};

template <typename Entry>
std::size_t Bytes(const std::vector<Entry>& entries) {
  return entries.size() * sizeof(Entry);
}

// The elements of a picture, out of those of all pictures.
template <typename Element>
std::vector<Element> Slice(const void* elements, std::size_t first, std::size_t count) {
  const auto* begin = static_cast<const Element*>(elements) + first;
  return {begin, begin + count};
}

}  // namespace

Result<std::shared_ptr<const MapKernels>> MapKernels::Load(const std::shared_ptr<const cuda::Device>& device) {
  Result<cuda::Module> module = cuda::Module::Load(device, MapImages());
  if (!module.ok()) return module.status();
  std::shared_ptr<MapKernels> kernels(new MapKernels(std::move(module.value())));
  const Result<cuda::FunctionObject*> classes = kernels->module_.Find("im_maps_classes");
  if (!classes.ok()) return classes.status();
  const Result<cuda::FunctionObject*> values = kernels->module_.Find("im_maps_values");
  if (!values.ok()) return values.status();
  kernels->classes_ = classes.value();
  kernels->values_ = values.value();
  return std::shared_ptr<const MapKernels>(std::move(kernels));
}

Status MapKernels::Launch(const MapArguments& arguments, unsigned pixels, unsigned pictures, const cuda::Stream& stream) const {
  const cuda::Extent grid{(pixels + kMapBlock - 1) / kMapBlock, pictures, 1};
  return cuda::Launch(arguments.ids == nullptr ? values_ : classes_, grid, {kMapBlock, 1, 1}, arguments, stream);
}

Status MapMaker::Prepare(const DeviceMap& map, const std::vector<maps::Placement>& placements,
                         const maps::ClassMapSettings& settings) {
  pixels_.clear();
  if (settings.class_ids.size() != map.channels) return InvalidArgument(kStage, "There must be one class id for each channel.");
  if (settings.thresholds.empty()) return InvalidArgument(kStage, "There must be at least one threshold.");
  return Prepare(map, placements, settings, Kernel::kTriangle, maps::HasWideIds(settings) ? Ids::kWide : Ids::kNarrow);
}

Status MapMaker::Prepare(const DeviceMap& map, const std::vector<maps::Placement>& placements, Kernel kernel) {
  return Prepare(map, placements, {}, kernel, Ids::kNone);
}

Status MapMaker::Prepare(const DeviceMap& map, const std::vector<maps::Placement>& placements,
                         const maps::ClassMapSettings& settings, Kernel kernel, Ids ids) {
  pixels_.clear();  // until all of it has succeeded
  if (placements.empty() || placements.size() > kMaximumPictures)
    return InvalidArgument(kStage, "Maps of " + std::to_string(placements.size()) + " pictures cannot be made on the device.");
  Tables tables;
  std::vector<std::size_t> pixels;
  std::size_t total = 0;
  for (const maps::Placement& placement : placements) {
    IM_RETURN_IF_ERROR(maps::Validate({nullptr, map.channels, map.width, map.height}, placement));
    pixels.push_back(placement.canvas_width * placement.canvas_height);
    total += pixels.back();
    if (total > kMaximumMapPixels) {
      return InvalidArgument(kStage, "Maps of pictures with more than " + std::to_string(kMaximumMapPixels) +
                                         " pixels together are not made on the device.");
    }
    tables.Add(map, placement, kernel);
    if (tables.weights.size() > kMaximumWeights)
      return InvalidArgument(kStage, "Maps that are shrunk that much are not made on the device.");
  }
  const Result<BatchMatrix> planes =
      ViewOnDevice(map.planes, placements.size(), map.width * map.height, map.channels, "map planes");
  if (!planes.ok()) return planes.status();

  MapJob job{};
  Parts upload;
  upload.Take(sizeof job);
  job.picture_offset = upload.Take(Bytes(tables.pictures));
  job.tap_offset = upload.Take(Bytes(tables.taps));
  job.weight_offset = upload.Take(Bytes(tables.weights));
  const std::vector<float> thresholds = maps::ThresholdsByChannel(settings);
  job.id_offset = upload.Take(Bytes(settings.class_ids));
  job.threshold_offset = upload.Take(Bytes(thresholds));
  job.channels = static_cast<std::int32_t>(map.channels);
  job.width = static_cast<std::int32_t>(map.width);
  job.height = static_cast<std::int32_t>(map.height);
  job.fill = static_cast<float>(settings.background);
  job.background = settings.background;
  Parts results;
  results.Take(total * sizeof(float));
  const std::size_t ids_offset = results.Take(total * (ids == Ids::kNone ? 0 : ids == Ids::kWide ? 2 : 1));

  IM_RETURN_IF_ERROR(Reserve(*resources_->pinned, staging_, upload.total()));
  IM_RETURN_IF_ERROR(Reserve(*resources_->memory, job_memory_, upload.total(), stream_.get()));
  IM_RETURN_IF_ERROR(ReserveShared(*resources_->memory, memory_.device, shared_->device, results.total(), stream_.get()));
  IM_RETURN_IF_ERROR(ReserveShared(*resources_->pinned, memory_.pinned, shared_->pinned, results.total()));
  auto* bytes = static_cast<unsigned char*>(staging_.data());
  std::memcpy(bytes, &job, sizeof job);
  const auto write = [&](std::uint64_t offset, const auto& entries) {
    if (!entries.empty()) std::memcpy(bytes + offset, entries.data(), Bytes(entries));
  };
  write(job.picture_offset, tables.pictures);
  write(job.tap_offset, tables.taps);
  write(job.weight_offset, tables.weights);
  write(job.id_offset, settings.class_ids);
  write(job.threshold_offset, thresholds);

  arguments_ = {};
  arguments_.job = DevicePointer<const unsigned char>(job_memory_.address());
  arguments_.planes = planes.value();
  arguments_.values = DevicePointer<float>(memory_.device->address());
  if (ids != Ids::kNone) arguments_.ids = DevicePointer<void>(memory_.device->address() + ids_offset);
  arguments_.wide_ids = ids == Ids::kWide;
  ids_ = ids;
  pixels_ = std::move(pixels);
  upload_bytes_ = upload.total();
  ids_offset_ = ids_offset;
  result_bytes_ = results.total();
  return {};
}

Status MapMaker::Enqueue() const {
  if (pixels_.empty()) return InvalidArgument(kStage, "There are no maps to make.");
  const cuda::Device& device = *resources_->device;
  IM_RETURN_IF_ERROR(
      device.Check(device.table().cuMemcpyHtoDAsync_v2(job_memory_.address(), staging_.data(), upload_bytes_, stream_.get()),
                   "cuMemcpyHtoDAsync"));
  const std::size_t largest = *std::max_element(pixels_.begin(), pixels_.end());
  IM_RETURN_IF_ERROR(
      kernels_->Launch(arguments_, static_cast<unsigned>(largest), static_cast<unsigned>(pixels_.size()), stream_));
  return device.Check(
      device.table().cuMemcpyDtoHAsync_v2(memory_.pinned->data(), memory_.device->address(), result_bytes_, stream_.get()),
      "cuMemcpyDtoHAsync");
}

std::vector<PictureMap> MapMaker::Results() const {
  std::vector<PictureMap> results;
  std::size_t first = 0;
  for (const std::size_t count : pixels_) {
    const auto* bytes = static_cast<const unsigned char*>(memory_.pinned->data());
    PictureMap map;
    map.values = Slice<float>(bytes, first, count);
    if (ids_ == Ids::kNarrow) map.ids = Slice<std::uint8_t>(bytes + ids_offset_, first, count);
    if (ids_ == Ids::kWide) map.wide_ids = Slice<std::uint16_t>(bytes + ids_offset_, first, count);
    results.push_back(std::move(map));
    first += count;
  }
  return results;
}

}  // namespace im::kernels
