#include "plan.h"

#include <array>
#include <cstring>

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.load";
constexpr char kVersionStage[] = "tensorrt.version";
constexpr std::size_t kHeaderBytes = 28;
constexpr std::size_t kVersionOffset = 24;
constexpr char kMagic[] = "ftrt";

bool StartsWith(const unsigned char* data, std::size_t size, const char* text) {
  const std::size_t length = std::strlen(text);
  return size >= length && std::memcmp(data, text, length) == 0;
}

// Files that get here by mistake.
std::string LooksLike(const unsigned char* data, std::size_t size) {
  if (StartsWith(data, size, "version https://git-lfs"))
    return " It is a pointer file of Git LFS: fetch the file itself (git lfs pull).";
  if (StartsWith(data, size, "<")) return " It looks like a web page: the download went wrong.";
  if (StartsWith(data, size, "\x08"))
    return " It looks like an ONNX model: load it with ONNX Runtime, or build an engine from it.";
  if (size > 4 && data[4] == '{')
    return " It may have a description in JSON before the engine, as Ultralytics writes it: take away its length (4 bytes) and "
           "the text.";
  return "";
}

}  // namespace

Result<Version> ReadPlanVersion(const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  if (size == 0)
    return Status(Code::kTensorRt, kStage, "The engine is empty. Build or download it again.").With(Reason::kEngineEmpty);
  if (!StartsWith(bytes, size, kMagic)) {
    return Status(Code::kTensorRt, kStage,
                  "This is no TensorRT engine: it does not begin with \"ftrt\"." + LooksLike(bytes, size))
        .With(Reason::kEngineOtherFormat);
  }
  if (size <= kHeaderBytes) {
    return Status(Code::kTensorRt, kStage,
                  "The engine is cut off: it has " + std::to_string(size) + " bytes, its header alone has " +
                      std::to_string(kHeaderBytes) + ". Build or download it again.")
        .With(Reason::kEngineCutOff);
  }
  std::uint32_t serialization = 0;
  std::memcpy(&serialization, bytes + 4, sizeof serialization);
  if (serialization != 0) {
    return Status(Code::kTensorRt, kStage,
                  "The engine is written in form " + std::to_string(serialization) +
                      ", which is not known here: it is damaged, or newer than this package.")
        .With(Reason::kEngineOtherFormat);
  }
  const unsigned char* version = bytes + kVersionOffset;
  return Version{version[0], version[1], version[2], version[3]};
}

Status CheckPlanVersion(const Version& plan, const Version& library, bool host_code_allowed) {
  if (plan.number() == library.number()) return {};
  const std::string what = "The engine was built by TensorRT " + plan.Text() + ", installed is " + library.Text() + ".";
  if (plan.number() > library.number()) {
    return Status(Code::kTensorRt, kVersionStage,
                  what + " An engine never loads in an older release: install " + plan.Text() + " or build the engine anew.")
        .With(Reason::kEngineNewer);
  }
  if (host_code_allowed) return {};
  return Status(Code::kTensorRt, kVersionStage,
                what +
                    " Only an engine that was built to be version compatible can load; it brings machine code along, so allow it "
                    "(engineHostCodeAllowed) if you trust the file. Otherwise install that release or build the engine anew.")
      .With(Reason::kEngineOlder);
}

}  // namespace im::trt
