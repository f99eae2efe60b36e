// All inodes that anybody refers to. One node is one inode, however many names it has.
//
// An inode lives as long as an InodePtr to it: the kernel's lookup count is one such reference, so are directory
// listings, open handles and children. When the last goes, the references that were received over the wire are given
// back to the agent, all of them and no more.
#ifndef MIRRORFS_FUSEFS_CORE_INODE_TABLE_H_
#define MIRRORFS_FUSEFS_CORE_INODE_TABLE_H_

#include <cstddef>
#include <cstdint>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "fusefs/core/inode.h"
#include "protos/shared/file_system.h"
#include "protos/shared/mutex.h"

namespace mirrorfs {

// Thread-safe. Outlives every InodePtr that it gave out.
class InodeTable {
 public:
  // `files` outlives the table.
  InodeTable(FileSystem& files, const Entry& root);
  ~InodeTable();
  InodeTable(const InodeTable&) = delete;
  InodeTable& operator=(const InodeTable&) = delete;

  // Takes over the wire reference that came with `entry`. Null if its type differs from what the node was before:
  // an agent that says so lies.
  InodePtr Adopt(const Entry& entry, const InodePtr& parent);
  // The root has no wire reference and stays for ever.
  const InodePtr& Root() const { return root_; }

  // Null if the kernel was never told of it, or has forgotten it.
  InodePtr Find(NodeId node) const;
  // The kernel is told of it once more.
  void AddLookup(const InodePtr& inode);
  // The kernel forgets `count` tellings.
  void Forget(NodeId node, uint64_t count);

  size_t Size() const;

 private:
  struct Record {
    std::weak_ptr<Inode> inode;
    InodePtr kernel_reference;  // held while lookups > 0
    uint64_t lookups = 0;
  };

  InodePtr FindOrMake(NodeId node, FileType type);
  void Destroy(Inode* inode);

  FileSystem& files_;
  mutable Mutex mutex_;
  absl::flat_hash_map<NodeId, Record> records_ ABSL_GUARDED_BY(mutex_);
  InodePtr root_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_FUSEFS_CORE_INODE_TABLE_H_
