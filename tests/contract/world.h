// What the contract suite runs on: an implementation of the port over a directory that the test can reach natively.
#ifndef MIRRORFS_TESTS_CONTRACT_WORLD_H_
#define MIRRORFS_TESTS_CONTRACT_WORLD_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "protos/shared/file_system.h"

namespace mirrorfs {

struct WorldOptions {
  bool read_write = true;
  bool devices = false;
  // Whose rights calls have: this user's; else, with `caller`, CallContext::caller's; else root's.
  std::optional<Caller> user;
  bool caller = false;
  // Descriptors that the rooted file system may keep for nodes.
  size_t fd_cache_size = 512;
};

class World {
 public:
  virtual ~World() = default;
  virtual FileSystem& Files() = 0;
  virtual Entry Root() = 0;
  // True where calls pass this machine's kernel, which refuses some of them before the implementation is asked.
  virtual bool ThroughKernel() const = 0;
  // True where what is changed by a call is told in its answer, and not left to be asked for.
  virtual bool TellsAfterwards() const = 0;
};

// Each executable of the suite links one of these. Aborts the test program if it cannot be had.
std::unique_ptr<World> MakeWorld(const std::string& directory, const WorldOptions& options);

// Where the world has its files natively: `directory` itself, unless the world brings its own function. It is there
// when the function returns.
std::string NativeDirectory(const std::string& directory);

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_CONTRACT_WORLD_H_
