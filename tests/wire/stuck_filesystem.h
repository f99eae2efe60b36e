// A file system that hangs where it is told to: a fault that cannot be made with a real directory.
#ifndef MIRRORFS_TESTS_WIRE_STUCK_FILESYSTEM_H_
#define MIRRORFS_TESTS_WIRE_STUCK_FILESYSTEM_H_

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "protos/rootfs/rooted_filesystem.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

// Shared by the test and the file system.
struct Stuck {
  std::atomic<int> inside = 0;    // calls that have come in
  std::atomic<int> finished = 0;  // calls that have gone on
  std::atomic<bool> open = false;

  void Enter() {
    inside.fetch_add(1);
    inside.notify_all();
    open.wait(false);
    finished.fetch_add(1);
  }
  void WaitForInside(int count) {
    for (int now = inside; now < count; now = inside) inside.wait(now);
  }
  void Open() {
    open = true;
    open.notify_all();
  }
};

// Mkdir and Unlink hang until the stuck is opened; all else is ENOSYS, but for the root.
class StuckFilesystem : public RootedFilesystem {
 public:
  explicit StuckFilesystem(std::shared_ptr<Stuck> stuck) : stuck_(std::move(stuck)) {}

  absl::StatusOr<Entry> Root(const CallContext&) override { return SomeDirectory(NodeId::kRoot); }
  void GiveOutFrom(NodeId) override {}
  std::vector<HandleId> Reclaim(const std::vector<ReclaimedNode>&, const std::vector<ReclaimedHandle>&) override {
    return {};
  }
  uint64_t DeviceOf(NodeOrHandle file) const override { return ToNumber(file.node); }

  absl::StatusOr<Entry> Mkdir(const CallContext&, const NewNode&) override {
    stuck_->Enter();
    return SomeDirectory(NodeId{2});
  }
  absl::StatusOr<Removed> Unlink(const CallContext&, NodeId, std::string_view) override {
    stuck_->Enter();
    return Removed{};
  }
  absl::Status Fsync(const CallContext&, HandleId, bool) override {
    stuck_->Enter();
    return absl::OkStatus();
  }
  absl::StatusOr<AttributesReply> GetAttr(const CallContext&, NodeOrHandle file) override {
    AttributesReply reply;
    reply.attributes = SomeDirectory(file.node).attributes;
    return reply;
  }

  absl::StatusOr<Entry> Lookup(const CallContext&, NodeId, std::string_view) override { return No(); }
  absl::StatusOr<AttributesReply> SetAttr(const CallContext&, NodeOrHandle, const AttributeChange&) override {
    return No();
  }
  absl::StatusOr<std::string> Readlink(const CallContext&, NodeId) override { return No(); }
  absl::Status Access(const CallContext&, NodeId, AccessMask) override { return No(); }
  absl::StatusOr<DirectoryPage> ReadDir(const CallContext&, NodeId, DirCursor, uint32_t, bool) override { return No(); }
  void CloseDir(NodeId, DirCursor) override {}
  absl::StatusOr<FileSystemStatistics> StatFs(const CallContext&, NodeId) override { return No(); }
  absl::StatusOr<Entry> Mknod(const CallContext&, const NewNode&, FileType, uint32_t, uint32_t) override {
    return No();
  }
  absl::StatusOr<Entry> Symlink(const CallContext&, const NewNode&, std::string_view) override { return No(); }
  absl::StatusOr<Entry> Link(const CallContext&, NodeId, NodeId, std::string_view) override { return No(); }
  absl::StatusOr<Removed> Rmdir(const CallContext&, NodeId, std::string_view) override { return No(); }
  absl::StatusOr<Renamed> Rename(const CallContext&, NodeId, std::string_view, NodeId, std::string_view,
                                 RenameMode) override {
    return No();
  }
  absl::StatusOr<OpenResult> Open(const CallContext&, NodeId, HandleId, OpenFlags, uint32_t) override { return No(); }
  absl::StatusOr<CreateResult> Create(const CallContext&, const NewNode&, bool, HandleId, OpenFlags) override {
    return No();
  }
  absl::StatusOr<absl::Cord> Read(const CallContext&, HandleId, uint64_t, uint32_t) override { return No(); }
  absl::StatusOr<Written> Write(const CallContext&, HandleId, uint64_t, absl::Cord) override { return No(); }
  absl::Status Fsyncdir(const CallContext&, NodeId, bool) override { return No(); }
  absl::Status Fallocate(const CallContext&, HandleId, FallocateMode, bool, uint64_t, uint64_t) override {
    return No();
  }
  absl::StatusOr<uint64_t> Seek(const CallContext&, HandleId, uint64_t, SeekWhence) override { return No(); }
  absl::StatusOr<uint64_t> CopyFileRange(const CallContext&, HandleId, uint64_t, HandleId, uint64_t,
                                         uint64_t) override {
    return No();
  }
  absl::StatusOr<LockRange> GetLock(const CallContext&, HandleId, LockOwner, const LockRange&) override { return No(); }
  absl::Status SetLock(const CallContext&, HandleId, LockOwner, LockKind, const LockRange&, absl::Duration) override {
    return No();
  }
  absl::StatusOr<std::string> GetXattr(const CallContext&, NodeId, std::string_view) override { return No(); }
  absl::Status SetXattr(const CallContext&, NodeId, std::string_view, std::string_view, XattrMode) override {
    return No();
  }
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext&, NodeId) override { return No(); }
  absl::Status RemoveXattr(const CallContext&, NodeId, std::string_view) override { return No(); }
  void Forget(absl::Span<const ForgottenNode>) override {}
  void Release(absl::Span<const HandleId>) override {}

 private:
  static absl::Status No() { return ErrnoStatus(ENOSYS); }
  static Entry SomeDirectory(NodeId node) {
    Entry entry;
    entry.node = node;
    entry.attributes.type = FileType::kDirectory;
    entry.identity = "stuck";
    return entry;
  }

  const std::shared_ptr<Stuck> stuck_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_WIRE_STUCK_FILESYSTEM_H_
