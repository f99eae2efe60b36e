#include "protos/rootfs/node_resolver.h"

#include <fcntl.h>

#include <cerrno>
#include <vector>

#include "protos/rootfs/kernel_calls.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Directories that were moved behind our back can seem to lie in each other. No tree is that deep.
constexpr size_t kDeepest = 1 << 17;

// Errors that mean "not there any more", as opposed to "cannot be told now".
bool MeansGone(int error) { return error == ENOENT || error == ENOTDIR || error == ELOOP || error == ESTALE; }

}  // namespace

SharedFd NodeResolver::Held(NodeId node) {
  if (node == NodeId::kRoot) return root_;
  if (SharedFd cached = cache_.Find(node)) return cached;
  return handles_.FdOfNode(node);
}

absl::StatusOr<SharedFd> NodeResolver::OpenPath(int directory, const std::string& name) {
  UniqueFd fd(OpenBeneath(directory, name.c_str(), O_PATH));
  if (!fd && (errno == EMFILE || errno == ENFILE)) {
    cache_.Clear();
    fd.reset(OpenBeneath(directory, name.c_str(), O_PATH));
  }
  if (!fd) return LastErrno("openat2");
  return ShareFd(std::move(fd));
}

absl::StatusOr<SharedFd> NodeResolver::Resolve(NodeId node) {
  if (SharedFd held = Held(node)) return held;
  std::optional<NodeSnapshot> known = nodes_.Find(node);
  if (!known.has_value()) return ErrnoStatus(ESTALE);
  for (Alias& alias : known->aliases) {
    absl::StatusOr<SharedFd> fd = Walk(alias, {node, alias.name, known->identity});
    if (fd.ok() || !MeansGone(ToErrno(fd.status()))) return fd;
  }
  return ErrnoStatus(ESTALE);
}

absl::StatusOr<SharedFd> NodeResolver::Walk(const Alias& alias, const Step& last) {
  std::vector<Step> steps = {last};
  NodeId above = alias.parent;
  SharedFd at;
  while ((at = Held(above)) == nullptr) {
    std::optional<NodeSnapshot> known = nodes_.Find(above);
    if (!known.has_value() || known->aliases.empty() || steps.size() > kDeepest) return ErrnoStatus(ESTALE);
    Alias& next = known->aliases.front();
    steps.push_back({above, std::move(next.name), std::move(known->identity)});
    above = next.parent;
  }
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    ASSIGN_OR_RETURN(at, TakeStep(at, *step));
  }
  return at;
}

absl::StatusOr<SharedFd> NodeResolver::TakeStep(const SharedFd& directory, const Step& step) {
  ASSIGN_OR_RETURN(SharedFd found, OpenPath(directory->get(), step.name));
  ASSIGN_OR_RETURN(const InspectedFile file, inspector_.Inspect(found->get()));
  if (file.identity != step.identity) return ErrnoStatus(ESTALE);
  cache_.Put(step.node, found);
  return found;
}

}  // namespace mirrorfs
