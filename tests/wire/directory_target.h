#ifndef MIRRORFS_TESTS_WIRE_DIRECTORY_TARGET_H_
#define MIRRORFS_TESTS_WIRE_DIRECTORY_TARGET_H_

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <utility>

#include "agent/service/agent_server.h"
#include "agent/target/target.h"
#include "fusefs/remote/remote_session.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

// A directory as a target, with this process's own rights.
class DirectoryTarget : public Target {
 public:
  explicit DirectoryTarget(std::string directory)
      : directory_(std::move(directory)), description_("dir:" + directory_) {
    credentials_.uid = geteuid();
    credentials_.gid = getegid();
    credentials_.groups.resize(getgroups(0, nullptr));
    getgroups(static_cast<int>(credentials_.groups.size()), credentials_.groups.data());
    if (geteuid() == 0) credentials_.capabilities = ~uint64_t{0} >> 23;  // all 41
  }

  const std::string& Description() const override { return description_; }
  absl::StatusOr<UniqueFd> OpenRoot() const override {
    UniqueFd root(open(directory_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return LastErrno(directory_);
    return root;
  }
  bool Alive() const override { return alive_; }
  const Credentials& ProcessCredentials() const override { return credentials_; }
  const IdMap& Uids() const override { return ids_; }
  const IdMap& Gids() const override { return ids_; }

  void SetAlive(bool alive) { alive_ = alive; }

 private:
  const std::string directory_;
  const std::string description_;
  Credentials credentials_;
  IdMap ids_;
  std::atomic<bool> alive_ = true;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_DIRECTORY_TARGET_H_
