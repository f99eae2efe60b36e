// What the model checker does: one random operation, whole, so that it can be repeated and printed.
#ifndef MIRRORFS_TESTS_MODEL_OPERATION_H_
#define MIRRORFS_TESTS_MODEL_OPERATION_H_

#include <cstdint>
#include <random>
#include <string>

namespace mirrorfs {

enum class Verb : uint8_t {
  // The tree.
  kMkdir,
  kRmdir,
  kUnlink,
  kRename,
  kLink,
  kSymlink,
  kReadlink,
  kMknod,
  kChmod,
  kChown,
  kUtimens,
  kTruncate,
  kStat,
  kReadDirectory,
  kSetXattr,
  kGetXattr,
  kListXattr,
  kRemoveXattr,
  // Open files, in slots.
  kOpen,
  kClose,
  kDup,
  kRead,
  kWrite,
  kSequentialRead,
  kSequentialWrite,
  kSeek,
  kFtruncate,
  kFstat,
  kFchmod,
  kFutimens,
  kFsync,
  kFallocate,
  kCopyFileRange,
  // Maps, in slots.
  kMap,
  kUnmap,
  kMapRead,
  kMapWrite,
  kMapSync,
  kCount,
};

struct Operation {
  Verb verb = Verb::kStat;
  std::string path;    // relative
  std::string second;  // of a rename or link; target of a symbolic link; name of an attribute
  int slot = 0;
  int other_slot = 0;
  uint64_t offset = 0;
  uint64_t other_offset = 0;
  uint64_t length = 0;
  int flags = 0;  // of the system call
  uint32_t mode = 0;
  uint32_t seed = 0;  // of the data
};

std::string ToString(const Operation& operation);

// An endless series, the same for the same seed. Names, slots and offsets are few, so that operations meet.
class OperationSource {
 public:
  explicit OperationSource(uint64_t seed) : random_(seed) {}
  Operation Next();

 private:
  uint64_t Below(uint64_t bound) { return std::uniform_int_distribution<uint64_t>(0, bound - 1)(random_); }
  bool OneIn(uint64_t n) { return Below(n) == 0; }
  Verb NextVerb();
  std::string Name();
  std::string Path();
  uint64_t Offset();
  uint64_t Length();
  int OpenFlags();

  std::mt19937_64 random_;
};

// Data of a write: different for each seed and at each offset.
std::string DataOf(uint32_t seed, size_t size);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_MODEL_OPERATION_H_
