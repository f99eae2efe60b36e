#include "launcher/keeper/child_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "fmt/format.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

constexpr size_t kShownLines = 6;

// The last few lines of `text`, without the newline at its end.
std::string LastLines(std::string text) {
  while (text.ends_with('\n')) text.pop_back();
  size_t begin = text.size();
  for (size_t line = 0; line < kShownLines && begin != 0 && begin != text.npos; ++line) {
    begin = text.rfind('\n', begin - 1);
  }
  return begin == text.npos || begin == 0 ? text : text.substr(begin + 1);
}

}  // namespace

absl::StatusOr<ChildLog> ChildLog::ToFile(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return Failure(ExitCode::kFailed, fmt::format("{} cannot be opened: {}.", path, ErrnoText(errno)));
  return ChildLog(std::move(fd), path);
}

absl::StatusOr<ChildLog> ChildLog::ToTerminal() {
  UniqueFd fd(::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3));
  if (!fd) return Failure(ExitCode::kFailed, fmt::format("standard error is closed: {}.", ErrnoText(errno)));
  return ChildLog(std::move(fd), "");
}

uint64_t ChildLog::Position() const {
  struct stat attributes;
  if (path_.empty() || ::fstat(fd_.get(), &attributes) != 0) return 0;
  return static_cast<uint64_t>(attributes.st_size);
}

std::string ChildLog::TextSince(uint64_t position) const {
  if (path_.empty()) return {};
  std::ifstream file(path_, std::ios::binary);
  file.seekg(static_cast<std::streamoff>(position));
  return LastLines(std::string(std::istreambuf_iterator<char>(file), {}));
}

void ChildLog::Trim() const {
  if (!path_.empty() && Position() > kMaxBytes && ::ftruncate(fd_.get(), 0) != 0) return;  // tried again later
}

}  // namespace mirrorfs
