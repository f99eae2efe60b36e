// Namespaces of a program's own: what is mounted in them is seen by it and its children only.
#ifndef MIRRORFS_LAUNCHER_NAMESPACE_OWN_NAMESPACE_H_
#define MIRRORFS_LAUNCHER_NAMESPACE_OWN_NAMESPACE_H_

#include "absl/status/status.h"

namespace mirrorfs {

enum class NamespaceKind : uint8_t {
  kMount,         // for root
  kUserAndMount,  // for an ordinary user: in a user namespace that knows his own uid and gid only
};

// Moves this process, which has one thread, into new ones; nothing mounted later is passed on to others, nor theirs to
// it. Fails with kNotPermitted or kFailed, naming the setting that forbids it.
absl::Status EnterOwnNamespace(NamespaceKind kind);

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_NAMESPACE_OWN_NAMESPACE_H_
