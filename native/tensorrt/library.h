// TensorRT's libraries: found, and asked for their versions. Nothing is created here: without a driver that has answered, the
// library's factory of runtimes returns a pointer to nowhere.
#pragma once

#include <string>
#include <vector>

#include "base/library.h"
#include "base/status.h"

namespace im::trt {

enum class Kind { kFull, kLean, kDispatch };
const char* KindName(Kind kind);

// 10.15.1.29 is {10, 15, 1, 29}.
struct Version {
  int major = 0;
  int minor = 0;
  int patch = 0;
  int build = 0;

  // As TensorRT counts: 101501.
  int number() const { return major * 10000 + minor * 100 + patch; }
  // Without the build when it is not known.
  std::string Text() const;
};

// The majors whose binary interface is described here, newest first.
constexpr int kMajors[] = {11, 10};

LibrarySearch InferSearch(Kind kind, int major, const std::string& configured);
LibrarySearch ParserSearch(int major, const std::string& configured);

class InferLibrary {
 public:
  // Refuses majors other than those above, whatever the file is called.
  static Result<InferLibrary> Open(Kind kind, const LibrarySearch& search);

  Kind kind() const { return kind_; }
  const Version& version() const { return version_; }
  const Library& library() const { return library_; }

 private:
  InferLibrary(Kind kind, Version version, Library library) : kind_(kind), version_(version), library_(std::move(library)) {}

  Kind kind_;
  Version version_;
  Library library_;
};

// The library to run an engine that this version built: of those that may be asked to load it (CheckPlanVersion) the full one of
// its major, else the lean one, else one of another major; at last, where an engine's own machine code is allowed, the dispatch
// library, which has nothing else to run. The failure lists what is installed.
Result<InferLibrary> OpenInferLibraryFor(const Version& plan, const std::string& configured, bool host_code_allowed);

struct FoundLibrary {
  Kind kind = Kind::kFull;
  std::string path;     // "" = not found
  std::string version;  // "" = not known
  std::string reason;   // "" = nothing went wrong
};

// Why TensorRT cannot be used where no library that was asked for could be opened: `failures` of the attempts, whose files decide
// whether it is missing, cannot be opened, or is of a major that is not known here, which is looked for last.
Status NoInferLibrary(const std::vector<Status>& failures, const std::string& configured, bool only_configured = false);

// Every library that was found, newest major first; when there is none, one entry for the full library with the reason.
std::vector<FoundLibrary> FindInferLibraries(const std::string& configured, bool only_configured = false);
// The parser of the newest major that was found. Its version counts on its own: "0.1.0" for TensorRT 10 and 11.
FoundLibrary FindParser(const std::string& configured, bool only_configured = false);

}  // namespace im::trt
