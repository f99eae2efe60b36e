#ifndef MIRRORFS_AGENT_SERVICE_TOKEN_H_
#define MIRRORFS_AGENT_SERVICE_TOKEN_H_

#include <string_view>

namespace mirrorfs {

// Compares in a time that depends on the lengths only, so that a guess cannot be improved byte by byte.
bool TokensEqual(std::string_view expected, std::string_view given);

}  // namespace mirrorfs

#endif  // MIRRORFS_AGENT_SERVICE_TOKEN_H_
