// The methods of the protocol as the client sees them: what may be done when no answer came.
#ifndef MIRRORFS_FUSEFS_REMOTE_METHODS_H_
#define MIRRORFS_FUSEFS_REMOTE_METHODS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace mirrorfs {

// What makes a repeat safe. docs/protocol.md has it per method.
enum class Repeat : uint8_t {
  // Changes nothing at the agent: asked again at will.
  kFreely,
  // Changes what the agent remembers (references, handles), so it has a sequence number; a new session, which
  // remembers nothing of it, may be asked again.
  kInNewSession,
  // Changes the tree, or locks: with the same number in the same session only. Unanswered when the session is lost:
  // EIO.
  kSameSession,
  // Gives back what the session had: when that is lost, there is nothing left to do.
  kNotNeeded,
};

enum class Method : uint8_t {
  kLookup,
  kGetAttr,
  kSetAttr,
  kReadlink,
  kAccess,
  kReadDir,
  kStatFs,
  kMknod,
  kMkdir,
  kSymlink,
  kLink,
  kUnlink,
  kRmdir,
  kRename,
  kOpen,
  kOpenTruncate,
  kCreate,
  kRead,
  kReadMany,
  kWrite,
  kFsync,
  kFsyncdir,
  kFallocate,
  kSeek,
  kCopyFileRange,
  kGetLock,
  kSetLock,
  kGetXattr,
  kSetXattr,
  kListXattr,
  kRemoveXattr,
  kForget,
  kRelease,
  kAttach,
  kDetach,
  kPing,
  kFence,
  kReclaim,
  kCount,
};

struct MethodFacts {
  std::string_view name;
  Repeat repeat = Repeat::kFreely;
  // May take longer than the deadline while the agent shows signs of life.
  bool may_be_long = false;
};

inline constexpr std::array<MethodFacts, static_cast<size_t>(Method::kCount)> kMethodFacts = {{
    {"Lookup", Repeat::kInNewSession},
    {"GetAttr", Repeat::kFreely},
    {"SetAttr", Repeat::kSameSession},
    {"Readlink", Repeat::kFreely},
    {"Access", Repeat::kFreely},
    {"ReadDir", Repeat::kInNewSession},
    {"StatFs", Repeat::kFreely},
    {"Mknod", Repeat::kSameSession},
    {"Mkdir", Repeat::kSameSession},
    {"Symlink", Repeat::kSameSession},
    {"Link", Repeat::kSameSession},
    {"Unlink", Repeat::kSameSession},
    {"Rmdir", Repeat::kSameSession},
    {"Rename", Repeat::kSameSession},
    {"Open", Repeat::kInNewSession},
    {"Open", Repeat::kSameSession},
    {"Create", Repeat::kSameSession},
    {"Read", Repeat::kFreely},
    {"ReadMany", Repeat::kFreely},
    {"Write", Repeat::kSameSession},
    {"Fsync", Repeat::kInNewSession, true},
    {"Fsyncdir", Repeat::kInNewSession, true},
    {"Fallocate", Repeat::kSameSession, true},
    {"Seek", Repeat::kFreely},
    {"CopyFileRange", Repeat::kSameSession, true},
    {"GetLock", Repeat::kFreely},
    {"SetLock", Repeat::kSameSession},
    {"GetXattr", Repeat::kFreely},
    {"SetXattr", Repeat::kSameSession},
    {"ListXattr", Repeat::kFreely},
    {"RemoveXattr", Repeat::kSameSession},
    {"Forget", Repeat::kNotNeeded},
    {"Release", Repeat::kNotNeeded},
    {"Attach", Repeat::kFreely},
    {"Detach", Repeat::kFreely},
    {"Ping", Repeat::kFreely},
    {"Fence", Repeat::kFreely},
    {"Reclaim", Repeat::kFreely},
}};

constexpr const MethodFacts& FactsOf(Method method) { return kMethodFacts[static_cast<size_t>(method)]; }

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_METHODS_H_
