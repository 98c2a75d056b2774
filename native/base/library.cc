#include "library.h"

#include <dlfcn.h>

#include <filesystem>
#include <utility>

namespace im {
namespace {

namespace fs = std::filesystem;

constexpr char kStage[] = "library";

std::string Joined(const std::vector<std::string>& parts, const char* separator) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : separator) + part;
  return text;
}

// The loader has no codes, only words: glibc's, musl's, and macOS's.
bool SaysNoSuchFile(const std::string& name, const std::string& why) {
  const auto says = [&](const char* words) { return why.find(words) != std::string::npos; };
  // The file is there, and another one that it needs is not.
  if (says("needed by") || says("Library not loaded") || !says(name.c_str())) return false;
  return says("No such file") || says("no such file");
}

// The file that really was opened; the loader knows where it found a bare name.
std::string PathOf(void* symbol, const std::string& asked) {
  Dl_info info{};
  return dladdr(symbol, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : asked;
}

class Search {
 public:
  explicit Search(const LibrarySearch& search) : search_(search) {}

  // Whether the library is open now.
  bool TryName(const std::string& name) {
    dlerror();
    void* handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) {
      const char* why = dlerror();
      failures_.push_back(why == nullptr ? name + ": cannot be opened" : why);
      if (!SaysNoSuchFile(name, failures_.back())) any_file_ = true;
      return false;
    }
    void* symbol = dlsym(handle, search_.symbol);
    if (symbol == nullptr) {
      failures_.push_back(name + ": has no function " + search_.symbol);
      any_file_ = true;
      return false;
    }
    handle_ = handle;
    path_ = PathOf(symbol, name);
    return true;
  }

  bool TryFolder(const std::string& folder) {
    bool any = false;
    for (const std::string& name : search_.names) {
      std::error_code error;
      const fs::path file = fs::path(folder) / name;
      if (!fs::exists(file, error)) continue;
      any = true;
      any_file_ = true;
      if (TryName(file.string())) return true;
    }
    if (!any) empty_folders_.push_back(folder);
    return false;
  }

  bool TryConfigured() {
    const fs::path given(search_.configured);
    std::error_code error;
    if (fs::is_directory(given, error)) return TryFolder(given.string());
    if (!fs::exists(given, error)) {
      failures_.push_back(search_.configured + ": does not exist");
      return false;
    }
    // A file: this very one if it is of the right kind, else its neighbours.
    const std::string stem = search_.names.front().substr(0, search_.names.front().find('.'));
    const std::string file = given.filename().string();
    if (file.compare(0, stem.size() + 1, stem + ".") == 0 && TryName(fs::absolute(given, error).string())) return true;
    return TryFolder(given.has_parent_path() ? given.parent_path().string() : ".");
  }

  bool Run() {
    if (!search_.configured.empty() && TryConfigured()) return true;
    if (search_.ask_loader) {
      for (const std::string& name : search_.names) {
        if (TryName(name)) return true;
      }
    }
    for (const std::string& folder : search_.folders) {
      if (TryFolder(folder)) return true;
    }
    return false;
  }

  void* handle() const { return handle_; }
  const std::string& path() const { return path_; }
  // Whether there was a file of that name.
  bool any_file() const { return any_file_; }

  std::string WhatHappened() const {
    std::vector<std::string> parts = failures_;
    if (!empty_folders_.empty()) parts.push_back("no " + Joined(search_.names, " or ") + " in " + Joined(empty_folders_, ", "));
    return Joined(parts, "; ") + ".";
  }

 private:
  const LibrarySearch& search_;
  void* handle_ = nullptr;
  std::string path_;
  bool any_file_ = false;
  std::vector<std::string> failures_;
  std::vector<std::string> empty_folders_;
};

}  // namespace

Result<Library> Library::Open(const LibrarySearch& given) {
  Search search(given);
  if (!search.Run()) {
    return Status(Code::kRuntime, kStage, search.WhatHappened())
        .With(search.any_file() ? Reason::kLibraryNotLoadable : Reason::kLibraryMissing);
  }
  return Library(search.handle(), search.path());
}

void* Library::Find(const char* symbol) const { return dlsym(handle_, symbol); }

}  // namespace im
