#include "agent/target/target_name.h"

#include <array>
#include <charconv>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

// What follows is for people: mirrorfs itself names these targets, so messages do not offer them.
constexpr std::array<std::pair<std::string_view, TargetKind>, 2> kDescribed = {
    {{"self:", TargetKind::kOwn}, {"ended:", TargetKind::kEnded}}};

absl::Status Unknown(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("\"{}\" is not a target: {}; a target is docker/NAME, podman/NAME, containerd/NAMESPACE/ID, cri/ID, "
                  "pid/N or dir:/path",
                  text, why));
}

absl::StatusOr<TargetName> ParseDirectory(std::string_view text, std::string_view path) {
  if (path.empty() || path.front() != '/') return Unknown(text, "the directory must be an absolute path");
  if (path.find('\0') != std::string_view::npos) return Unknown(text, "the path has a NUL byte in it");
  return TargetName{.kind = TargetKind::kDirectory, .space = {}, .name = std::string(path), .pid = 0};
}

absl::StatusOr<TargetName> ParsePid(std::string_view text, std::string_view number) {
  int pid = 0;
  const char* end = number.data() + number.size();
  const auto [stop, error] = std::from_chars(number.data(), end, pid);
  if (error != std::errc() || stop != end || pid <= 0) return Unknown(text, "a process id is a positive number");
  return TargetName{.kind = TargetKind::kPid, .space = {}, .name = std::string(number), .pid = pid};
}

absl::StatusOr<TargetName> ParseContainer(std::string_view text, TargetKind kind, std::string_view name) {
  TargetName target{.kind = kind, .space = {}, .name = {}, .pid = 0};
  if (kind == TargetKind::kContainerd) {
    const size_t slash = name.find('/');
    if (slash == std::string_view::npos) return Unknown(text, "containerd needs a namespace (k8s.io, moby, default)");
    target.space = name.substr(0, slash);
    if (target.space.empty()) return Unknown(text, "the containerd namespace is empty");
    name.remove_prefix(slash + 1);
  }
  if (name.empty()) return Unknown(text, "the container's name is missing");
  target.name = name;
  return target;
}

}  // namespace

absl::StatusOr<TargetName> ParseTargetName(std::string_view text) {
  constexpr std::string_view kDirectoryPrefix = "dir:";
  if (text.starts_with(kDirectoryPrefix)) return ParseDirectory(text, text.substr(kDirectoryPrefix.size()));
  for (const auto& [prefix, kind] : kDescribed) {
    if (text.starts_with(prefix)) {
      return TargetName{.kind = kind, .space = {}, .name = std::string(text.substr(prefix.size())), .pid = 0};
    }
  }
  const size_t slash = text.find('/');
  if (slash == std::string_view::npos) return Unknown(text, "it names no kind");
  const std::string_view kind = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  if (kind == "docker") return ParseContainer(text, TargetKind::kDocker, rest);
  if (kind == "podman") return ParseContainer(text, TargetKind::kPodman, rest);
  if (kind == "containerd") return ParseContainer(text, TargetKind::kContainerd, rest);
  if (kind == "cri") return ParseContainer(text, TargetKind::kCri, rest);
  if (kind == "pid") return ParsePid(text, rest);
  return Unknown(text, fmt::format("\"{}\" is not a kind of target", kind));
}

}  // namespace mirrorfs
