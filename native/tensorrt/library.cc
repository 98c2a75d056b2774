#include "library.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include "tensorrt/plan.h"

namespace im::trt {
namespace {

constexpr char kStage[] = "tensorrt.open";
// Looked for only to tell what is installed instead.
constexpr int kOtherMajors[] = {12, 9, 8, 7};
constexpr char kWhatToDo[] = " Install TensorRT 10 or 11, or name its folder with INFERENCE_MODELS_TENSORRT_LIBRARY_PATH.";

std::vector<std::string> Folders() {
  return {"/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64",    "/usr/local/tensorrt/lib",
          "/opt/tensorrt/lib",         "/usr/local/cuda/lib64",      "/usr/local/lib"};
}

LibrarySearch SearchFor(std::string name, const char* symbol, const std::string& configured) {
  LibrarySearch search;
  search.names = {std::move(name)};
  search.configured = configured;
  search.folders = Folders();
  search.symbol = symbol;
  return search;
}

std::string VersionedName(const char* stem, int major) { return std::string(stem) + ".so." + std::to_string(major); }

int Ask(const Library& library, const char* symbol, int otherwise) {
  const auto function = library.Find<int (*)()>(symbol);
  return function == nullptr ? otherwise : function();
}

Version ReadVersion(const Library& library) {
  const int number = Ask(library, "getInferLibVersion", 0);
  // Before TensorRT 10 a thousand separated major and minor: 8601 is 8.6.1.
  if (number < 100000) return {number / 1000, number / 100 % 10, number % 100, 0};
  return {number / 10000, number / 100 % 100, number % 100, Ask(library, "getInferLibBuildVersion", 0)};
}

void Restrict(LibrarySearch& search, bool only_configured) {
  if (!only_configured) return;
  search.ask_loader = false;
  search.folders.clear();
}

}  // namespace

const char* KindName(Kind kind) {
  switch (kind) {
    case Kind::kFull: return "full";
    case Kind::kLean: return "lean";
    case Kind::kDispatch: return "dispatch";
  }
  return "full";
}

std::string Version::Text() const {
  std::string text = std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  return build > 0 ? text + "." + std::to_string(build) : text;
}

LibrarySearch InferSearch(Kind kind, int major, const std::string& configured) {
  const char* stem = kind == Kind::kFull ? "libnvinfer" : kind == Kind::kLean ? "libnvinfer_lean" : "libnvinfer_dispatch";
  return SearchFor(VersionedName(stem, major), "getInferLibVersion", configured);
}

LibrarySearch ParserSearch(int major, const std::string& configured) {
  return SearchFor(VersionedName("libnvonnxparser", major), "getNvOnnxParserVersion", configured);
}

Result<InferLibrary> InferLibrary::Open(Kind kind, const LibrarySearch& search) {
  Result<Library> opened = Library::Open(search);
  if (!opened.ok()) return opened.status();
  const Version version = ReadVersion(opened.value());
  if (std::find(std::begin(kMajors), std::end(kMajors), version.major) == std::end(kMajors)) {
    return Status(Code::kTensorRt, kStage, opened.value().path() + " is TensorRT " + version.Text() + ".")
        .With(Reason::kTensorRtOtherMajor);
  }
  return InferLibrary(kind, version, std::move(opened.value()));
}

Status NoInferLibrary(const std::vector<Status>& failures, const std::string& configured, bool only_configured) {
  const auto said = [&failures](Reason reason) {
    std::string text;
    for (const Status& failure : failures) {
      if (failure.reason() == reason) text += " " + failure.message();
    }
    return text;
  };
  if (const std::string broken = said(Reason::kLibraryNotLoadable); !broken.empty()) {
    return Status(Code::kTensorRt, kStage,
                  "A library of TensorRT is there but cannot be opened:" + broken +
                      " Install it anew with what it needs, or name the folder of another one with "
                      "INFERENCE_MODELS_TENSORRT_LIBRARY_PATH.")
        .With(Reason::kTensorRtNotLoadable);
  }
  std::string others = said(Reason::kTensorRtOtherMajor);
  for (const int major : kOtherMajors) {
    LibrarySearch search = InferSearch(Kind::kFull, major, configured);
    Restrict(search, only_configured);
    const Status failure = InferLibrary::Open(Kind::kFull, search).status();
    if (failure.reason() == Reason::kTensorRtOtherMajor) others += " " + failure.message();
  }
  if (!others.empty()) {
    return Status(Code::kTensorRt, kStage,
                  "The TensorRT that is installed is of another major version than 10 and 11:" + others + kWhatToDo)
        .With(Reason::kTensorRtOtherMajor);
  }
  return Status(Code::kTensorRt, kStage,
                std::string("TensorRT is not installed.") + kWhatToDo + " Looked for:" + said(Reason::kLibraryMissing))
      .With(Reason::kTensorRtMissing);
}

Result<InferLibrary> OpenInferLibraryFor(const Version& plan, const std::string& configured, bool host_code_allowed) {
  std::vector<int> majors = {plan.major};
  for (const int major : kMajors) {
    if (major != plan.major) majors.push_back(major);
  }
  // Engines of a major that is not known here may still run in a newer release; its own libraries are of no use.
  if (std::find(std::begin(kMajors), std::end(kMajors), plan.major) == std::end(kMajors)) majors.erase(majors.begin());
  std::vector<Status> failures;
  std::string installed;
  std::optional<Status> unfit;
  for (const int major : majors) {
    for (const Kind kind : {Kind::kFull, Kind::kLean}) {
      Result<InferLibrary> opened = InferLibrary::Open(kind, InferSearch(kind, major, configured));
      if (!opened.ok()) {
        failures.push_back(opened.status());
        continue;
      }
      const Status fits = CheckPlanVersion(plan, opened.value().version(), host_code_allowed);
      if (fits.ok()) return opened;
      if (!unfit) unfit = fits;
      installed += " " + opened.value().library().path() + " is " + opened.value().version().Text() + ".";
    }
  }
  for (const int major : majors) {
    Result<InferLibrary> opened = InferLibrary::Open(Kind::kDispatch, InferSearch(Kind::kDispatch, major, configured));
    if (!opened.ok()) continue;
    const Status fits = CheckPlanVersion(plan, opened.value().version(), true);
    if (fits.ok() && host_code_allowed) return opened;
    if (!fits.ok()) {
      if (!unfit) unfit = fits;
      installed += " " + opened.value().library().path() + " is " + opened.value().version().Text() + ".";
      continue;
    }
    if (unfit) break;
    return Status(Code::kTensorRt, kStage,
                  "Of TensorRT only " + opened.value().library().path() +
                      " is installed, which runs the machine code that version compatible engines bring along: allow it "
                      "(engineHostCodeAllowed) if you trust the file, or install the full or the lean library.")
        .With(Reason::kTensorRtHostCode);
  }
  if (unfit) return Status(unfit->code(), unfit->stage(), unfit->message() + installed).With(unfit->reason());
  const Status none = NoInferLibrary(failures, configured);
  return Status(none.code(), none.stage(), "The engine needs TensorRT " + plan.Text() + ". " + none.message())
      .With(none.reason());
}

std::vector<FoundLibrary> FindInferLibraries(const std::string& configured, bool only_configured) {
  std::vector<FoundLibrary> found;
  std::vector<Status> failures;
  for (const int major : kMajors) {
    for (const Kind kind : {Kind::kFull, Kind::kLean, Kind::kDispatch}) {
      LibrarySearch search = InferSearch(kind, major, configured);
      Restrict(search, only_configured);
      const Result<InferLibrary> opened = InferLibrary::Open(kind, search);
      if (opened.ok()) found.push_back({kind, opened.value().library().path(), opened.value().version().Text(), ""});
      else if (kind == Kind::kFull) failures.push_back(opened.status());
    }
  }
  if (found.empty()) found.push_back({Kind::kFull, "", "", NoInferLibrary(failures, configured, only_configured).message()});
  return found;
}

FoundLibrary FindParser(const std::string& configured, bool only_configured) {
  FoundLibrary found;
  for (const int major : kMajors) {
    LibrarySearch search = ParserSearch(major, configured);
    Restrict(search, only_configured);
    const Result<Library> opened = Library::Open(search);
    if (opened.ok()) {
      const int number = Ask(opened.value(), "getNvOnnxParserVersion", 0);
      return {Kind::kFull, opened.value().path(), Version{number / 10000, number / 100 % 100, number % 100, 0}.Text(), ""};
    }
    found.reason += (found.reason.empty() ? "" : " ") + opened.status().message();
  }
  return found;
}

}  // namespace im::trt
