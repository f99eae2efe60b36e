// docker exec and podman exec.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_DOCKER_RUNNER_H_
#define MIRRORFS_LAUNCHER_TUNNEL_DOCKER_RUNNER_H_

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "launcher/tunnel/container_runner.h"

namespace mirrorfs {

class DockerRunner : public ContainerRunner {
 public:
  // `target`: docker/NAME or podman/NAME. `runtime_socket`: empty for the client's own choice. The client is the one in
  // $PATH, or that of $MIRRORFS_DOCKER, $MIRRORFS_PODMAN. Fails with kUnreachable if there is none.
  static absl::StatusOr<std::unique_ptr<ContainerRunner>> Create(const std::string& target,
                                                                 const std::string& runtime_socket);

  absl::StatusOr<std::string> Find(const std::string& before) override;
  std::vector<std::string> Exec(const std::vector<std::string>& words) const override;
  absl::Status Explain(const std::string& errors) const override;
  std::string OtherWays() const override;

 private:
  DockerRunner(std::string kind, std::string name, std::vector<std::string> client)
      : kind_(std::move(kind)), container_(std::move(name)), client_(std::move(client)) {}
  std::vector<std::string> Client(const std::vector<std::string>& words) const;

  const std::string kind_;  // docker or podman
  std::string container_;   // name; its id once it has been found
  const std::vector<std::string> client_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_DOCKER_RUNNER_H_
