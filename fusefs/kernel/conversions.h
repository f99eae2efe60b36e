// Between the kernel's constants and structures and ours.
#ifndef MIRRORFS_FUSEFS_KERNEL_CONVERSIONS_H_
#define MIRRORFS_FUSEFS_KERNEL_CONVERSIONS_H_

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <optional>

#include "fusefs/core/answers.h"
#include "fusefs/kernel/fuse_api.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

struct stat ToStat(const Attributes& attributes);
struct statvfs ToStatvfs(const FileSystemStatistics& statistics);
fuse_entry_param ToEntryParam(const EntryAnswer& entry);
OpenFlags ToOpenFlags(int flags);
// From FUSE_SET_ATTR_* bits.
AttributeChange ToAttributeChange(const struct stat& attributes, int to_set);
// nullopt: flags that are not supported (EINVAL).
std::optional<RenameMode> ToRenameMode(unsigned flags);
std::optional<XattrMode> ToXattrMode(int flags);
// nullopt: EOPNOTSUPP.
std::optional<FallocateMode> ToFallocateMode(int mode);
LockRange ToLockRange(const struct flock& lock);
struct flock ToFlock(const LockRange& lock);

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_KERNEL_CONVERSIONS_H_
