// A target that has ended: nothing is served, every request is told so. For who has lost a container that was reached
// through another program, where the agent that would have said it went with the container.
#ifndef MIRRORFS_AGENT_TARGET_ENDED_TARGET_H_
#define MIRRORFS_AGENT_TARGET_ENDED_TARGET_H_

#include <string>
#include <utility>

#include "absl/status/status.h"
#include "agent/target/target.h"

namespace mirrorfs {

class EndedTarget : public Target {
 public:
  explicit EndedTarget(std::string description) : description_(std::move(description)) {}

  const std::string& Description() const override { return description_; }
  absl::StatusOr<UniqueFd> OpenRoot() const override {
    return absl::FailedPreconditionError(description_ + " is not running any more");
  }
  bool Alive() const override { return false; }
  bool HasRoot() const override { return false; }
  const Credentials& ProcessCredentials() const override { return nobody_; }
  const IdMap& Uids() const override { return ids_; }
  const IdMap& Gids() const override { return ids_; }

 private:
  std::string description_;
  Credentials nobody_;
  IdMap ids_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_ENDED_TARGET_H_
