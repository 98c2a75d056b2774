// What the first bytes of a serialized engine (a "plan") say, so that a wrong file is refused in words before TensorRT parses it.
#pragma once

#include <cstddef>
#include <string>

#include "base/status.h"
#include "tensorrt/library.h"

namespace im::trt {

// Version of the TensorRT that built it. Refuses what is no plan or ends within its header. What comes after the header only
// TensorRT itself can check.
Result<Version> ReadPlanVersion(const void* data, std::size_t size);

// Whether this library may be asked to load that plan. A plan of another version loads only if it was built to be version
// compatible; such a plan carries machine code for the host, which runs in this process, so it has to be allowed by who trusts
// the file.
Status CheckPlanVersion(const Version& plan, const Version& library, bool host_code_allowed);

}  // namespace im::trt
