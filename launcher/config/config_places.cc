#include "launcher/config/config_places.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

namespace fs = std::filesystem;

constexpr char kProjectFile[] = ".mirrorfs.yaml";
constexpr off_t kLargest = 1 << 20;

bool Exists(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is not there
  return fs::exists(path, ignored);
}

absl::Status CannotRead(const std::string& path, std::string_view why) {
  return Failure(ExitCode::kFailed, fmt::format("{} cannot be read: {}.", path, why));
}

std::string DirectoryNamed(const Environment& environment, std::string_view variable) {
  std::string path = ValueOf(environment, variable);
  return path.starts_with('/') ? path : "";
}

}  // namespace

std::optional<std::string> FindProjectFile(std::string_view working_directory) {
  for (fs::path directory = working_directory; !directory.empty(); directory = directory.parent_path()) {
    if (const fs::path file = directory / kProjectFile; Exists(file)) return file.string();
    if (directory == directory.root_path()) break;
  }
  return std::nullopt;
}

std::optional<std::string> FindUserFile(const Environment& environment) {
  fs::path directory = DirectoryNamed(environment, "XDG_CONFIG_HOME");
  if (directory.empty()) {
    const std::string home = DirectoryNamed(environment, "HOME");
    if (home.empty()) return std::nullopt;
    directory = fs::path(home) / ".config";
  }
  const fs::path file = directory / "mirrorfs" / "config.yaml";
  return Exists(file) ? std::optional(file.string()) : std::nullopt;
}

absl::StatusOr<ConfigText> ReadConfigFile(const std::string& path, ConfigOrigin origin) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat facts = {};
  if (!fd || ::fstat(fd.get(), &facts) != 0) return CannotRead(path, ErrnoText(errno));
  if (S_ISDIR(facts.st_mode)) return CannotRead(path, "it is a directory");
  if (origin == ConfigOrigin::kFound && !S_ISREG(facts.st_mode)) return CannotRead(path, "it is not a regular file");
  ::fcntl(fd.get(), F_SETFL, 0);  // what is named may be waited for
  ConfigText config{
      .text = {},
      .owner = facts.st_uid == ::geteuid() || facts.st_uid == 0 ? FileOwner::kUserOrRoot : FileOwner::kSomebodyElse};
  char buffer[16384];
  for (;;) {
    const ssize_t count = ::read(fd.get(), buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return CannotRead(path, ErrnoText(errno));
    if (count == 0) return config;
    config.text.append(buffer, static_cast<size_t>(count));
    if (static_cast<off_t>(config.text.size()) > kLargest) return CannotRead(path, "it is larger than 1 MiB");
  }
}

}  // namespace mirrorfs
