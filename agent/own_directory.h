// The directory that an agent was put into by somebody who could only run programs in the container: its binary, its
// socket. Nobody else will clear it away.
#ifndef MIRRORFS_AGENT_OWN_DIRECTORY_H_
#define MIRRORFS_AGENT_OWN_DIRECTORY_H_

#include <string>

#include "absl/status/statusor.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

class OwnDirectory {
 public:
  // Name of the binary in it; and how names of such directories begin.
  static constexpr char kBinary[] = "mirrorfs-agent";
  static constexpr char kPrefix[] = ".mirrorfs-agent-";

  // `path` is removed when the object goes, with what an agent has in it; a file of somebody else keeps it. Those
  // beside it whose agents were killed are removed at once. Fails if `path` does not look like such a directory, or is
  // not this user's.
  static absl::StatusOr<OwnDirectory> Take(const std::string& path);
  OwnDirectory(OwnDirectory&& other) noexcept = default;
  OwnDirectory& operator=(OwnDirectory&&) = delete;
  ~OwnDirectory();

 private:
  OwnDirectory(std::string path, UniqueFd lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  UniqueFd lock_;  // while it is held, the directory is in use
};

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_OWN_DIRECTORY_H_
