// A file of a target's, as scp, docker cp and kubectl cp name one: TARGET:/PATH.
#ifndef MIRRORFS_LAUNCHER_PLAN_REMOTE_PATH_H_
#define MIRRORFS_LAUNCHER_PLAN_REMOTE_PATH_H_

#include <optional>
#include <string>
#include <string_view>

namespace mirrorfs {

struct RemotePath {
  std::string target;
  std::string path;  // absolute

  bool operator==(const RemotePath&) const = default;
};

// Nothing: the word is a path of this machine. One with ":/" in it is that if it begins with '/' or '.'.
std::optional<RemotePath> ParseRemotePath(std::string_view word);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_PLAN_REMOTE_PATH_H_
