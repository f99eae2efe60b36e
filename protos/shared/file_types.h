// The words that both ends use about files. Plain values, free of kernel constants: what a number means does not
// depend on the machine that it was made on.
#ifndef MIRRORFS_PROTOS_SHARED_FILE_TYPES_H_
#define MIRRORFS_PROTOS_SHARED_FILE_TYPES_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/numeric/int128.h"
#include "protos/shared/ids.h"

namespace mirrorfs {

enum class FileType : uint8_t {
  kUnknown = 0,
  kRegular = 1,
  kDirectory = 2,
  kSymlink = 3,
  kCharacterDevice = 4,
  kBlockDevice = 5,
  kFifo = 6,
  kSocket = 7,
};

// Permission bits: rwxrwxrwx with sticky 01000, setgid 02000, setuid 04000.
inline constexpr uint32_t kPermissionMask = 07777;

// An id that the container cannot express, and what is shown for one that is not mapped.
inline constexpr uint32_t kOverflowId = 65534;

// Longest name, link target and extended attribute (value, name list) that the protocol carries: Linux's own limits.
inline constexpr size_t kMaxNameBytes = 255;
inline constexpr size_t kMaxTargetBytes = 4095;
inline constexpr size_t kMaxXattrBytes = 65536;

// Nanoseconds since the epoch. The kernel's seconds alone have 64 bits.
using FileTime = absl::int128;

// A time as whole seconds (rounded down) and the nanoseconds that follow, below a thousand million.
struct SplitTime {
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
};
SplitTime Split(FileTime time);
FileTime Join(SplitTime time);

// st_mode as Linux has it, from and to the above.
uint32_t ToMode(FileType type, uint32_t permissions);
FileType TypeOfMode(uint32_t mode);

struct Attributes {
  FileType type = FileType::kUnknown;
  uint32_t permissions = 0;
  uint32_t nlink = 0;
  uint32_t uid = 0;
  uint32_t gid = 0;
  uint32_t rdev_major = 0;
  uint32_t rdev_minor = 0;
  uint64_t size = 0;
  uint64_t blocks = 0;  // of 512 bytes
  uint32_t block_size = 4096;
  uint64_t inode = 0;   // unique over the container's mounts
  uint64_t device = 0;  // tells one file system of the container from another
  FileTime atime_ns = 0;
  FileTime mtime_ns = 0;
  FileTime ctime_ns = 0;
  // It has no extended attributes: a question for one need not be asked. False: it may have some.
  bool without_xattrs = false;
  // It has no ACL, neither of its own nor for what is made in it. False: it may have one.
  bool without_acl = false;

  bool operator==(const Attributes&) const = default;
};

// A node with what is known about it. Each one received is a reference, given back with FileSystem::Forget.
struct Entry {
  NodeId node = NodeId::kInvalid;
  Attributes attributes;
  std::string identity;     // opaque: recognises the file again (Reclaim)
  std::string link_target;  // symbolic links; it never changes
  // From calls that make a name: its directory's attributes afterwards. Null: not told.
  std::shared_ptr<const Attributes> directory;
};

struct AttributesReply {
  Attributes attributes;
};

struct DirectoryEntry {
  std::string name;
  FileType type = FileType::kUnknown;
  uint64_t inode = 0;
  std::optional<Entry> entry;  // absent if not asked for, or not to be had
};

struct DirectoryPage {
  std::vector<DirectoryEntry> entries;  // without . and ..
  DirCursor next = DirCursor::kEnd;     // kEnd: that was all
  std::optional<Attributes> directory;  // the directory's own after the last page was read; may be left out
};

struct TimeValue {
  bool now = false;
  FileTime ns = 0;  // if not now
};

// What SetAttr changes; what is absent is left alone.
struct AttributeChange {
  std::optional<uint32_t> permissions;
  std::optional<uint32_t> uid;
  std::optional<uint32_t> gid;
  std::optional<uint64_t> size;
  std::optional<TimeValue> atime;
  std::optional<TimeValue> mtime;
};

struct OpenFlags {
  bool read = false;
  bool write = false;
  bool append = false;
  bool truncate = false;
  bool direct = false;
  bool sync = false;
  bool dsync = false;
  bool no_atime = false;
};

struct OpenResult {
  Attributes attributes;                   // after the open, its truncation and its copy-up
  bool has_capability = false;             // security.capability is set (told for handles that can write)
  std::optional<std::string> inline_data;  // the file's first bytes, if they were asked for and could be had
};

struct CreateResult {
  Entry entry;
  bool created = false;  // false: it was there
};

// What calls that change something tell of the attributes afterwards, so that they need not be asked for. They may be
// left out.
struct Written {
  uint64_t bytes = 0;
  std::optional<Attributes> attributes;
};
struct Removed {
  std::optional<Attributes> directory;
};
struct Renamed {
  std::optional<Attributes> directory;
  std::optional<Attributes> new_directory;
};

struct FileSystemStatistics {
  uint64_t block_size = 0;
  uint64_t fragment_size = 0;
  uint64_t blocks = 0;
  uint64_t blocks_free = 0;
  uint64_t blocks_available = 0;
  uint64_t files = 0;
  uint64_t files_free = 0;
  uint32_t name_max = 255;
};

struct AccessMask {
  bool read = false;
  bool write = false;
  bool execute = false;
};

enum class RenameMode : uint8_t { kReplace = 0, kNoReplace = 1, kExchange = 2 };
enum class XattrMode : uint8_t { kAny = 0, kCreateOnly = 1, kReplaceOnly = 2 };
enum class SeekWhence : uint8_t { kData = 0, kHole = 1 };
enum class FallocateMode : uint8_t {
  kAllocate = 0,
  kPunchHole = 1,  // always keeps the size
  kCollapseRange = 2,
  kZeroRange = 3,
  kInsertRange = 4,
  kUnshareRange = 5,
};

enum class LockKind : uint8_t { kRange = 0, kFlock = 1 };
enum class LockType : uint8_t { kUnlock = 0, kRead = 1, kWrite = 2 };

inline constexpr uint64_t kLockToEndOfFile = (uint64_t{1} << 63) - 1;

struct LockRange {
  LockType type = LockType::kUnlock;
  uint64_t start = 0;
  uint64_t end = kLockToEndOfFile;  // last byte, inclusive
  uint32_t pid = 0;                 // of the holder, in answers; 0 if it is not known
};

struct ForgottenNode {
  NodeId node;
  uint64_t count;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_FILE_TYPES_H_
