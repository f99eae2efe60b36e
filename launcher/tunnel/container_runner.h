// A program that runs commands in a container: docker exec, podman exec, kubectl exec.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_CONTAINER_RUNNER_H_
#define MIRRORFS_LAUNCHER_TUNNEL_CONTAINER_RUNNER_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace mirrorfs {

class ContainerRunner {
 public:
  virtual ~ContainerRunner() = default;

  // Finds the container that the target names, and gives a text that names it for good (see RemoteAgent::Container).
  // `before`, if not empty, is such a text: then that container is looked at and no other; the text differs if it was
  // started anew. kNoTarget if there is none that runs.
  virtual absl::StatusOr<std::string> Find(const std::string& before) = 0;
  // argv that runs `words` in the container that was found, its stdin, stdout and stderr connected to ours.
  virtual std::vector<std::string> Exec(const std::vector<std::string>& words) const = 0;
  // NAME=VALUE, in addition to this process's environment.
  virtual std::vector<std::string> Variables() const { return {}; }
  // Whether there is another way to run commands, after one that did not begin and wrote these errors: from then on it
  // is taken, by Variables, too.
  virtual bool TakeOtherProtocol(const std::string& errors) {
    (void)errors;
    return false;
  }
  // Why such a command did not even begin, from what was written to stderr; for a person.
  virtual absl::Status Explain(const std::string& errors) const = 0;
  // What else can be done where the agent cannot be put into the container: a sentence.
  virtual std::string OtherWays() const = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_CONTAINER_RUNNER_H_
