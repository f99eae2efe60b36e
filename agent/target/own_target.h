// A target that is the container in which the agent itself runs, with the rights that it has there.
#ifndef MIRRORFS_AGENT_TARGET_OWN_TARGET_H_
#define MIRRORFS_AGENT_TARGET_OWN_TARGET_H_

#include <memory>
#include <string>

#include "agent/target/target.h"

namespace mirrorfs {

// It lives as long as the agent does: the container's end is the agent's.
class OwnTarget : public Target {
 public:
  // `description`: what people call the container.
  static absl::StatusOr<std::unique_ptr<Target>> Open(const std::string& description);

  const std::string& Description() const override { return description_; }
  absl::StatusOr<UniqueFd> OpenRoot() const override;
  bool Alive() const override { return true; }
  bool WithOwnRights() const override { return true; }
  const Credentials& ProcessCredentials() const override { return credentials_; }
  const IdMap& Uids() const override { return uids_; }
  const IdMap& Gids() const override { return gids_; }
  // Of process 1 if it is the container's and may be looked at, else the agent's own: it was given what the container
  // gives to any program.
  absl::StatusOr<ProcessFacts> ReadProcessFacts() const override;

 private:
  OwnTarget(std::string description, UniqueFd root, Credentials credentials)
      : description_(std::move(description)), root_(std::move(root)), credentials_(std::move(credentials)) {}

  std::string description_;
  UniqueFd root_;
  Credentials credentials_;
  IdMap uids_;
  IdMap gids_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_OWN_TARGET_H_
