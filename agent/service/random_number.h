// Numbers that nobody can guess.
#ifndef MIRRORFS_AGENT_SERVICE_RANDOM_NUMBER_H_
#define MIRRORFS_AGENT_SERVICE_RANDOM_NUMBER_H_

#include <cstdint>

namespace mirrorfs {

// From the kernel's generator; never 0.
uint64_t RandomNumber();

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_RANDOM_NUMBER_H_
