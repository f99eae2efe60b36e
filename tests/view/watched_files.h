// A file system behind another one: each call is heard of before it goes on, and can be made to fail.
#ifndef MIRRORFS_TESTS_VIEW_WATCHED_FILES_H_
#define MIRRORFS_TESTS_VIEW_WATCHED_FILES_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "protos/shared/errno_status.h"
#include "protos/shared/file_system.h"

namespace mirrorfs {

// As thread-safe as what it is given.
class WatchedFiles : public FileSystem {
 public:
  // Hears "Lookup", and the name that it is about if there is one. An error is the call's answer.
  using Before = std::function<absl::Status(std::string_view call, std::string_view name)>;

  WatchedFiles(FileSystem& files, Before before) : files_(files), before_(std::move(before)) {}

  absl::StatusOr<Entry> Lookup(const CallContext& context, NodeId parent, std::string_view name) override {
    RETURN_IF_ERROR(before_("Lookup", name));
    return files_.Lookup(context, parent, name);
  }
  absl::StatusOr<AttributesReply> GetAttr(const CallContext& context, NodeOrHandle file) override {
    RETURN_IF_ERROR(before_("GetAttr", ""));
    return files_.GetAttr(context, file);
  }
  absl::StatusOr<AttributesReply> SetAttr(const CallContext& context, NodeOrHandle file,
                                          const AttributeChange& change) override {
    RETURN_IF_ERROR(before_("SetAttr", ""));
    return files_.SetAttr(context, file, change);
  }
  absl::StatusOr<std::string> Readlink(const CallContext& context, NodeId node) override {
    RETURN_IF_ERROR(before_("Readlink", ""));
    return files_.Readlink(context, node);
  }
  absl::Status Access(const CallContext& context, NodeId node, AccessMask mask) override {
    RETURN_IF_ERROR(before_("Access", ""));
    return files_.Access(context, node, mask);
  }
  absl::StatusOr<DirectoryPage> ReadDir(const CallContext& context, NodeId node, DirCursor cursor, uint32_t max_bytes,
                                        bool with_attributes) override {
    RETURN_IF_ERROR(before_("ReadDir", ""));
    return files_.ReadDir(context, node, cursor, max_bytes, with_attributes);
  }
  void CloseDir(NodeId node, DirCursor cursor) override { files_.CloseDir(node, cursor); }
  absl::StatusOr<FileSystemStatistics> StatFs(const CallContext& context, NodeId node) override {
    RETURN_IF_ERROR(before_("StatFs", ""));
    return files_.StatFs(context, node);
  }
  absl::StatusOr<Entry> Mknod(const CallContext& context, const NewNode& where, FileType type, uint32_t rdev_major,
                              uint32_t rdev_minor) override {
    RETURN_IF_ERROR(before_("Mknod", where.name));
    return files_.Mknod(context, where, type, rdev_major, rdev_minor);
  }
  absl::StatusOr<Entry> Mkdir(const CallContext& context, const NewNode& where) override {
    RETURN_IF_ERROR(before_("Mkdir", where.name));
    return files_.Mkdir(context, where);
  }
  absl::StatusOr<Entry> Symlink(const CallContext& context, const NewNode& where, std::string_view target) override {
    RETURN_IF_ERROR(before_("Symlink", where.name));
    return files_.Symlink(context, where, target);
  }
  absl::StatusOr<Entry> Link(const CallContext& context, NodeId node, NodeId parent, std::string_view name) override {
    RETURN_IF_ERROR(before_("Link", name));
    return files_.Link(context, node, parent, name);
  }
  absl::StatusOr<Removed> Unlink(const CallContext& context, NodeId parent, std::string_view name) override {
    RETURN_IF_ERROR(before_("Unlink", name));
    return files_.Unlink(context, parent, name);
  }
  absl::StatusOr<Removed> Rmdir(const CallContext& context, NodeId parent, std::string_view name) override {
    RETURN_IF_ERROR(before_("Rmdir", name));
    return files_.Rmdir(context, parent, name);
  }
  absl::StatusOr<Renamed> Rename(const CallContext& context, NodeId parent, std::string_view name, NodeId new_parent,
                                 std::string_view new_name, RenameMode mode) override {
    RETURN_IF_ERROR(before_("Rename", name));
    return files_.Rename(context, parent, name, new_parent, new_name, mode);
  }
  absl::StatusOr<OpenResult> Open(const CallContext& context, NodeId node, HandleId handle, OpenFlags flags,
                                  uint32_t inline_bytes) override {
    RETURN_IF_ERROR(before_("Open", ""));
    return files_.Open(context, node, handle, flags, inline_bytes);
  }
  absl::StatusOr<CreateResult> Create(const CallContext& context, const NewNode& where, bool exclusive, HandleId handle,
                                      OpenFlags flags) override {
    RETURN_IF_ERROR(before_("Create", where.name));
    return files_.Create(context, where, exclusive, handle, flags);
  }
  absl::StatusOr<absl::Cord> Read(const CallContext& context, HandleId handle, uint64_t offset,
                                  uint32_t size) override {
    RETURN_IF_ERROR(before_("Read", ""));
    return files_.Read(context, handle, offset, size);
  }
  absl::StatusOr<Written> Write(const CallContext& context, HandleId handle, uint64_t offset,
                                absl::Cord data) override {
    RETURN_IF_ERROR(before_("Write", ""));
    return files_.Write(context, handle, offset, std::move(data));
  }
  absl::Status Fsync(const CallContext& context, HandleId handle, bool data_only) override {
    RETURN_IF_ERROR(before_("Fsync", ""));
    return files_.Fsync(context, handle, data_only);
  }
  absl::Status Fsyncdir(const CallContext& context, NodeId node, bool data_only) override {
    RETURN_IF_ERROR(before_("Fsyncdir", ""));
    return files_.Fsyncdir(context, node, data_only);
  }
  absl::Status Fallocate(const CallContext& context, HandleId handle, FallocateMode mode, bool keep_size,
                         uint64_t offset, uint64_t length) override {
    RETURN_IF_ERROR(before_("Fallocate", ""));
    return files_.Fallocate(context, handle, mode, keep_size, offset, length);
  }
  absl::StatusOr<uint64_t> Seek(const CallContext& context, HandleId handle, uint64_t offset,
                                SeekWhence whence) override {
    RETURN_IF_ERROR(before_("Seek", ""));
    return files_.Seek(context, handle, offset, whence);
  }
  absl::StatusOr<uint64_t> CopyFileRange(const CallContext& context, HandleId source, uint64_t source_offset,
                                         HandleId destination, uint64_t destination_offset, uint64_t length) override {
    RETURN_IF_ERROR(before_("CopyFileRange", ""));
    return files_.CopyFileRange(context, source, source_offset, destination, destination_offset, length);
  }
  absl::StatusOr<LockRange> GetLock(const CallContext& context, HandleId handle, LockOwner owner,
                                    const LockRange& lock) override {
    RETURN_IF_ERROR(before_("GetLock", ""));
    return files_.GetLock(context, handle, owner, lock);
  }
  absl::Status SetLock(const CallContext& context, HandleId handle, LockOwner owner, LockKind kind,
                       const LockRange& lock, absl::Duration wait) override {
    RETURN_IF_ERROR(before_("SetLock", ""));
    return files_.SetLock(context, handle, owner, kind, lock, wait);
  }
  absl::StatusOr<std::string> GetXattr(const CallContext& context, NodeId node, std::string_view name) override {
    RETURN_IF_ERROR(before_("GetXattr", name));
    return files_.GetXattr(context, node, name);
  }
  absl::Status SetXattr(const CallContext& context, NodeId node, std::string_view name, std::string_view value,
                        XattrMode mode) override {
    RETURN_IF_ERROR(before_("SetXattr", name));
    return files_.SetXattr(context, node, name, value, mode);
  }
  absl::StatusOr<std::vector<std::string>> ListXattr(const CallContext& context, NodeId node) override {
    RETURN_IF_ERROR(before_("ListXattr", ""));
    return files_.ListXattr(context, node);
  }
  absl::Status RemoveXattr(const CallContext& context, NodeId node, std::string_view name) override {
    RETURN_IF_ERROR(before_("RemoveXattr", name));
    return files_.RemoveXattr(context, node, name);
  }
  void Forget(absl::Span<const ForgottenNode> nodes) override { files_.Forget(nodes); }
  void Release(absl::Span<const HandleId> handles) override {
    for (size_t i = 0; i < handles.size(); ++i) static_cast<void>(before_("Release", ""));  // cannot fail
    files_.Release(handles);
  }

 private:
  FileSystem& files_;
  const Before before_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_VIEW_WATCHED_FILES_H_
