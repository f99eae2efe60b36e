// The rooted file system as worlds of the suite need it.
#ifndef MIRRORFS_TESTS_CONTRACT_ROOTED_WORLD_H_
#define MIRRORFS_TESTS_CONTRACT_ROOTED_WORLD_H_

#include <fcntl.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "protos/rootfs/rooted_filesystem.h"
#include "tests/contract/world.h"

namespace mirrorfs {

template <typename T>
T OrAbort(absl::StatusOr<T> result, const char* what) {
  if (result.ok()) return *std::move(result);
  fprintf(stderr, "%s: %s\n", what, result.status().ToString().c_str());
  abort();
}

inline Identity ToIdentity(const WorldOptions& options) {
  constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;
  if (options.caller) return {.kind = IdentityKind::kCaller, .credentials = {}};
  if (options.user) {
    return {.kind = IdentityKind::kFixed, .credentials = {.uid = options.user->uid, .gid = options.user->gid}};
  }
  return {.kind = IdentityKind::kContainer, .credentials = {.capabilities = kAllCapabilities}};
}

inline std::unique_ptr<RootedFilesystem> MakeFiles(const std::string& directory, const WorldOptions& options) {
  RootedFilesystemOptions rooted;
  rooted.root.reset(open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  rooted.identity = ToIdentity(options);
  rooted.read_write = options.read_write;
  rooted.devices = options.devices;
  rooted.fd_cache_size = options.fd_cache_size;
  return OrAbort(RootedFilesystem::Create(std::move(rooted)), "no rooted file system");
}

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_CONTRACT_ROOTED_WORLD_H_
