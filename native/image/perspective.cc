#include "image/perspective.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace im {
namespace {

// Positions between pixels are told apart this finely, as in OpenCV.
constexpr int kFractions = 32;
constexpr double kA = -0.75;
// Positions are cut to this: beyond it every pixel is the border's, and where the mapping has no value at all, one is needed.
constexpr double kFarthest = 16777216;

using Weights = std::array<float, 4>;

// Of the four pixels around a position, for every fraction of a pixel.
std::array<Weights, kFractions> MakeWeights() {
  std::array<Weights, kFractions> table{};
  const auto near = [](double t) { return ((kA + 2) * t - (kA + 3)) * t * t + 1; };
  const auto far = [](double t) { return ((kA * t - 5 * kA) * t + 8 * kA) * t - 4 * kA; };
  for (int step = 0; step < kFractions; ++step) {
    const double x = static_cast<double>(step) / kFractions;
    table[static_cast<std::size_t>(step)] = {static_cast<float>(far(x + 1)), static_cast<float>(near(x)),
                                             static_cast<float>(near(1 - x)), static_cast<float>(far(2 - x))};
  }
  return table;
}

// Halves go up, as Math.round has it.
double RoundHalfUp(double value) {
  const double whole = std::floor(value);
  return value - whole >= 0.5 ? whole + 1 : whole;
}

// Also for NaN.
double Bounded(double value) { return value > -kFarthest ? std::min(value, kFarthest) : -kFarthest; }

// From positions in the result to positions in the picture: Heckbert's unit square to quadrilateral, in closed form.
class Mapping {
 public:
  explicit Mapping(const Quadrilateral& crop) : width_(crop.width), height_(crop.height) {
    const double* p = crop.corners;
    const double dx1 = p[2] - p[4], dy1 = p[3] - p[5];
    const double dx2 = p[6] - p[4], dy2 = p[7] - p[5];
    const double sx = p[0] - p[2] + p[4] - p[6], sy = p[1] - p[3] + p[5] - p[7];
    const double determinant = dx1 * dy2 - dx2 * dy1;
    g_ = (sx * dy2 - dx2 * sy) / determinant;
    h_ = (dx1 * sy - sx * dy1) / determinant;
    a_ = p[2] - p[0] + g_ * p[2];
    b_ = p[6] - p[0] + h_ * p[6];
    c_ = p[0];
    d_ = p[3] - p[1] + g_ * p[3];
    e_ = p[7] - p[1] + h_ * p[7];
    f_ = p[1];
  }

  void At(int x, int y, double* px, double* py) const {
    const double u = x / width_, v = y / height_;
    const double depth = g_ * u + h_ * v + 1;
    *px = (a_ * u + b_ * v + c_) / depth;
    *py = (d_ * u + e_ * v + f_) / depth;
  }

 private:
  double width_, height_;
  double a_, b_, c_, d_, e_, f_, g_, h_;
};

}  // namespace

void CropQuadrilateral(const Image& image, const Quadrilateral& crop, std::uint8_t* target) {
  static const std::array<Weights, kFractions> kWeights = MakeWeights();
  const Mapping mapping(crop);
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t row_bytes = static_cast<std::size_t>(image.width) * channels;
  std::size_t columns[4], rows[4];
  for (int y = 0; y < crop.height; ++y) {
    for (int x = 0; x < crop.width; ++x) {
      double px = 0, py = 0;
      mapping.At(x, y, &px, &py);
      const auto fx = static_cast<std::int64_t>(RoundHalfUp(Bounded(px) * kFractions));
      const auto fy = static_cast<std::int64_t>(RoundHalfUp(Bounded(py) * kFractions));
      // Arithmetic shifts: down to the whole pixel, also left of the picture.
      const std::int64_t left = fx >> 5, top = fy >> 5;
      const Weights& across = kWeights[static_cast<std::size_t>(fx & (kFractions - 1))];
      const Weights& down = kWeights[static_cast<std::size_t>(fy & (kFractions - 1))];
      for (int k = 0; k < 4; ++k) {
        columns[k] = static_cast<std::size_t>(std::clamp<std::int64_t>(left + k - 1, 0, image.width - 1)) * channels;
        rows[k] = static_cast<std::size_t>(std::clamp<std::int64_t>(top + k - 1, 0, image.height - 1)) * row_bytes;
      }
      for (std::size_t channel = 0; channel < kCropChannels; ++channel) {
        const std::size_t from = channels == 1 ? 0 : channel;
        double sum = 0;
        for (int row = 0; row < 4; ++row) {
          double line = 0;
          for (int column = 0; column < 4; ++column)
            line += static_cast<double>(across[column]) * image.pixels[rows[row] + columns[column] + from];
          sum += static_cast<double>(down[row]) * line;
        }
        *target++ = static_cast<std::uint8_t>(std::clamp(RoundHalfUp(sum), 0.0, 255.0));
      }
    }
  }
}

}  // namespace im
