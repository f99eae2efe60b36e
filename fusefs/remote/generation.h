#ifndef MIRRORFS_FUSEFS_REMOTE_GENERATION_H_
#define MIRRORFS_FUSEFS_REMOTE_GENERATION_H_

#include <cstdint>

namespace mirrorfs {

// Counts the sessions that a RemoteSession has had with agents, from 1. What belongs to one of them (references,
// answers, what is to be given back) is marked with it and means nothing in the next.
enum class Generation : uint64_t { kNone = 0, kFirst = 1 };

inline Generation Next(Generation generation) { return Generation{static_cast<uint64_t>(generation) + 1}; }

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_REMOTE_GENERATION_H_
