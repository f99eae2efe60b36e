// Strong ids. Each kind is a type of its own, 0 is never a valid one, and none is ever reused.
#ifndef MIRRORFS_PROTOS_SHARED_IDS_H_
#define MIRRORFS_PROTOS_SHARED_IDS_H_

#include <cstdint>

namespace mirrorfs {

// Names a file system object for the length of a session. Node 1 is the root.
enum class NodeId : uint64_t { kInvalid = 0, kRoot = 1 };

// Names an open file for the length of a session. Chosen by the client.
enum class HandleId : uint64_t { kNone = 0 };

// Who holds a lock, as the client's kernel tells owners apart.
enum class LockOwner : uint64_t {};

// A directory listing that is not at its end; 0 begins one.
enum class DirCursor : uint64_t { kStart = 0, kEnd = 0 };

template <typename Id>
constexpr uint64_t ToNumber(Id id) {
  return static_cast<uint64_t>(id);
}

// Node ids with this bit are proposed by the client, those without are the agent's.
inline constexpr uint64_t kClientNodeBit = uint64_t{1} << 63;

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_SHARED_IDS_H_
