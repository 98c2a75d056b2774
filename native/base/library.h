// Shared libraries that are opened at run time: where they are looked for, and why a place did not do.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"

namespace im {

// Where one library may lie.
struct LibrarySearch {
  // File names, the preferred one first: "libcuda.so.1".
  std::vector<std::string> names;
  // Folder that the user named, or a file in it; "" = none. Looked at first.
  std::string configured;
  // Whether the loader is asked for the bare names: LD_LIBRARY_PATH, its cache, its usual folders.
  bool ask_loader = true;
  // Looked at last.
  std::vector<std::string> folders;
  // A library that opens but lacks this function is another one, or a broken one.
  const char* symbol = nullptr;
};

// An open library. Never closed: its own threads may still run when the process ends.
class Library {
 public:
  // The failure says what happened at every place, and whether there was a file that cannot be opened (kLibraryNotLoadable) or
  // none at all (kLibraryMissing).
  static Result<Library> Open(const LibrarySearch& search);

  const std::string& path() const { return path_; }
  // Null when the library does not have it.
  void* Find(const char* symbol) const;
  template <typename Function>
  Function Find(const char* symbol) const {
    return reinterpret_cast<Function>(Find(symbol));
  }

 private:
  Library(void* handle, std::string path) : handle_(handle), path_(std::move(path)) {}

  void* handle_;
  std::string path_;
};

}  // namespace im
