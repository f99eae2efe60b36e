// A target that is a directory of the machine itself.
#ifndef MIRRORFS_AGENT_TARGET_DIRECTORY_TARGET_H_
#define MIRRORFS_AGENT_TARGET_DIRECTORY_TARGET_H_

#include <memory>
#include <string>

#include "agent/target/target.h"

namespace mirrorfs {

class DirectoryTarget : public Target {
 public:
  static absl::StatusOr<std::unique_ptr<Target>> Open(const std::string& path);

  const std::string& Description() const override { return description_; }
  absl::StatusOr<UniqueFd> OpenRoot() const override;
  bool Alive() const override { return true; }
  const Credentials& ProcessCredentials() const override { return credentials_; }
  const IdMap& Uids() const override { return uids_; }
  const IdMap& Gids() const override { return gids_; }

 private:
  DirectoryTarget(std::string description, UniqueFd root, Credentials credentials)
      : description_(std::move(description)), root_(std::move(root)), credentials_(std::move(credentials)) {}

  std::string description_;
  UniqueFd root_;
  Credentials credentials_;
  IdMap uids_;
  IdMap gids_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_TARGET_DIRECTORY_TARGET_H_
