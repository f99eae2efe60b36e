#include "launcher/layers/layer_store.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/state/run_state.h"
#include "launcher/state/state_directory.h"
#include "protos/layer/layer_changes.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr size_t kLongestName = 100;
constexpr char kRootsLayers[] = "/var/lib/mirrorfs/layers";

bool IsNameCharacter(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

bool IsLayerName(std::string_view name) {
  return !name.empty() && name.size() <= kLongestName && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), IsNameCharacter);
}

// docker/web: docker-web-20261126-181502
std::string NewName(std::string_view target, const std::string& base) {
  std::string name;
  for (const char c : target.substr(0, 60)) name += IsNameCharacter(c) ? c : '-';
  name.erase(0, name.find_first_not_of("-."));
  if (name.empty()) name = "layer";
  name += absl::FormatTime("-%Y%m%d-%H%M%S", absl::Now(), absl::LocalTimeZone());
  std::string candidate = name;
  for (int n = 2; ::access((base + "/" + candidate).c_str(), F_OK) == 0; ++n) candidate = fmt::format("{}-{}", name, n);
  return candidate;
}

// Only its owner can enter; what others own is not taken.
absl::Status MakePrivateDirectory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  struct stat is = {};
  const bool made = ::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST;
  if (!made || ::lstat(path.c_str(), &is) != 0) {
    return Failure(ExitCode::kFailed,
                   fmt::format("the directory of private layers, {}, cannot be made: {}.", path, ErrnoText(errno)));
  }
  if (!S_ISDIR(is.st_mode) || is.st_uid != ::geteuid() || (is.st_mode & 077) != 0) {
    return Failure(ExitCode::kNotPermitted,
                   fmt::format("the directory of private layers, {}, must be a directory of yours that only you can "
                               "enter (chmod 700).",
                               path));
  }
  return absl::OkStatus();
}

bool IsInUse(const std::string& directory) {
  const UniqueFd lock(::open((directory + "/lock").c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  return lock && ::flock(lock.get(), LOCK_EX | LOCK_NB) != 0;
}

absl::StatusOr<KnownLayer> Describe(const std::string& name, const std::string& directory) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Layer> layer, Layer::Open(directory, LayerUse::kRead));
  KnownLayer known{.name = name, .directory = directory, .info = layer->info(), .in_use = IsInUse(directory)};
  ASSIGN_OR_RETURN(const std::vector<LayerChange> changes, ListLayerChanges(*layer));
  known.changes = changes.size();
  return known;
}

std::string NameOf(const std::string& directory) { return std::filesystem::path(directory).filename().string(); }

}  // namespace

absl::StatusOr<std::string> LayersPath(const Invoker& invoker) {
  const char* state = std::getenv("XDG_STATE_HOME");
  if (state != nullptr && state[0] == '/') return std::string(state) + "/mirrorfs/layers";
  if (invoker.IsRoot()) return std::string(kRootsLayers);
  const char* home = std::getenv("HOME");
  if (home != nullptr && home[0] == '/') return std::string(home) + "/.local/state/mirrorfs/layers";
  return Failure(ExitCode::kUsage, "private layers lie below $XDG_STATE_HOME or $HOME, and neither is set.");
}

absl::StatusOr<std::string> ChooseLayer(const Invoker& invoker, std::string_view name, std::string_view target) {
  ASSIGN_OR_RETURN(const std::string base, LayersPath(invoker));
  if (!name.empty() && !IsLayerName(name)) {
    return Failure(ExitCode::kUsage,
                   fmt::format("--layer {}: a name has letters, digits, '-', '_' and '.', and begins with a letter or "
                               "digit.",
                               name));
  }
  RETURN_IF_ERROR(MakePrivateDirectory(base));
  if (!name.empty()) WaitForEndingRuns(StateBasePath(invoker));
  const std::string directory = base + "/" + (name.empty() ? NewName(target, base) : std::string(name));
  const auto known = Describe(std::string(name), directory);
  if (ToErrno(known.status()) == ENOENT) return directory;
  if (!known.ok()) return Failure(ExitCode::kFailed, MessageOf(known.status()) + ".");
  if (known->info.target != target) {
    return Failure(ExitCode::kUsage, fmt::format("--layer {}: it is a layer of {}, not of {}. Choose another name, or "
                                                 "discard it: mirrorfs discard {}",
                                                 name, known->info.target, target, name));
  }
  if (known->in_use) {
    return Failure(ExitCode::kBusy, fmt::format("--layer {}: it is in use by another mount or run.", name));
  }
  return directory;
}

absl::StatusOr<std::vector<KnownLayer>> ListLayers(const Invoker& invoker) {
  ASSIGN_OR_RETURN(const std::string base, LayersPath(invoker));
  WaitForEndingRuns(StateBasePath(invoker));
  std::vector<KnownLayer> layers;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(base, error)) {
    auto known = Describe(entry.path().filename().string(), entry.path().string());
    if (known.ok()) layers.push_back(*std::move(known));
  }
  std::sort(layers.begin(), layers.end(), [](const KnownLayer& a, const KnownLayer& b) { return a.name < b.name; });
  return layers;
}

absl::StatusOr<KnownLayer> FindLayer(const Invoker& invoker, std::string_view name) {
  if (!name.empty()) {
    ASSIGN_OR_RETURN(const std::string base, LayersPath(invoker));
    WaitForEndingRuns(StateBasePath(invoker));
    const std::string text(name);
    const std::string directory = text.find('/') != text.npos ? text : base + "/" + text;
    auto known = Describe(NameOf(directory), directory);
    if (known.ok()) return known;
    if (ToErrno(known.status()) != ENOENT) return Failure(ExitCode::kFailed, MessageOf(known.status()) + ".");
    return Failure(ExitCode::kNoTarget, fmt::format("there is no layer '{}'. 'mirrorfs layers' lists yours.", name));
  }
  ASSIGN_OR_RETURN(std::vector<KnownLayer> layers, ListLayers(invoker));
  if (layers.empty()) return Failure(ExitCode::kNoTarget, "there is no private layer: nothing has been changed.");
  if (layers.size() == 1) return std::move(layers.front());
  std::string names;
  for (const KnownLayer& layer : layers) names += (names.empty() ? "" : ", ") + layer.name;
  return Failure(ExitCode::kUsage, fmt::format("there are {} layers; say which: {}.", layers.size(), names));
}

std::string SettleLayer(const std::string& directory) {
  const auto known = Describe(NameOf(directory), directory);
  if (!known.ok() || known->in_use) return {};
  if (known->changes == 0) {
    static_cast<void>(RemoveLayer(directory));
    return {};
  }
  return fmt::format(
      "{} {} changed in the private layer {}: 'mirrorfs diff {}' shows them, 'mirrorfs apply {}' brings "
      "them to the container, 'mirrorfs discard {}' forgets them.",
      known->changes, known->changes == 1 ? "path" : "paths", known->name, known->name, known->name, known->name);
}

}  // namespace mirrorfs
