#include "kernels/device_parts.h"

#include <algorithm>

namespace im::kernels {

Result<detection::Matrix> ViewOnDevice(const DeviceMatrix& matrix, std::size_t pictures, std::size_t candidates,
                                       std::size_t attributes, const char* name) {
  // Each picture has a stretch of its own, within which its elements lie.
  const std::size_t before_last = pictures - 1;
  if (matrix.address % sizeof(float) != 0 || (before_last > 0 && matrix.per_picture > matrix.length / before_last)) {
    return InvalidArgument("decode", std::string(name) + " of " + std::to_string(pictures) + " pictures do not lie within " +
                                         std::to_string(matrix.length) + " elements.");
  }
  const std::size_t of_one =
      before_last > 0 ? std::min(matrix.per_picture, matrix.length - before_last * matrix.per_picture) : matrix.length;
  return detection::ViewMatrix(DevicePointer<const float>(matrix.address), of_one, matrix.layout, candidates, attributes, name);
}

}  // namespace im::kernels
