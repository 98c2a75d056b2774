// Why a GPU or an engine cannot be used, finer than a code: each has a section of its own in the documentation of errors.
#pragma once

namespace im {

enum class Reason {
  kNone,
  // Of any library.
  kLibraryMissing,
  kLibraryNotLoadable,
  // Of the driver and its devices.
  kDriverMissing,
  kDriverNotLoadable,
  kDriverTooOld,
  kNoGpu,
  kNoSuchGpu,
  // Of TensorRT's libraries.
  kTensorRtMissing,
  kTensorRtNotLoadable,
  kTensorRtOtherMajor,
  kTensorRtLacksPart,
  kTensorRtHostCode,
  kParserMissing,
  kParserNotLoadable,
  // Of a serialized engine.
  kEngineUnreadable,
  kEngineEmpty,
  kEngineOtherFormat,
  kEngineCutOff,
  kEngineNewer,
  kEngineOlder,
  kEngineOtherGpu,
  kEngineRefused,
};

// Names as JavaScript sees them (NativeFailure.reason), "" for none.
constexpr const char* ReasonName(Reason reason) {
  switch (reason) {
    case Reason::kNone: return "";
    case Reason::kLibraryMissing: return "library-missing";
    case Reason::kLibraryNotLoadable: return "library-not-loadable";
    case Reason::kDriverMissing: return "driver-missing";
    case Reason::kDriverNotLoadable: return "driver-not-loadable";
    case Reason::kDriverTooOld: return "driver-too-old";
    case Reason::kNoGpu: return "no-gpu";
    case Reason::kNoSuchGpu: return "no-such-gpu";
    case Reason::kTensorRtMissing: return "tensorrt-missing";
    case Reason::kTensorRtNotLoadable: return "tensorrt-not-loadable";
    case Reason::kTensorRtOtherMajor: return "tensorrt-other-major";
    case Reason::kTensorRtLacksPart: return "tensorrt-lacks-part";
    case Reason::kTensorRtHostCode: return "tensorrt-host-code";
    case Reason::kParserMissing: return "parser-missing";
    case Reason::kParserNotLoadable: return "parser-not-loadable";
    case Reason::kEngineUnreadable: return "engine-unreadable";
    case Reason::kEngineEmpty: return "engine-empty";
    case Reason::kEngineOtherFormat: return "engine-other-format";
    case Reason::kEngineCutOff: return "engine-cut-off";
    case Reason::kEngineNewer: return "engine-newer";
    case Reason::kEngineOlder: return "engine-older";
    case Reason::kEngineOtherGpu: return "engine-other-gpu";
    case Reason::kEngineRefused: return "engine-refused";
  }
  return "";
}

}  // namespace im
