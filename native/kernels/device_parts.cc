#include "kernels/device_parts.h"

#include <algorithm>

namespace im::kernels {

Result<BatchMatrix> ViewOnDevice(const DeviceMatrix& matrix, std::size_t pictures, std::size_t candidates, std::size_t attributes,
                                 const char* name) {
  const std::size_t element = matrix.half ? sizeof(Half) : sizeof(float);
  // Each picture has a stretch of its own, within which its elements lie.
  const std::size_t before_last = pictures - 1;
  if (matrix.address % element != 0 || (before_last > 0 && matrix.per_picture > matrix.length / before_last)) {
    return InvalidArgument("decode", std::string(name) + " of " + std::to_string(pictures) + " pictures do not lie within " +
                                         std::to_string(matrix.length) + " elements.");
  }
  const std::size_t of_one =
      before_last > 0 ? std::min(matrix.per_picture, matrix.length - before_last * matrix.per_picture) : matrix.length;
  IM_RETURN_IF_ERROR(detection::CheckMatrix(of_one, matrix.layout, candidates, attributes, name));
  return BatchMatrix{DevicePointer<const void>(matrix.address + matrix.layout.offset * element), matrix.layout.candidate_stride,
                     matrix.layout.attribute_stride, matrix.per_picture, matrix.half};
}

}  // namespace im::kernels
