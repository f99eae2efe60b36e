#include "protos/rootfs/session_rights.h"

#include <linux/capability.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

constexpr uint64_t Bit(int capability) { return uint64_t{1} << capability; }
constexpr uint64_t kAllCapabilities = ~uint64_t{0};

// The client's kernel has checked the permissions of ordinary callers (default_permissions); what it cannot check,
// because it depends on more than the mode, is checked here with the caller's ids: FSETID, FOWNER, CHOWN are not kept.
constexpr uint64_t kOrdinaryCaller = Bit(CAP_DAC_OVERRIDE) | Bit(CAP_DAC_READ_SEARCH);

// These are asked of the initial user namespace: no process of a user-namespaced container has them there.
constexpr uint64_t kNeverInUserNamespace =
    Bit(CAP_SYS_ADMIN) | Bit(CAP_MKNOD) | Bit(CAP_SETFCAP) | Bit(CAP_SYS_RESOURCE) | Bit(CAP_LINUX_IMMUTABLE);

}  // namespace

SessionRights::SessionRights(Identity identity, const IdMap& uids, const IdMap& gids)
    : identity_(std::move(identity)), uids_(uids), gids_(gids) {
  Credentials& own = identity_.credentials;
  if (identity_.kind == IdentityKind::kFixed) {
    own.capabilities = own.uid == uids_.ToAgent(0) ? kAllCapabilities : 0;
  }
  if (!uids_.IsIdentity()) own.capabilities &= ~kNeverInUserNamespace;
}

absl::StatusOr<Credentials> SessionRights::CredentialsOf(const Caller& caller) const {
  const std::optional<uint32_t> uid = uids_.ToAgent(caller.uid);
  const std::optional<uint32_t> gid = gids_.ToAgent(caller.gid);
  if (!uid.has_value() || !gid.has_value()) return ErrnoStatus(EOVERFLOW, "the caller's ids are not mapped");
  Credentials credentials = {*uid, *gid, {}, caller.uid == 0 ? kAllCapabilities : kOrdinaryCaller};
  if (!uids_.IsIdentity()) credentials.capabilities &= ~kNeverInUserNamespace;
  if (FaultPlanted("groups_lost")) return credentials;
  for (uint32_t group : caller.groups) {
    if (auto mapped = gids_.ToAgent(group)) credentials.groups.push_back(*mapped);
  }
  return credentials;
}

bool SessionRights::Mapped(int file) const {
  struct stat stat = {};
  return ::fstat(file, &stat) == 0 && uids_.Maps(stat.st_uid) && gids_.Maps(stat.st_gid);
}

absl::StatusOr<ActingAs> SessionRights::Assume(const CallContext& context, std::initializer_list<int> files,
                                               std::optional<uint32_t> umask) const {
  const bool by_caller = identity_.kind == IdentityKind::kCaller;
  if (!by_caller && uids_.IsIdentity()) return ActingAs::Become(identity_.credentials, umask);
  Credentials credentials = identity_.credentials;
  if (by_caller) {
    ASSIGN_OR_RETURN(credentials, CredentialsOf(context.caller));
  }
  if (!uids_.IsIdentity() && !std::all_of(files.begin(), files.end(), [this](int file) { return Mapped(file); })) {
    credentials.capabilities = 0;
  }
  return ActingAs::Become(credentials, umask);
}

}  // namespace mirrorfs
