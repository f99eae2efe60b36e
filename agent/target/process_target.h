// A target that is a process: a container's first one, or any other.
#ifndef MIRRORFS_AGENT_TARGET_PROCESS_TARGET_H_
#define MIRRORFS_AGENT_TARGET_PROCESS_TARGET_H_

#include <memory>
#include <string>

#include "agent/target/held_process.h"
#include "agent/target/target.h"

namespace mirrorfs {

class ProcessTarget : public Target {
 public:
  // Joins the process's user namespace where that is needed, and makes sure that its root can be opened.
  static absl::StatusOr<std::unique_ptr<Target>> Create(HeldProcess process);

  const std::string& Description() const override { return description_; }
  absl::StatusOr<UniqueFd> OpenRoot() const override { return process_.OpenRoot(); }
  bool Alive() const override { return process_.Alive(); }
  const Credentials& ProcessCredentials() const override { return credentials_; }
  const IdMap& Uids() const override { return uids_; }
  const IdMap& Gids() const override { return gids_; }
  absl::StatusOr<ProcessFacts> ReadProcessFacts() const override;

 private:
  explicit ProcessTarget(HeldProcess process);
  absl::Status ReadIdentity();

  HeldProcess process_;
  std::string description_;
  Credentials credentials_;
  IdMap uids_;
  IdMap gids_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_PROCESS_TARGET_H_
