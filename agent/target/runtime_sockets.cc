#include "agent/target/runtime_sockets.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr std::string_view kUnixScheme = "unix://";

std::string WithoutScheme(std::string_view socket) {
  if (socket.starts_with(kUnixScheme)) socket.remove_prefix(kUnixScheme.size());
  return std::string(socket);
}

// 0, or the errno of connect.
int TryConnect(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof(address.sun_path)) return ENAMETOOLONG;
  path.copy(address.sun_path, path.size());
  // Non-blocking: a full backlog is EAGAIN, and a runtime too busy to accept does not stop us here.
  UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return errno;
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0) return 0;
  return errno == EAGAIN ? 0 : errno;
}

std::vector<std::string> UserSocket(std::string_view name) {
  const char* directory = std::getenv("XDG_RUNTIME_DIR");
  if (directory == nullptr || *directory != '/') return {};
  return {fmt::format("{}/{}", directory, name)};
}

const char* VariableOf(Runtime runtime) {
  switch (runtime) {
    case Runtime::kDocker:
      return "DOCKER_HOST";
    case Runtime::kPodman:
      return "CONTAINER_HOST";
    case Runtime::kContainerd:
      return "CONTAINERD_ADDRESS";
    case Runtime::kCri:
      break;
  }
  return "CONTAINER_RUNTIME_ENDPOINT";
}

std::vector<std::string> UsualSockets(Runtime runtime) {
  std::vector<std::string> sockets;
  switch (runtime) {
    case Runtime::kDocker:
      sockets = {"/var/run/docker.sock", "/run/docker.sock"};
      for (std::string& socket : UserSocket("docker.sock")) sockets.push_back(std::move(socket));
      return sockets;
    case Runtime::kPodman:
      sockets = UserSocket("podman/podman.sock");
      sockets.emplace_back("/run/podman/podman.sock");
      return sockets;
    case Runtime::kContainerd:
      return {"/run/containerd/containerd.sock", "/run/k3s/containerd/containerd.sock", "/run/k0s/containerd.sock",
              "/var/snap/microk8s/common/run/containerd.sock", "/run/docker/containerd/containerd.sock"};
    case Runtime::kCri:
      break;
  }
  return {"/run/containerd/containerd.sock",
          "/run/crio/crio.sock",
          "/run/k3s/containerd/containerd.sock",
          "/var/snap/microk8s/common/run/containerd.sock",
          "/run/k0s/containerd.sock",
          "/run/cri-dockerd.sock"};
}

absl::StatusOr<std::vector<std::string>> Candidates(Runtime runtime, const std::string& chosen) {
  if (!chosen.empty()) return std::vector<std::string>{chosen};
  const char* value = std::getenv(VariableOf(runtime));
  if (value == nullptr || *value == '\0') return UsualSockets(runtime);
  const std::string_view address = value;
  if (address.starts_with(kUnixScheme) || address.starts_with('/')) return std::vector<std::string>{value};
  return absl::InvalidArgumentError(
      fmt::format("{}={} is not on this machine: the agent must run beside the container, and asks a unix:// socket",
                  VariableOf(runtime), value));
}

}  // namespace

absl::StatusOr<std::vector<std::string>> AnsweringSockets(std::string_view runtime,
                                                          const std::vector<std::string>& candidates) {
  std::vector<std::string> answering;
  std::vector<std::string> tried;
  std::string forbidden;
  for (const std::string& candidate : candidates) {
    const std::string path = WithoutScheme(candidate);
    const int error = TryConnect(path);
    if (error == 0) answering.push_back(path);
    if (error == EACCES || error == EPERM) forbidden = path;
    tried.push_back(fmt::format("{} ({})", path, std::generic_category().message(error)));
  }
  if (!answering.empty()) return answering;
  if (!forbidden.empty()) {
    return absl::PermissionDeniedError(
        fmt::format("{}: {} may not be opened: run this as root, or as a member of the group that owns the socket; "
                    "tried {}",
                    runtime, forbidden, fmt::join(tried, ", ")));
  }
  return absl::UnavailableError(
      fmt::format("{} does not answer; tried {}; is it running? A socket elsewhere can be "
                  "given with --runtime-socket",
                  runtime, fmt::join(tried, ", ")));
}

std::string_view ToWord(Runtime runtime) {
  switch (runtime) {
    case Runtime::kDocker:
      return "docker";
    case Runtime::kPodman:
      return "podman";
    case Runtime::kContainerd:
      return "containerd";
    case Runtime::kCri:
      break;
  }
  return "cri";
}

absl::StatusOr<std::vector<std::string>> AnsweringSocketsOf(Runtime runtime, const std::string& chosen) {
  ASSIGN_OR_RETURN(const std::vector<std::string> candidates, Candidates(runtime, chosen));
  return AnsweringSockets(ToWord(runtime), candidates);
}

}  // namespace mirrorfs
