// Ways to get at a file of the racing tree: through the port, and as one should not.
#ifndef MIRRORFS_TESTS_RACER_WALKERS_H_
#define MIRRORFS_TESTS_RACER_WALKERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// Looks the names up one by one, opens what they lead to and reads it. A link on the way is ELOOP, as the client is
// never led on by the port. Gives back every reference and handle. Thread-safe; `handle` is used by this call alone.
absl::StatusOr<std::string> ReadThroughPort(FileSystem& files, const std::vector<std::string>& names, HandleId handle);

// Tries what would hurt the host if it went there: makes, writes and removes files beside the one that is named.
void HarmThroughPort(FileSystem& files, const std::vector<std::string>& names, HandleId handle);

// The canary: looks whether the path is free of links, then opens it. Time passes between the two.
absl::StatusOr<std::string> ReadNaively(const std::string& root, const std::vector<std::string>& names);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_RACER_WALKERS_H_
