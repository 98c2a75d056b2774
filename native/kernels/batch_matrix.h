// Matrices in the outputs of a network, as kernels read them: of float32, or of float16, which is widened to the same numbers.
#pragma once

#include <cstddef>
#include <cstdint>

#include "image/host_device.h"
#include "kernels/half.h"

namespace im::kernels {

IM_HOST_DEVICE float Widened(float value) { return value; }
IM_HOST_DEVICE float Widened(Half value) { return FromHalf(value); }

IM_HOST_DEVICE float NumberAt(const void* data, bool half, std::size_t index) {
  return half ? Widened(static_cast<const Half*>(data)[index]) : static_cast<const float*>(data)[index];
}

// As detection::Matrix, of elements of either type.
template <typename Element>
struct ElementMatrix {
  const Element* data;
  std::size_t candidate_stride;
  std::size_t attribute_stride;

  IM_HOST_DEVICE float At(std::size_t candidate, std::size_t attribute) const {
    return Widened(data[candidate * candidate_stride + attribute * attribute_stride]);
  }
};

class PictureMatrix;

// One for each picture of a batch, or the same for all (0 elements apart). Strides count elements.
struct BatchMatrix {
  const void* data = nullptr;
  std::size_t candidate_stride = 0;
  std::size_t attribute_stride = 0;
  std::size_t per_picture = 0;
  bool half = false;

  IM_HOST_DEVICE float At(unsigned picture, std::size_t candidate, std::size_t attribute) const {
    return NumberAt(data, half, picture * per_picture + candidate * candidate_stride + attribute * attribute_stride);
  }

  // For a few numbers.
  IM_HOST_DEVICE PictureMatrix Of(unsigned picture) const;
  // For many: what work(matrix) returns for the ElementMatrix of a picture. The type is asked for once, and not in the loops of
  // `work`.
  template <typename Work>
  IM_HOST_DEVICE auto With(unsigned picture, Work work) const {
    const std::size_t first = picture * per_picture;
    if (half) return work(ElementMatrix<Half>{static_cast<const Half*>(data) + first, candidate_stride, attribute_stride});
    return work(ElementMatrix<float>{static_cast<const float*>(data) + first, candidate_stride, attribute_stride});
  }
};

// As detection::Matrix, of elements whose type is asked for with each of them.
class PictureMatrix {
 public:
  IM_HOST_DEVICE PictureMatrix(const BatchMatrix& batch, unsigned picture) : batch_(batch), picture_(picture) {}
  IM_HOST_DEVICE float At(std::size_t candidate, std::size_t attribute) const {
    return batch_.At(picture_, candidate, attribute);
  }

 private:
  const BatchMatrix& batch_;
  unsigned picture_;
};

IM_HOST_DEVICE PictureMatrix BatchMatrix::Of(unsigned picture) const { return {*this, picture}; }

}  // namespace im::kernels
