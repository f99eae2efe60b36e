// A container of the lab's docker, to be killed.
#ifndef MIRRORFS_TESTS_KILL_LAB_CONTAINER_H_
#define MIRRORFS_TESTS_KILL_LAB_CONTAINER_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

class LabContainer {
 public:
  // `socket` is docker's, `volume` a directory of the host that is mounted on /volumes/bind.
  static absl::StatusOr<LabContainer> Start(const std::string& socket, const std::string& name,
                                            const std::string& volume);
  LabContainer(LabContainer&&) = default;
  ~LabContainer();

  std::string Target() const { return "docker/" + name_; }
  // Where the container's changes lie; outlives its process.
  const std::string& UpperDirectory() const { return upper_; }
  // Ends the container's first process by SIGKILL; returns a time at which it was dead for certain.
  absl::Time Kill() const;

 private:
  LabContainer(std::string socket, std::string name) : socket_(std::move(socket)), name_(std::move(name)) {}
  absl::StatusOr<std::string> Docker(std::vector<std::string> arguments) const;

  std::string socket_;
  std::string name_;  // empty: moved from
  UniqueFd pidfd_;
  std::string upper_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_KILL_LAB_CONTAINER_H_
