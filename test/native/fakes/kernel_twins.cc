// The kernels of native/kernels on the host: the same bodies, their threads one after the other. The stand-in driver runs them
// when a kernel of their name is launched.
//
// Blocks and threads run backwards on every second launch of a kernel: results must not depend on an order that no device
// promises.
#include "kernel_twins.h"

#include "kernels/contrast_body.h"
#include "kernels/detection_body.h"
#include "kernels/key_point_queries_body.h"
#include "kernels/key_points_body.h"
#include "kernels/map_body.h"
#include "kernels/mask_runs_body.h"
#include "kernels/masks_body.h"
#include "kernels/preprocess_body.h"
#include "kernels/queries_body.h"
#include "kernels/rows_body.h"

namespace {

// calls body(i) for 0 .. count - 1, from either end.
template <typename Body>
void InOrder(unsigned count, bool backwards, Body body) {
  for (unsigned i = 0; i < count; ++i) body(backwards ? count - 1 - i : i);
}

bool NextDirection() {
  static bool backwards = true;
  return backwards = !backwards;
}

// calls body(x, y, z) for all threads of a grid.
template <typename Body>
void ForThreads(const unsigned grid[3], const unsigned block[3], Body body) {
  static bool backwards = true;  // of this kernel, whose body is a type of its own
  backwards = !backwards;
  InOrder(grid[2] * block[2], backwards, [&](unsigned z) {
    InOrder(grid[1] * block[1], backwards,
            [&](unsigned y) { InOrder(grid[0] * block[0], backwards, [&](unsigned x) { body(x, y, z); }); });
  });
}

struct HostTeam {
  bool backwards;
  template <typename Body>
  void ForEach(int count, Body body) const {
    InOrder(static_cast<unsigned>(count), backwards, [&](unsigned i) { body(static_cast<int>(i)); });
  }
};

HostAddress g_host = nullptr;

// False when the address is not allocated: the launch then ends as it would on a device.
template <typename T>
bool Translate(T*& pointer) {
  if (pointer == nullptr) return true;
  pointer = static_cast<T*>(g_host(reinterpret_cast<std::uint64_t>(pointer)));
  return pointer != nullptr;
}

bool Preprocess(void** parameters, const unsigned grid[3], const unsigned block[3]) {
  auto arguments = *static_cast<im::kernels::PreprocessArguments*>(parameters[0]);
  if (!Translate(arguments.job) || !Translate(arguments.scratch) || !Translate(arguments.target)) return false;
  ForThreads(grid, block, [&](unsigned x, unsigned y, unsigned z) { im::kernels::PreprocessGroup(arguments, x, y, z); });
  return true;
}

using ContrastBody = void (*)(const HostTeam&, const im::kernels::ContrastArguments&, unsigned, unsigned,
                              im::kernels::ContrastShared&);

template <ContrastBody Body>
bool EnhanceContrast(void** parameters, const unsigned grid[3], const unsigned[3]) {
  auto arguments = *static_cast<im::kernels::ContrastArguments*>(parameters[0]);
  if (!Translate(arguments.job) || !Translate(arguments.scratch)) return false;
  const bool backwards = NextDirection();
  InOrder(grid[1], backwards, [&](unsigned picture) {
    InOrder(grid[0], backwards, [&](unsigned block) {
      im::kernels::ContrastShared shared;
      Body(HostTeam{backwards}, arguments, block, picture, shared);
    });
  });
  return true;
}

// Its blocks are numbered by pictures alone.
void MapValues(const HostTeam& team, const im::kernels::ContrastArguments& arguments, unsigned picture, unsigned,
               im::kernels::ContrastShared& shared) {
  im::kernels::MapValues(team, arguments, picture, shared);
}

bool Translated(im::kernels::DetectionArguments& arguments) {
  return Translate(arguments.boxes.data) && Translate(arguments.scores.data) && Translate(arguments.objectness.data) &&
         Translate(arguments.priors.data) && Translate(arguments.settings) && Translate(arguments.thresholds.values) &&
         Translate(arguments.gathered) && Translate(arguments.keys) && Translate(arguments.classes) &&
         Translate(arguments.scores_gathered) && Translate(arguments.ranked) && Translate(arguments.found) &&
         Translate(arguments.found_count);
}

bool Translated(im::kernels::QueriesArguments& arguments) {
  return Translate(arguments.boxes.data) && Translate(arguments.logits.data) && Translate(arguments.settings) &&
         Translate(arguments.class_ids) && Translate(arguments.thresholds) && Translate(arguments.gathered) &&
         Translate(arguments.keys) && Translate(arguments.reported) && Translate(arguments.scores) &&
         Translate(arguments.found) && Translate(arguments.found_count);
}

bool Translated(im::kernels::KeyPointArguments& arguments) {
  return Translate(arguments.attributes.data) && Translate(arguments.found) && Translate(arguments.found_count) &&
         Translate(arguments.points) && Translate(arguments.counts);
}

bool Translated(im::kernels::KeyPointQueriesArguments& arguments) {
  return Translate(arguments.boxes.data) && Translate(arguments.logits.data) && Translate(arguments.points.data) &&
         Translate(arguments.class_ids) && Translate(arguments.thresholds) && Translate(arguments.scales) &&
         Translate(arguments.shares) && Translate(arguments.gathered) && Translate(arguments.keys) &&
         Translate(arguments.scores) && Translate(arguments.placed) && Translate(arguments.placed_scores) &&
         Translate(arguments.found_count) && Translate(arguments.found) && Translate(arguments.positions) &&
         Translate(arguments.confidence) && Translate(arguments.covariance);
}

bool Translated(im::kernels::MapArguments& arguments) {
  return Translate(arguments.job) && Translate(arguments.planes.data) && Translate(arguments.values) && Translate(arguments.ids);
}

template <typename Arguments, void (*Body)(const Arguments&, unsigned, unsigned)>
bool PerCandidate(void** parameters, const unsigned grid[3], const unsigned block[3]) {
  auto arguments = *static_cast<Arguments*>(parameters[0]);
  if (!Translated(arguments)) return false;
  ForThreads(grid, block, [&](unsigned x, unsigned y, unsigned) { Body(arguments, x, y); });
  return true;
}

// Threads that share what a picture has.
template <typename Arguments, void (*Body)(const Arguments&, std::uint32_t, std::uint32_t, unsigned)>
bool SharedByPicture(void** parameters, const unsigned grid[3], const unsigned block[3]) {
  auto arguments = *static_cast<Arguments*>(parameters[0]);
  if (!Translated(arguments)) return false;
  const unsigned threads = grid[0] * block[0];
  ForThreads(grid, block, [&](unsigned x, unsigned y, unsigned) { Body(arguments, x, threads, y); });
  return true;
}

bool Translated(im::kernels::RowsArguments& arguments) {
  return Translate(arguments.rows.data) && Translate(arguments.thresholds.values) && Translate(arguments.found) &&
         Translate(arguments.found_count);
}

// Blocks of threads that work together, several for each picture.
template <typename Arguments, typename Shared, void (*Body)(const HostTeam&, const Arguments&, unsigned, unsigned, Shared&)>
bool PerBlock(void** parameters, const unsigned grid[3], const unsigned[3]) {
  auto arguments = *static_cast<Arguments*>(parameters[0]);
  if (!Translated(arguments)) return false;
  const bool backwards = NextDirection();
  InOrder(grid[1], backwards, [&](unsigned picture) {
    InOrder(grid[0], backwards, [&](unsigned block) {
      Shared shared;
      Body(HostTeam{backwards}, arguments, block, picture, shared);
    });
  });
  return true;
}

// A block for each picture.
template <typename Arguments, typename Shared, void (*Body)(const HostTeam&, const Arguments&, unsigned, Shared&)>
bool PerPicture(void** parameters, const unsigned grid[3], const unsigned[3]) {
  auto arguments = *static_cast<Arguments*>(parameters[0]);
  if (!Translated(arguments)) return false;
  static bool backwards = true;
  backwards = !backwards;
  InOrder(grid[0], backwards, [&](unsigned picture) {
    Shared shared;
    Body(HostTeam{backwards}, arguments, picture, shared);
  });
  return true;
}

bool Translated(im::kernels::MaskArguments& arguments) {
  return Translate(arguments.job) && Translate(arguments.planes) && Translate(arguments.coefficients) &&
         Translate(arguments.found) && Translate(arguments.found_count) && Translate(arguments.working) &&
         Translate(arguments.results);
}

// calls body(arguments, x, y, z) for all threads of a grid, or for all its blocks when `block` is of one thread.
template <typename Body>
bool WithMaskArguments(void** parameters, const unsigned grid[3], const unsigned block[3], Body body) {
  auto arguments = *static_cast<im::kernels::MaskArguments*>(parameters[0]);
  if (!Translated(arguments)) return false;
  ForThreads(grid, block, [&](unsigned x, unsigned y, unsigned z) { body(arguments, x, y, z); });
  return true;
}

constexpr unsigned kBlocks[3] = {1, 1, 1};

// A block of threads that work together: calls body(team, arguments, x, y, z, shared) for each.
template <typename Shared, typename Body>
bool WithMaskTeam(void** parameters, const unsigned grid[3], Body body) {
  static bool backwards = true;
  backwards = !backwards;
  return WithMaskArguments(parameters, grid, kBlocks,
                           [&](const im::kernels::MaskArguments& arguments, unsigned x, unsigned y, unsigned z) {
                             Shared shared;
                             body(HostTeam{backwards}, arguments, x, y, z, shared);
                           });
}

bool MaskRegion(void** parameters, const unsigned grid[3], const unsigned block[3]) {
  return WithMaskArguments(parameters, grid, block, [](const auto& arguments, unsigned x, unsigned y, unsigned) {
    im::kernels::PlaceMask(arguments, x, y);
  });
}

bool MaskArrange(void** parameters, const unsigned grid[3], const unsigned[3]) {
  return WithMaskTeam<im::kernels::ArrangeShared>(
      parameters, grid, [](const HostTeam& team, const auto& arguments, unsigned, unsigned, unsigned, auto& shared) {
        im::kernels::ArrangeMasks(team, arguments, shared);
      });
}

template <typename Element>
bool MaskCells(void** parameters, const unsigned grid[3], const unsigned[3]) {
  return WithMaskTeam<im::kernels::MaskCellsShared>(
      parameters, grid, [&](const HostTeam& team, const auto& arguments, unsigned x, unsigned y, unsigned z, auto& shared) {
        im::kernels::ComputeMaskCells<Element>(team, arguments, x, y, grid[1], z, shared);
      });
}

bool MaskCount(void** parameters, const unsigned grid[3], const unsigned[3]) {
  return WithMaskTeam<im::kernels::SumsShared<im::kernels::kMaskBlock>>(
      parameters, grid, [&](const HostTeam& team, const auto& arguments, unsigned x, unsigned, unsigned, auto& shared) {
        im::kernels::CountMaskRuns(team, arguments, x, grid[0], shared);
      });
}

bool MaskSum(void** parameters, const unsigned grid[3], const unsigned[3]) {
  return WithMaskTeam<im::kernels::SumsShared<im::kernels::kMaskSumBlock>>(
      parameters, grid, [](const HostTeam& team, const auto& arguments, unsigned, unsigned, unsigned, auto& shared) {
        im::kernels::SumMaskRuns(team, arguments, shared);
      });
}

bool MaskWrite(void** parameters, const unsigned grid[3], const unsigned block[3]) {
  return WithMaskArguments(parameters, grid, block, [&](const auto& arguments, unsigned x, unsigned, unsigned) {
    im::kernels::WriteMaskRuns(arguments, x / block[0], grid[0], static_cast<int>(x % block[0]));
  });
}

bool MaskRunLengths(void** parameters, const unsigned grid[3], const unsigned block[3]) {
  return WithMaskArguments(parameters, grid, block, [&](const auto& arguments, unsigned x, unsigned, unsigned) {
    im::kernels::WriteRunLengths(arguments, x, grid[0] * block[0]);
  });
}

using im::kernels::DetectionArguments;
using im::kernels::KeyPointArguments;
using im::kernels::KeyPointQueriesArguments;
using im::kernels::QueriesArguments;
using im::kernels::RowsArguments;

constexpr KernelTwin kTwins[] = {
    {"im_preprocess", Preprocess, sizeof(im::kernels::PreprocessArguments)},
    {"im_contrast_count", EnhanceContrast<im::kernels::CountStripe>, sizeof(im::kernels::ContrastArguments)},
    {"im_contrast_map", EnhanceContrast<MapValues>, sizeof(im::kernels::ContrastArguments)},
    {"im_contrast_tiles", EnhanceContrast<im::kernels::MapTile>, sizeof(im::kernels::ContrastArguments)},
    {"im_contrast_levels", EnhanceContrast<im::kernels::LevelStripe>, sizeof(im::kernels::ContrastArguments)},
    {"im_contrast_rescale", EnhanceContrast<im::kernels::RescaleStripe>, sizeof(im::kernels::ContrastArguments)},
    {"im_detection_gather", PerBlock<DetectionArguments, im::kernels::CandidatesShared, im::kernels::GatherCandidates>,
     sizeof(DetectionArguments)},
    {"im_detection_rank", PerCandidate<DetectionArguments, im::kernels::RankCandidate>, sizeof(DetectionArguments)},
    {"im_detection_suppress", PerPicture<DetectionArguments, im::kernels::SuppressShared, im::kernels::SuppressPicture>,
     sizeof(DetectionArguments)},
    {"im_queries_gather", PerBlock<QueriesArguments, im::kernels::PairsShared, im::kernels::GatherPairs>,
     sizeof(QueriesArguments)},
    {"im_queries_place", PerCandidate<QueriesArguments, im::kernels::PlacePair>, sizeof(QueriesArguments)},
    {"im_rows_filter", PerPicture<RowsArguments, im::kernels::RowsShared, im::kernels::FilterPicture>, sizeof(RowsArguments)},
    {"im_maps_classes", PerCandidate<im::kernels::MapArguments, im::kernels::ClassifyPixel>, sizeof(im::kernels::MapArguments)},
    {"im_maps_values", PerCandidate<im::kernels::MapArguments, im::kernels::MeasurePixel>, sizeof(im::kernels::MapArguments)},
    {"im_masks_region", MaskRegion, sizeof(im::kernels::MaskArguments)},
    {"im_masks_arrange", MaskArrange, sizeof(im::kernels::MaskArguments)},
    {"im_masks_cells", MaskCells<float>, sizeof(im::kernels::MaskArguments)},
    {"im_masks_cells_half", MaskCells<im::kernels::Half>, sizeof(im::kernels::MaskArguments)},
    {"im_masks_count", MaskCount, sizeof(im::kernels::MaskArguments)},
    {"im_masks_sum", MaskSum, sizeof(im::kernels::MaskArguments)},
    {"im_masks_write", MaskWrite, sizeof(im::kernels::MaskArguments)},
    {"im_masks_runs", MaskRunLengths, sizeof(im::kernels::MaskArguments)},
    {"im_key_points_copy", SharedByPicture<KeyPointArguments, im::kernels::CopyKeyPoints>, sizeof(KeyPointArguments)},
    {"im_key_point_queries_weigh", PerCandidate<KeyPointQueriesArguments, im::kernels::WeighPoint>,
     sizeof(KeyPointQueriesArguments)},
    {"im_key_point_queries_gather",
     PerBlock<KeyPointQueriesArguments, im::kernels::PairsShared, im::kernels::GatherKeyPointPairs>,
     sizeof(KeyPointQueriesArguments)},
    {"im_key_point_queries_place", PerCandidate<KeyPointQueriesArguments, im::kernels::PlaceKeyPointPair>,
     sizeof(KeyPointQueriesArguments)},
    {"im_key_point_queries_write", SharedByPicture<KeyPointQueriesArguments, im::kernels::WriteKeyPoints>,
     sizeof(KeyPointQueriesArguments)},
};

}  // namespace

const KernelTwin* FindKernelTwin(const char* name, HostAddress host) {
  g_host = host;
  for (const KernelTwin& twin : kTwins) {
    if (std::strcmp(twin.name, name) == 0) return &twin;
  }
  return nullptr;
}
