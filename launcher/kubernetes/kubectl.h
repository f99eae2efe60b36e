// The user's own kubectl: contexts, proxies, plugins for logging in and impersonation come with it.
#ifndef MIRRORFS_LAUNCHER_KUBERNETES_KUBECTL_H_
#define MIRRORFS_LAUNCHER_KUBERNETES_KUBECTL_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "launcher/kubernetes/cluster_access.h"

namespace mirrorfs {

// $MIRRORFS_KUBECTL, else the first kubectl in $PATH. Fails with kUnreachable.
absl::StatusOr<std::string> FindKubectl();

// Thread-safe.
class Kubectl {
 public:
  explicit Kubectl(ClusterAccess access);

  const ClusterAccess& access() const { return access_; }

  // The same in that namespace; in its own if `name_space` is empty.
  Kubectl In(const std::string& name_space) const;

  // argv of kubectl with these words, global flags included: for children that live long.
  std::vector<std::string> Command(absl::Span<const std::string> words) const;

  // What it has printed. `input` is its stdin. If it takes long, what it says on stderr (a plugin that wants somebody
  // to log in, for example) is passed on. Fails with a message that names the cause and the next command: kNoTarget
  // for what does not exist, kNotPermitted for what is forbidden and for an expired login, kUnreachable for a cluster
  // that does not answer within `limit`, kUsage for an unknown context.
  absl::StatusOr<std::string> Run(absl::Span<const std::string> words, std::string_view input = "",
                                  absl::Duration limit = absl::Seconds(30)) const;

  // "kubectl -n shop get pods": a command for the user to type, with the flags that he has given.
  std::string Shown(std::string_view words) const;

  // "in namespace shop", "in the context's namespace".
  std::string WhereText() const;

 private:
  ClusterAccess access_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_KUBERNETES_KUBECTL_H_
