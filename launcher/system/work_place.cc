#include "launcher/system/work_place.h"

#include <stdlib.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

std::string TemporaryDirectory() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::temp_directory_path(error);
  return error ? "/tmp" : path.string();
}

}  // namespace

absl::StatusOr<WorkPlace> WorkPlace::ForSockets(const Invoker& invoker) {
  if (!invoker.runtime_directory.empty()) {
    auto place = Make(invoker.runtime_directory);
    if (place.ok()) return place;  // else it is another user's (after su), or has gone with its session
  }
  return ForFiles();
}

absl::StatusOr<WorkPlace> WorkPlace::ForFiles() { return Make(TemporaryDirectory()); }

absl::StatusOr<WorkPlace> WorkPlace::Make(const std::string& base) {
  std::string path = base + "/mirrorfs-XXXXXX";
  if (::mkdtemp(path.data()) != nullptr) return WorkPlace(std::move(path));
  return Failure(ExitCode::kFailed,
                 fmt::format("{}: no temporary directory can be made there: {}.", base, ErrnoText(errno)));
}

WorkPlace::~WorkPlace() {
  if (path_.empty()) return;
  std::error_code ignored;  // a few files in a temporary place
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace mirrorfs
