#include "launcher/plan/target_spec.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/nearest.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr char kForms[] =
    "pod/NAME, deployment/NAME (and so on), docker/NAME, podman/NAME, containerd/NAMESPACE/ID, cri/ID, pid/N, "
    "dir:/PATH, unix:/SOCKET or grpc://HOST:PORT";

absl::Status Wrong(std::string_view text, std::string_view why) {
  const char* end = why.ends_with('?') || why.ends_with('.') ? "" : ".";
  return Failure(ExitCode::kUsage, fmt::format("target '{}': {}{} Targets are {}.", text, why, end, kForms));
}

bool ContainsControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

// A name or id as runtimes allow it: no slash, nothing that could be read as a path or an option.
bool IsPlainName(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '_' || c == '-' || c == '.'; });
}

absl::StatusOr<TargetSpec> Named(TargetKind kind, std::string_view text, std::string_view name) {
  if (!IsPlainName(name)) return Wrong(text, fmt::format("'{}' is not a container's name or id", name));
  return TargetSpec{.kind = kind, .text = std::string(text), .endpoint = {}};
}

absl::StatusOr<TargetSpec> Containerd(std::string_view text, std::string_view rest) {
  const size_t slash = rest.find('/');
  if (slash == rest.npos) return Wrong(text, "the containerd namespace is missing, as in containerd/k8s.io/ID");
  if (!IsPlainName(rest.substr(0, slash))) return Wrong(text, "that is not a containerd namespace");
  return Named(TargetKind::kContainerd, text, rest.substr(slash + 1));
}

absl::StatusOr<TargetSpec> Pid(std::string_view text, std::string_view number) {
  int pid = 0;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), pid);
  if (error != std::errc() || end != number.data() + number.size() || pid <= 0) {
    return Wrong(text, fmt::format("'{}' is not a process id", number));
  }
  return TargetSpec{.kind = TargetKind::kPid, .text = std::string(text), .endpoint = {}};
}

absl::StatusOr<TargetSpec> Grpc(std::string_view text, std::string_view authority) {
  while (authority.ends_with('/')) authority.remove_suffix(1);
  const size_t colon = authority.rfind(':');
  if (colon == authority.npos || colon == 0) return Wrong(text, "host:port is expected");
  const std::string_view digits = authority.substr(colon + 1);
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65535) {
    return Wrong(text, fmt::format("'{}' is not a port", digits));
  }
  if (authority.find('/') != authority.npos) return Wrong(text, "nothing may follow the port");
  return TargetSpec{.kind = TargetKind::kGrpc, .text = std::string(text), .endpoint = std::string(authority)};
}

absl::StatusOr<TargetSpec> WithPath(TargetKind kind, std::string_view scheme, std::string_view text,
                                    std::string_view working_directory) {
  const std::string_view path = text.substr(scheme.size());
  if (path.empty()) return Wrong(text, "the path is missing");
  const std::string absolute = std::string(scheme) + AbsolutePath(path, working_directory);
  return TargetSpec{
      .kind = kind, .text = absolute, .endpoint = kind == TargetKind::kUnixSocket ? absolute : std::string()};
}

absl::Status UnknownKind(std::string_view text, std::string_view kind) {
  std::vector<std::string> kinds = {"docker", "podman", "containerd", "cri", "pid"};
  for (const WorkloadKind& known : WorkloadKinds()) kinds.emplace_back(known.name);
  return Wrong(text, fmt::format("'{}' is no kind of target{}", kind, DidYouMean(kind, kinds)));
}

absl::StatusOr<TargetSpec> InCluster(std::string_view text, std::string_view working_directory) {
  ASSIGN_OR_RETURN(ClusterTarget target, ParseClusterTarget(text, working_directory));
  return TargetSpec{.kind = TargetKind::kCluster, .text = ClusterTargetText(target), .cluster = std::move(target)};
}

}  // namespace

std::string AbsolutePath(std::string_view path, std::string_view working_directory) {
  std::string result = (std::filesystem::path(working_directory) / path).lexically_normal().string();
  while (result.size() > 1 && result.ends_with('/')) result.pop_back();
  return result;
}

bool LooksLikeTarget(std::string_view word) {
  return word.find('/') != word.npos || word.starts_with("dir:") || word.starts_with("unix:");
}

absl::StatusOr<TargetSpec> ParseTarget(std::string_view text, std::string_view working_directory) {
  if (text.empty()) return Wrong(text, "it is empty");
  if (ContainsControl(text)) return Wrong("...", "control characters are not allowed in it");
  if (text.starts_with("dir:")) return WithPath(TargetKind::kDirectory, "dir:", text, working_directory);
  if (text.starts_with("unix:")) return WithPath(TargetKind::kUnixSocket, "unix:", text, working_directory);
  if (text.starts_with("grpc://")) return Grpc(text, text.substr(7));
  if (IsClusterTarget(text)) return InCluster(text, working_directory);
  const size_t slash = text.find('/');
  if (slash == text.npos) return Wrong(text, fmt::format("its kind is missing; did you mean docker/{}?", text));
  if (slash == 0) return Wrong(text, fmt::format("did you mean dir:{}?", text));
  const std::string_view kind = text.substr(0, slash);
  const std::string_view rest = text.substr(slash + 1);
  if (kind == "docker") return Named(TargetKind::kDocker, text, rest);
  if (kind == "podman") return Named(TargetKind::kPodman, text, rest);
  if (kind == "cri") return Named(TargetKind::kCri, text, rest);
  if (kind == "containerd") return Containerd(text, rest);
  if (kind == "pid") return Pid(text, rest);
  return UnknownKind(text, kind);
}

}  // namespace mirrorfs
