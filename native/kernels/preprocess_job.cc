#include "kernels/preprocess_job.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "image/antialias.h"
#include "image/resample.h"
#include "image/smooth.h"

namespace im::kernels {
namespace {

constexpr char kStage[] = "preprocess";
// As much as the CPU executor would use for one picture, for each of what a batch may reasonably hold.
constexpr std::size_t kMaximumBytes = std::size_t{1} << 32;
// The third dimension of a grid.
constexpr std::size_t kMaximumPictures = 65535;

// Filters with any number of taps. Weights are int32 or float.
template <typename Weight>
struct WindowTable {
  std::vector<Window> windows;
  std::vector<Weight> weights;
};

WindowTable<std::int32_t> PillowWindows(int input_size, int output_size) {
  const PillowTable table = MakePillowTable(0, output_size, input_size, output_size);
  WindowTable<std::int32_t> result;
  for (std::size_t output = 0; output < table.windows.size(); ++output) {
    const PillowTable::Window& window = table.windows[output];
    result.windows.push_back({window.begin, window.taps, static_cast<std::int32_t>(result.weights.size()), 0.0f});
    for (int tap = 0; tap < window.taps; ++tap) result.weights.push_back(table.Pairs(output)[tap / 2].Weight(tap % 2));
  }
  return result;
}

WindowTable<float> SmoothWindows(Taps taps) {
  WindowTable<float> result;
  for (const Tap& tap : taps.taps) {
    result.windows.push_back({static_cast<std::int32_t>(tap.first), static_cast<std::int32_t>(tap.count),
                              static_cast<std::int32_t>(tap.weights), tap.beyond});
  }
  result.weights = std::move(taps.weights);
  return result;
}

// Input rows that the visible output rows need: not always the last window's end, weights of 0 are left out.
Visible RowsNeeded(const std::vector<Window>& windows, Visible rows) {
  Visible needed{windows[static_cast<std::size_t>(rows.begin)].begin, 0};
  for (int y = rows.begin; y < rows.end; ++y) {
    const Window& window = windows[static_cast<std::size_t>(y)];
    needed.begin = std::min(needed.begin, window.begin);
    needed.end = std::max(needed.end, window.begin + window.taps);
  }
  return needed;
}

}  // namespace

// The passes of one picture after the other.
class JobBuilder {
 public:
  Status Add(const Picture& picture) {
    const PreprocessSteps& steps = picture.steps;
    IM_RETURN_IF_ERROR(Validate(picture.image, steps));
    if (pictures_.empty()) job_.output_ = steps.output;
    if (steps.output.width != job_.output_.width || steps.output.height != job_.output_.height) {
      return InvalidArgument(kStage, "The pictures of a batch have to end with network inputs of the same size.");
    }
    steps_ = &steps;
    passes_.clear();
    AddPixels(picture);
    AddContrast(picture);
    for (std::size_t i = 0; i < steps.geometry.size(); ++i) {
      last_ = i + 1 == steps.geometry.size();
      std::visit([this](const auto& step) { AddStep(step); }, steps.geometry[i]);
    }
    pictures_.push_back(std::move(passes_));
    if (job_.scratch_bytes_ > kMaximumBytes || pixel_bytes_ + job_.tables_.size() > kMaximumBytes) {
      return {Code::kOutOfMemory, kStage,
              "These pictures are too large to be prepared on the device at once. Use smaller batches or pictures."};
    }
    return {};
  }

  PreprocessJob Finish() {
    std::size_t most = 0;
    for (const auto& passes : pictures_) most = std::max(most, passes.size());
    const std::size_t count = pictures_.size();
    // Tables and pixels stand behind the passes, whose number is known only now.
    job_.passes_.resize(most * count);
    if (job_.contrast_ == ContrastNeed::kNothing) job_.contrast_tasks_.clear();
    const std::size_t tables = Aligned(job_.contrast_tasks() + job_.contrast_tasks_.size() * sizeof(ContrastTask));
    const std::size_t pixels = Aligned(tables + job_.tables_.size());
    for (ContrastTask& task : job_.contrast_tasks_) task.source.offset += static_cast<std::int64_t>(pixels);
    job_.grids_.resize(most);
    for (std::size_t i = 0; i < count; ++i) {
      // All end with the last launch.
      const std::size_t first = most - pictures_[i].size();
      for (std::size_t p = 0; p < pictures_[i].size(); ++p) {
        Pass& pass = job_.passes_[(first + p) * count + i];
        pass = pictures_[i][p];
        pass.columns += static_cast<std::int64_t>(tables);
        pass.rows += static_cast<std::int64_t>(tables);
        pass.weights += static_cast<std::int64_t>(tables);
        if (pass.source.in_scratch == 0) pass.source.offset += static_cast<std::int64_t>(pixels);
        if (pass.sink == Sink::kPlanes) pass.target = static_cast<std::int64_t>(i * OutputLength(job_.output_));
        PassGrid& grid = job_.grids_[first + p];
        // A horizontal half may have no rows: nothing of the picture is seen then. A launch has one at least.
        grid.groups = std::max(grid.groups, static_cast<unsigned>((pass.canvas_width + kGroup - 1) / kGroup));
        grid.rows = std::max({grid.rows, static_cast<unsigned>(pass.canvas_height), 1u});
      }
    }
    for (PreprocessJob::Pixels& part : job_.pixels_) part.offset += pixels;
    job_.bytes_ = pixels + pixel_bytes_ + kReadAhead;
    if (job_.scratch_bytes_ > 0) job_.scratch_bytes_ += kReadAhead;
    job_.output_length_ = count * OutputLength(job_.output_);
    return std::move(job_);
  }

 private:
  static std::size_t Aligned(std::size_t bytes) { return PreprocessJob::Aligned(bytes); }
  static std::size_t OutputLength(Size size) {
    return std::size_t{3} * static_cast<std::size_t>(size.width) * static_cast<std::size_t>(size.height);
  }

  void AddPixels(const Picture& picture) {
    const Image& image = picture.image;
    const Rectangle& crop = picture.steps.crop;
    const auto channels = static_cast<std::size_t>(image.channels);
    PreprocessJob::Pixels part;
    part.picture_row_bytes = static_cast<std::size_t>(image.width) * channels;
    part.row_bytes = static_cast<std::size_t>(crop.width) * channels;
    part.rows = static_cast<std::size_t>(crop.height);
    part.first = image.pixels + static_cast<std::size_t>(crop.top) * part.picture_row_bytes +
                 static_cast<std::size_t>(crop.left) * channels;
    part.offset = pixel_bytes_;
    pixel_bytes_ += (part.row_bytes * part.rows + kReadAhead - 1) / kReadAhead * kReadAhead;
    source_ = {};
    source_.offset = static_cast<std::int64_t>(part.offset);
    source_.row_bytes = static_cast<std::int64_t>(part.row_bytes);
    source_.width = crop.width;
    source_.height = crop.height;
    source_.channels = image.channels;
    if (picture.steps.grayscale && image.channels != 1) source_.red = image.color_format == ColorFormat::kRgb ? 0 : 2;
    job_.pixels_.push_back(part);
  }

  // The passes read the picture through a map, or a new one.
  void AddContrast(const Picture& picture) {
    ContrastTask task;
    if (picture.steps.contrast.has_value()) {
      task.source = source_;
      task.counts = TakeScratch(std::size_t{kStripes} * kValues * sizeof(std::uint32_t));
      task.map = TakeScratch(kValues);
      switch (*picture.steps.contrast) {
        case Contrast::kStretching: task.kind = ContrastKind::kStretching; break;
        case Contrast::kHistogramEqualization: task.kind = ContrastKind::kHistogramEqualization; break;
        case Contrast::kAdaptiveEqualization: task.kind = ContrastKind::kAdaptiveEqualization; break;
      }
      if (task.kind == ContrastKind::kAdaptiveEqualization) {
        AddTiles(task);
        job_.contrast_ = ContrastNeed::kTiles;
      } else {
        source_.mapped = 1;
        source_.map = task.map;
        job_.contrast_ = std::max(job_.contrast_, ContrastNeed::kMaps);
      }
    }
    job_.contrast_tasks_.push_back(task);
  }

  void AddTiles(ContrastTask& task) {
    const std::size_t pixels = static_cast<std::size_t>(source_.width) * static_cast<std::size_t>(source_.height);
    task.columns = TileAxis::Of(source_.width);
    task.rows = TileAxis::Of(source_.height);
    const auto tiles = static_cast<std::size_t>(task.columns.tiles * task.rows.tiles);
    task.tiles = TakeScratch(tiles * kValues * sizeof(std::uint16_t));
    task.levels = TakeScratch(pixels * sizeof(std::uint16_t));
    task.extremes = TakeScratch(std::size_t{2} * kStripes * sizeof(std::int32_t));
    task.target = TakeScratch(pixels * sizeof(std::uint32_t));
    source_ = SlotsAt(task.target, source_.width, source_.height);
  }

  static PixelSource SlotsAt(std::int64_t offset, int width, int height) {
    PixelSource source;
    source.offset = offset;
    source.row_bytes = std::int64_t{4} * width;
    source.width = width;
    source.height = height;
    source.channels = 4;
    source.in_scratch = 1;
    return source;
  }

  Pass NewPass(PassKind kind, int width, int height, const Canvas& canvas) const {
    Pass pass;
    pass.kind = kind;
    pass.source = source_;
    pass.width = width;
    pass.height = height;
    pass.canvas_width = canvas.width;
    pass.canvas_height = canvas.height;
    pass.left = canvas.left;
    pass.top = canvas.top;
    pass.fill = canvas.fill;
    return pass;
  }

  void AddStep(const ResizeStep& step) {
    const Visible columns = VisiblePart(step.width, step.canvas.left, step.canvas.width);
    const Visible rows = VisiblePart(step.height, step.canvas.top, step.canvas.height);
    const bool empty = columns.begin == columns.end || rows.begin == rows.end;
    const bool smooth = IsSmooth(step.filter);
    if (empty || step.filter == Filter::kNone || (!smooth && step.width == source_.width && step.height == source_.height)) {
      // A picture that misses its canvas leaves nothing but fill.
      return EndStep(NewPass(PassKind::kCopy, empty ? 0 : step.width, step.height, step.canvas));
    }
    if (smooth) return AddSmooth(step, columns, rows);
    if (step.filter == Filter::kPillow) return AddPillow(step, columns, rows);
    Pass pass = NewPass(PassKind::kLinear, step.width, step.height, step.canvas);
    std::vector<LinearCoefficient> coefficients;
    for (int x = 0; x < step.width; ++x) coefficients.push_back(LinearColumnWeights(x, source_.width, step.width));
    pass.columns = AddTable(coefficients);
    coefficients.clear();
    for (int y = 0; y < step.height; ++y) coefficients.push_back(LinearRowWeights(y, source_.height, step.height));
    pass.rows = AddTable(coefficients);
    EndStep(pass);
  }

  void AddStep(const SampleStep& step) {
    Pass pass = NewPass(PassKind::kSample, step.width, step.height, {step.width, step.height, 0, 0, 0.0f});
    pass.origin_x = step.origin_x;
    pass.origin_y = step.origin_y;
    pass.step_x = step.step_x;
    pass.step_y = step.step_y;
    EndStep(pass);
  }

  void AddPillow(const ResizeStep& step, Visible columns, Visible rows) {
    const bool across = step.width != source_.width;
    const bool down = step.height != source_.height;
    const WindowTable<std::int32_t> down_table = down ? PillowWindows(source_.height, step.height) : WindowTable<std::int32_t>();
    if (across) {
      const WindowTable<std::int32_t> table = PillowWindows(source_.width, step.width);
      const auto add_tables = [&](Pass& pass) {
        pass.columns = AddTable(table.windows);
        pass.weights = AddTable(table.weights);
      };
      if (!down) {
        Pass pass = NewPass(PassKind::kPillowColumns, step.width, step.height, step.canvas);
        add_tables(pass);
        return EndStep(pass);
      }
      Pass pass = ColumnsPass(PassKind::kPillowColumns, step.width, columns, RowsNeeded(down_table.windows, rows));
      add_tables(pass);
      EndColumns(pass, Sink::kSlots, 4, columns);
    }
    Pass pass = NewPass(PassKind::kPillowRows, step.width, step.height, step.canvas);
    pass.rows = AddTable(down_table.windows);
    pass.weights = AddTable(down_table.weights);
    EndStep(pass);
  }

  // Always both ways, as the CPU executor does it: the sizes may be equal, the arithmetic is what counts.
  void AddSmooth(const ResizeStep& step, Visible columns, Visible rows) {
    const int square = std::max(source_.width, source_.height);
    const WindowTable<float> across = SmoothWindows(SmoothTaps(step.filter, source_.width, step.width, square));
    const WindowTable<float> down = SmoothWindows(SmoothTaps(step.filter, source_.height, step.height, square));
    Pass first = ColumnsPass(PassKind::kSmoothColumns, step.width, columns, RowsNeeded(down.windows, rows));
    first.beyond = step.canvas.fill;
    first.columns = AddTable(across.windows);
    first.weights = AddTable(across.weights);
    EndColumns(first, Sink::kFloats, 16, columns);
    Pass second = NewPass(PassKind::kSmoothRows, step.width, step.height, step.canvas);
    second.beyond = step.canvas.fill;
    second.cubic = step.filter == Filter::kCubic ? 1 : 0;
    second.rows = AddTable(down.windows);
    second.weights = AddTable(down.weights);
    EndStep(second);
  }

  // The horizontal half of a step: a canvas of just the columns that are seen and the rows that the vertical half reads.
  Pass ColumnsPass(PassKind kind, int width, Visible columns, Visible rows) {
    first_row_ = rows.begin;
    return NewPass(kind, width, source_.height,
                   {columns.end - columns.begin, rows.end - rows.begin, -columns.begin, -rows.begin, 0.0f});
  }

  // What comes next reads what this pass writes, and counts columns and rows as if it were whole.
  void EndColumns(Pass pass, Sink sink, int pixel_bytes, Visible columns) {
    pass.sink = sink;
    const std::int64_t row_bytes = std::int64_t{pixel_bytes} * pass.canvas_width;
    pass.target = TakeScratch(static_cast<std::size_t>(row_bytes) * static_cast<std::size_t>(pass.canvas_height));
    source_ = SlotsAt(pass.target - first_row_ * row_bytes - std::int64_t{pixel_bytes} * columns.begin, pass.width, pass.height);
    source_.row_bytes = row_bytes;
    passes_.push_back(pass);
  }

  void EndStep(Pass pass) {
    if (last_) {
      pass.sink = Sink::kPlanes;
      pass.swap_channels = steps_->swap_channels ? 1 : 0;
      pass.normalization = steps_->normalization;
    } else {
      pass.sink = Sink::kSlots;
      pass.fill = std::clamp(std::rint(pass.fill), 0.0f, 255.0f);
      pass.target = TakeScratch(std::size_t{4} * static_cast<std::size_t>(pass.canvas_width) *
                                static_cast<std::size_t>(pass.canvas_height));
      source_ = SlotsAt(pass.target, pass.canvas_width, pass.canvas_height);
    }
    passes_.push_back(pass);
  }

  std::int64_t TakeScratch(std::size_t bytes) {
    const std::size_t offset = job_.scratch_bytes_;
    job_.scratch_bytes_ = Aligned(offset + bytes);
    return static_cast<std::int64_t>(offset);
  }

  template <typename T>
  std::int64_t AddTable(const std::vector<T>& entries) {
    const std::size_t offset = job_.tables_.size();
    const std::size_t bytes = entries.size() * sizeof(T);
    job_.tables_.resize((offset + bytes + kReadAhead - 1) / kReadAhead * kReadAhead);
    if (bytes > 0) std::memcpy(job_.tables_.data() + offset, entries.data(), bytes);
    return static_cast<std::int64_t>(offset);
  }

  PreprocessJob job_;
  std::vector<std::vector<Pass>> pictures_;
  std::size_t pixel_bytes_ = 0;
  // Of the picture that is being added.
  const PreprocessSteps* steps_ = nullptr;
  std::vector<Pass> passes_;
  PixelSource source_;
  std::int64_t first_row_ = 0;
  bool last_ = false;
};

Result<PreprocessJob> PreprocessJob::Make(const std::vector<Picture>& pictures) {
  if (pictures.empty() || pictures.size() > kMaximumPictures) {
    return InvalidArgument(kStage, "A batch has from 1 to " + std::to_string(kMaximumPictures) + " pictures.");
  }
  JobBuilder builder;
  for (const Picture& picture : pictures) IM_RETURN_IF_ERROR(builder.Add(picture));
  return builder.Finish();
}

void PreprocessJob::WriteTo(void* memory) const {
  auto* bytes = static_cast<std::uint8_t*>(memory);
  std::memcpy(bytes, passes_.data(), passes_.size() * sizeof(Pass));
  if (!contrast_tasks_.empty()) {
    std::memcpy(bytes + contrast_tasks(), contrast_tasks_.data(), contrast_tasks_.size() * sizeof(ContrastTask));
  }
  const std::size_t tables = Aligned(contrast_tasks() + contrast_tasks_.size() * sizeof(ContrastTask));
  if (!tables_.empty()) std::memcpy(bytes + tables, tables_.data(), tables_.size());
  for (const Pixels& part : pixels_) {
    std::uint8_t* target = bytes + part.offset;
    if (part.row_bytes == part.picture_row_bytes) {
      std::memcpy(target, part.first, part.row_bytes * part.rows);
    } else {
      for (std::size_t y = 0; y < part.rows; ++y) {
        std::memcpy(target + y * part.row_bytes, part.first + y * part.picture_row_bytes, part.row_bytes);
      }
    }
  }
}

}  // namespace im::kernels
