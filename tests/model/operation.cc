#include "tests/model/operation.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

constexpr int kSlots = 12;
constexpr uint64_t kPage = 4096;
// Largest offset that is used often: some chunks of the wire.
constexpr uint64_t kReach = 3 << 20;

struct Weight {
  Verb verb;
  const char* name;
  int weight;
};

constexpr std::array<Weight, static_cast<size_t>(Verb::kCount)> kWeights = {{
    {Verb::kMkdir, "mkdir", 20},
    {Verb::kRmdir, "rmdir", 10},
    {Verb::kUnlink, "unlink", 30},
    {Verb::kRename, "rename", 30},
    {Verb::kLink, "link", 20},
    {Verb::kSymlink, "symlink", 10},
    {Verb::kReadlink, "readlink", 10},
    {Verb::kMknod, "mknod", 6},
    {Verb::kChmod, "chmod", 10},
    {Verb::kChown, "chown", 6},
    {Verb::kUtimens, "utimens", 10},
    {Verb::kTruncate, "truncate", 15},
    {Verb::kStat, "stat", 40},
    {Verb::kReadDirectory, "readdir", 20},
    {Verb::kSetXattr, "setxattr", 8},
    {Verb::kGetXattr, "getxattr", 8},
    {Verb::kListXattr, "listxattr", 5},
    {Verb::kRemoveXattr, "removexattr", 5},
    {Verb::kOpen, "open", 90},
    {Verb::kClose, "close", 25},
    {Verb::kDup, "dup", 8},
    {Verb::kRead, "pread", 80},
    {Verb::kWrite, "pwrite", 90},
    {Verb::kSequentialRead, "read", 30},
    {Verb::kSequentialWrite, "write", 40},
    {Verb::kSeek, "lseek", 15},
    {Verb::kFtruncate, "ftruncate", 20},
    {Verb::kFstat, "fstat", 25},
    {Verb::kFchmod, "fchmod", 6},
    {Verb::kFutimens, "futimens", 6},
    {Verb::kFsync, "fsync", 10},
    {Verb::kFallocate, "fallocate", 20},
    {Verb::kCopyFileRange, "copy_file_range", 15},
    {Verb::kMap, "mmap", 20},
    {Verb::kUnmap, "munmap", 10},
    {Verb::kMapRead, "map-read", 30},
    {Verb::kMapWrite, "map-write", 40},
    {Verb::kMapSync, "msync", 10},
}};

constexpr int TotalWeight() {
  int total = 0;
  for (const Weight& weight : kWeights) total += weight.weight;
  return total;
}

}  // namespace

std::string ToString(const Operation& operation) {
  return fmt::format("{} path={} second={} slot={},{} offset={},{} length={} flags={:#x} mode={:#o} seed={}",
                     kWeights[static_cast<size_t>(operation.verb)].name, operation.path, operation.second,
                     operation.slot, operation.other_slot, operation.offset, operation.other_offset, operation.length,
                     operation.flags, operation.mode, operation.seed);
}

std::string DataOf(uint32_t seed, size_t size) {
  std::string data(size, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& byte : data) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return data;
}

Verb OperationSource::NextVerb() {
  int at = static_cast<int>(Below(TotalWeight()));
  for (const Weight& weight : kWeights) {
    if (at < weight.weight) return weight.verb;
    at -= weight.weight;
  }
  return Verb::kStat;
}

std::string OperationSource::Name() { return std::string(1, static_cast<char>('a' + Below(7))); }

std::string OperationSource::Path() {
  std::string path = Name();
  while (!OneIn(3) && path.size() < 6) path = "d" + std::to_string(Below(3)) + "/" + path;
  return OneIn(8) ? "d" + std::to_string(Below(3)) : path;
}

// Mostly at the edges where something begins or ends.
uint64_t OperationSource::Offset() {
  if (OneIn(3)) return Below(kReach);
  const uint64_t edge = Below(kReach / kPage) * kPage;
  if (OneIn(2)) return edge;
  if (OneIn(3)) return (Below(3) + 1) << 20;
  return edge + Below(3) - (edge == 0 ? 0 : 1);
}

uint64_t OperationSource::Length() {
  if (OneIn(12)) return Below(uint64_t{1} << 21) + 1;
  if (OneIn(3)) return kPage * (1 + Below(16));
  return Below(20'000) + 1;
}

int OperationSource::OpenFlags() {
  int flags = OneIn(4) ? O_RDONLY : OneIn(6) ? O_WRONLY : O_RDWR;
  if (!OneIn(4)) flags |= O_CREAT;
  if (OneIn(10)) flags |= O_EXCL;
  if (OneIn(12)) flags |= O_TRUNC;
  if (OneIn(6)) flags |= O_APPEND;
  if (OneIn(30)) flags |= O_SYNC;
  if (OneIn(6)) flags |= O_NOFOLLOW;
  return flags;
}

Operation OperationSource::Next() {
  Operation next;
  next.verb = NextVerb();
  next.path = Path();
  next.slot = static_cast<int>(Below(kSlots));
  next.other_slot = static_cast<int>(Below(kSlots));
  next.offset = Offset();
  next.other_offset = Offset();
  next.length = Length();
  next.mode = static_cast<uint32_t>(OneIn(3) ? 0600 | Below(0200) : 0755);
  next.seed = static_cast<uint32_t>(Below(uint64_t{1} << 32));
  switch (next.verb) {
    case Verb::kOpen:
      next.flags = OpenFlags();
      break;
    case Verb::kRename: {
      constexpr int kModes[] = {0, 0, 0, RENAME_NOREPLACE, RENAME_EXCHANGE};
      next.flags = kModes[Below(5)];
      next.second = Path();
      break;
    }
    case Verb::kLink:
      next.second = Path();
      break;
    case Verb::kSymlink:
      next.second = OneIn(4) ? "dangling" : Name();
      break;
    case Verb::kMknod:
      next.flags = OneIn(2) ? S_IFIFO : OneIn(2) ? S_IFSOCK : S_IFREG;
      break;
    case Verb::kSetXattr:
    case Verb::kGetXattr:
    case Verb::kRemoveXattr:
      next.second = "user." + Name();
      next.length %= 200;
      next.flags = static_cast<int>(Below(3));
      break;
    case Verb::kFallocate: {
      constexpr int kModes[] = {0,
                                FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
                                FALLOC_FL_ZERO_RANGE,
                                FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE};
      next.flags = kModes[Below(6)];
      break;
    }
    case Verb::kMap:
      next.flags = OneIn(4) ? MAP_PRIVATE : MAP_SHARED;
      next.offset = next.offset / kPage * kPage;
      break;
    default:
      break;
  }
  return next;
}

}  // namespace mirrorfs
