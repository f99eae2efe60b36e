#include "fusefs/kernel/conversions.h"

#include <linux/falloc.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>

#include <cstdio>

#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

timespec ToTimespec(FileTime time) {
  const SplitTime split = Split(time);
  return {.tv_sec = split.seconds, .tv_nsec = split.nanoseconds};
}

FileTime ToFileTime(const timespec& time) {
  if (FaultPlanted("microseconds")) return Join({time.tv_sec, static_cast<uint32_t>(time.tv_nsec / 1000 * 1000)});
  return Join({time.tv_sec, static_cast<uint32_t>(time.tv_nsec)});
}

double Seconds(absl::Duration duration) { return absl::ToDoubleSeconds(duration); }

}  // namespace

struct stat ToStat(const Attributes& attributes) {
  struct stat result = {};
  result.st_mode = ToMode(attributes.type, attributes.permissions);
  result.st_nlink = attributes.nlink;
  result.st_uid = attributes.uid;
  result.st_gid = attributes.gid;
  result.st_rdev = makedev(attributes.rdev_major, attributes.rdev_minor);
  result.st_size = static_cast<off_t>(attributes.size);
  result.st_blocks = static_cast<blkcnt_t>(attributes.blocks);
  result.st_blksize = attributes.block_size;
  result.st_ino = attributes.inode;
  result.st_atim = ToTimespec(attributes.atime_ns);
  result.st_mtim = ToTimespec(attributes.mtime_ns);
  result.st_ctim = ToTimespec(attributes.ctime_ns);
  return result;
}

struct statvfs ToStatvfs(const FileSystemStatistics& statistics) {
  struct statvfs result = {};
  result.f_bsize = statistics.block_size;
  result.f_frsize = statistics.fragment_size;
  result.f_blocks = statistics.blocks;
  result.f_bfree = statistics.blocks_free;
  result.f_bavail = statistics.blocks_available;
  result.f_files = statistics.files;
  result.f_ffree = statistics.files_free;
  result.f_favail = statistics.files_free;
  result.f_namemax = statistics.name_max;
  return result;
}

fuse_entry_param ToEntryParam(const EntryAnswer& entry) {
  fuse_entry_param result = {};
  result.ino = ToNumber(entry.node);
  if (entry.node != NodeId::kInvalid) result.attr = ToStat(entry.attributes);
  result.attr_timeout = Seconds(entry.attr_timeout);
  result.entry_timeout = Seconds(entry.entry_timeout);
  return result;
}

OpenFlags ToOpenFlags(int flags) {
  OpenFlags result;
  const int access = flags & O_ACCMODE;
  result.read = access != O_WRONLY;
  result.write = access != O_RDONLY;
  result.append = (flags & O_APPEND) != 0;
  result.truncate = (flags & O_TRUNC) != 0 && !FaultPlanted("truncate_lost");
  result.direct = (flags & O_DIRECT) != 0;
  result.sync = (flags & O_SYNC) == O_SYNC;
  result.dsync = (flags & O_DSYNC) != 0;
  result.no_atime = (flags & O_NOATIME) != 0;
  return result;
}

AttributeChange ToAttributeChange(const struct stat& attributes, int to_set) {
  AttributeChange change;
  if (to_set & FUSE_SET_ATTR_MODE) change.permissions = attributes.st_mode & kPermissionMask;
  if (to_set & FUSE_SET_ATTR_UID) change.uid = attributes.st_uid;
  if (to_set & FUSE_SET_ATTR_GID) change.gid = attributes.st_gid;
  if (to_set & FUSE_SET_ATTR_SIZE) change.size = static_cast<uint64_t>(attributes.st_size);
  if (to_set & FUSE_SET_ATTR_ATIME_NOW) {
    change.atime = TimeValue{.now = true, .ns = 0};
  } else if (to_set & FUSE_SET_ATTR_ATIME) {
    change.atime = TimeValue{.now = false, .ns = ToFileTime(attributes.st_atim)};
  }
  if (to_set & FUSE_SET_ATTR_MTIME_NOW) {
    change.mtime = TimeValue{.now = true, .ns = 0};
  } else if (to_set & FUSE_SET_ATTR_MTIME) {
    change.mtime = TimeValue{.now = false, .ns = ToFileTime(attributes.st_mtim)};
  }
  return change;
}

std::optional<RenameMode> ToRenameMode(unsigned flags) {
  switch (flags) {
    case 0:
      return RenameMode::kReplace;
    case RENAME_NOREPLACE:
      return RenameMode::kNoReplace;
    case RENAME_EXCHANGE:
      return FaultPlanted("exchange_replaces") ? RenameMode::kReplace : RenameMode::kExchange;
    default:
      return std::nullopt;
  }
}

std::optional<XattrMode> ToXattrMode(int flags) {
  switch (flags) {
    case 0:
      return XattrMode::kAny;
    case XATTR_CREATE:
      return XattrMode::kCreateOnly;
    case XATTR_REPLACE:
      return XattrMode::kReplaceOnly;
    default:
      return std::nullopt;
  }
}

std::optional<FallocateMode> ToFallocateMode(int mode) {
  switch (mode & ~FALLOC_FL_KEEP_SIZE) {
    case 0:
      return FallocateMode::kAllocate;
    case FALLOC_FL_PUNCH_HOLE:
      return FallocateMode::kPunchHole;
    case FALLOC_FL_COLLAPSE_RANGE:
      return FallocateMode::kCollapseRange;
    case FALLOC_FL_ZERO_RANGE:
      return FallocateMode::kZeroRange;
    case FALLOC_FL_INSERT_RANGE:
      return FallocateMode::kInsertRange;
    case FALLOC_FL_UNSHARE_RANGE:
      return FallocateMode::kUnshareRange;
    default:
      return std::nullopt;
  }
}

LockRange ToLockRange(const struct flock& lock) {
  LockRange range;
  range.type = lock.l_type == F_UNLCK ? LockType::kUnlock : lock.l_type == F_RDLCK ? LockType::kRead : LockType::kWrite;
  range.start = static_cast<uint64_t>(lock.l_start);
  range.end = lock.l_len == 0 ? kLockToEndOfFile : static_cast<uint64_t>(lock.l_start + lock.l_len - 1);
  return range;
}

struct flock ToFlock(const LockRange& range) {
  struct flock lock = {};
  lock.l_type = static_cast<short>(range.type == LockType::kUnlock ? F_UNLCK
                                   : range.type == LockType::kRead ? F_RDLCK
                                                                   : F_WRLCK);
  lock.l_whence = SEEK_SET;
  lock.l_start = static_cast<off_t>(range.start);
  lock.l_len = range.end >= kLockToEndOfFile ? 0 : static_cast<off_t>(range.end - range.start + 1);
  lock.l_pid = static_cast<pid_t>(range.pid);
  return lock;
}

}  // namespace mirrorfs
