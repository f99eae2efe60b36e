// A directory tree of this machine, confined: the only way in which the agent touches the container's files.
//
// Every lookup is a held directory plus one name through openat2; nothing leaves the root, follows a link or opens
// anything but regular files and directories. Pseudo file systems are refused. docs/architecture.md has the whole.
#ifndef MIRRORFS_PROTOS_ROOTFS_ROOTED_FILESYSTEM_H_
#define MIRRORFS_PROTOS_ROOTFS_ROOTED_FILESYSTEM_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "protos/rootfs/id_map.h"
#include "protos/rootfs/identity.h"
#include "protos/shared/file_system.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {

struct RootedFilesystemOptions {
  UniqueFd root;  // O_PATH directory
  Identity identity;
  IdMap uids;
  IdMap gids;
  bool read_write = false;
  bool devices = false;
  // True while the container lives. Asked after every mutation, before it is acknowledged: a cheap call.
  std::function<bool()> alive = [] { return true; };
  // A place among the files that may be open, kept until the file is let go; null: there is none left (ENFILE).
  std::function<std::shared_ptr<void>()> admit_open_file = [] { return std::make_shared<char>(); };
  // Descriptors that may be kept open for nodes without handles (a cache). At least 16.
  size_t fd_cache_size = 512;
};

// Handed over by a client whose agent has restarted (protos: Reclaim).
struct ReclaimedNode {
  NodeId node;
  NodeId parent;
  std::string name;
  std::string identity;
  uint64_t count;
};
struct ReclaimedHandle {
  HandleId handle;
  NodeId node;
  OpenFlags flags;
};

// One session's view of one container. Thread-safe.
class RootedFilesystem : public FileSystem {
 public:
  static absl::StatusOr<std::unique_ptr<RootedFilesystem>> Create(RootedFilesystemOptions options);
  using FileSystem::Create;

  // The root's entry; not counted as a reference.
  virtual absl::StatusOr<Entry> Root(const CallContext& context) = 0;

  // Nodes are verified when they are first used, handles at once; returns the handles that are lost.
  virtual std::vector<HandleId> Reclaim(const std::vector<ReclaimedNode>& nodes,
                                        const std::vector<ReclaimedHandle>& handles) = 0;

  // Nodes that are new get ids from this one on: lower ones, where this session knows none, are ESTALE.
  virtual void GiveOutFrom(NodeId first) = 0;

  // File system (Attributes::device) of a node that has been seen; 0 if unknown. Never blocks on the file system:
  // what the worker pool uses to keep one hung file system from using up all workers.
  virtual uint64_t DeviceOf(NodeOrHandle file) const = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_ROOTFS_ROOTED_FILESYSTEM_H_
