#include "agent/target/engine_api.h"
#include "agent/target/found_container.h"
#include "agent/target/runtime_sockets.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

std::vector<std::string> UsualSockets() {
  std::vector<std::string> sockets = {"/var/run/docker.sock", "/run/docker.sock"};
  for (std::string& socket : UserSocket("docker.sock")) sockets.push_back(std::move(socket));
  return sockets;
}

}  // namespace

absl::StatusOr<FoundContainer> FindDockerContainer(const TargetName& target, const std::string& socket) {
  ASSIGN_OR_RETURN(const auto candidates, SocketCandidates(socket, "DOCKER_HOST", UsualSockets()));
  ASSIGN_OR_RETURN(const auto sockets, AnsweringSockets("docker", candidates));
  return FindWithEngineApi("docker", sockets.front(), target.name);
}

}  // namespace mirrorfs
