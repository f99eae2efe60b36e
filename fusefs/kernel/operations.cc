// The C boundary: each function takes a request apart, calls the core and answers. Nothing is decided here.
#include "fusefs/kernel/operations.h"

#include <sys/file.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "fusefs/kernel/connection.h"
#include "fusefs/kernel/conversions.h"
#include "fusefs/kernel/directory_reply.h"
#include "fusefs/kernel/request.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Op = FuseOperation;

HandleId Handle(const fuse_file_info* info) { return info == nullptr ? HandleId::kNone : HandleId{info->fh}; }

absl::Cord OwnedCopy(const char* data, size_t size) {
  auto copy = std::make_unique_for_overwrite<char[]>(size);
  std::memcpy(copy.get(), data, size);
  const absl::string_view view(copy.get(), size);
  return absl::MakeCordFromExternal(view, [owner = std::move(copy)] {});
}

// ------------------------------------------------------------------------------------ Names and attributes

void Lookup(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Request request(req, Op::kLookup);
  request.Answer(request.core().Lookup(request.context(), NodeId{parent}, name));
}

void Forget(fuse_req_t req, fuse_ino_t ino, uint64_t count) {
  Request request(req, Op::kForget);
  request.core().Forget(NodeId{ino}, count);
  request.AnswerNothing();
}

void ForgetMulti(fuse_req_t req, size_t count, fuse_forget_data* forgets) {
  Request request(req, Op::kForget);
  for (size_t i = 0; i < count; ++i) request.core().Forget(NodeId{forgets[i].ino}, forgets[i].nlookup);
  request.AnswerNothing();
}

void GetAttr(fuse_req_t req, fuse_ino_t ino, fuse_file_info* /*info*/) {
  Request request(req, Op::kGetAttr);
  request.Answer(request.core().GetAttr(request.context(), NodeId{ino}));
}

void SetAttr(fuse_req_t req, fuse_ino_t ino, struct stat* attributes, int to_set, fuse_file_info* info) {
  Request request(req, Op::kSetAttr);
  request.Answer(request.core().SetAttr(request.ContextWithGroups(), NodeId{ino}, Handle(info),
                                        ToAttributeChange(*attributes, to_set)));
}

void Readlink(fuse_req_t req, fuse_ino_t ino) {
  Request request(req, Op::kReadlink);
  request.AnswerTarget(request.core().Readlink(request.context(), NodeId{ino}));
}

void Access(fuse_req_t req, fuse_ino_t ino, int mask) {
  Request request(req, Op::kAccess);
  const AccessMask wanted{.read = (mask & R_OK) != 0, .write = (mask & W_OK) != 0, .execute = (mask & X_OK) != 0};
  request.Answer(request.core().Access(request.ContextWithGroups(), NodeId{ino}, wanted));
}

void StatFs(fuse_req_t req, fuse_ino_t ino) {
  Request request(req, Op::kStatFs);
  request.Answer(request.core().StatFs(request.context(), NodeId{ino}));
}

// ------------------------------------------------------------------------------------ Changing the tree

FilesystemCore::NewName NewName(const Request& request, fuse_ino_t parent, const char* name, mode_t mode) {
  return {.parent = NodeId{parent}, .name = name, .permissions = mode & kPermissionMask, .umask = request.umask()};
}

void Mknod(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, dev_t rdev) {
  Request request(req, Op::kMknod);
  request.Answer(request.core().Mknod(request.ContextWithGroups(), NewName(request, parent, name, mode),
                                      TypeOfMode(mode), major(rdev), minor(rdev)));
}

void Mkdir(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode) {
  Request request(req, Op::kMkdir);
  request.Answer(request.core().Mkdir(request.ContextWithGroups(), NewName(request, parent, name, mode)));
}

void Symlink(fuse_req_t req, const char* target, fuse_ino_t parent, const char* name) {
  Request request(req, Op::kSymlink);
  request.Answer(request.core().Symlink(request.ContextWithGroups(), NodeId{parent}, name, target));
}

void Link(fuse_req_t req, fuse_ino_t ino, fuse_ino_t new_parent, const char* new_name) {
  Request request(req, Op::kLink);
  request.Answer(request.core().Link(request.context(), NodeId{ino}, NodeId{new_parent}, new_name));
}

void Unlink(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Request request(req, Op::kUnlink);
  request.Answer(request.core().Unlink(request.context(), NodeId{parent}, name));
}

void Rmdir(fuse_req_t req, fuse_ino_t parent, const char* name) {
  Request request(req, Op::kRmdir);
  request.Answer(request.core().Rmdir(request.context(), NodeId{parent}, name));
}

void Rename(fuse_req_t req, fuse_ino_t parent, const char* name, fuse_ino_t new_parent, const char* new_name,
            unsigned flags) {
  Request request(req, Op::kRename);
  const std::optional<RenameMode> mode = ToRenameMode(flags);
  if (!mode) return request.Answer(ErrnoStatus(EINVAL));
  request.Answer(request.core().Rename(request.context(), NodeId{parent}, name, NodeId{new_parent}, new_name, *mode));
}

// ------------------------------------------------------------------------------------ Open files

void Open(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  Request request(req, Op::kOpen);
  request.Answer(request.core().Open(request.ContextWithGroups(), NodeId{ino}, ToOpenFlags(info->flags)), *info);
}

void Create(fuse_req_t req, fuse_ino_t parent, const char* name, mode_t mode, fuse_file_info* info) {
  Request request(req, Op::kCreate);
  request.Answer(request.core().Create(request.ContextWithGroups(), NewName(request, parent, name, mode),
                                       (info->flags & O_EXCL) != 0, ToOpenFlags(info->flags)),
                 *info);
}

void Read(fuse_req_t req, fuse_ino_t /*ino*/, size_t size, off_t offset, fuse_file_info* info) {
  auto deferred = std::make_unique<DeferredRequest>(req, Op::kRead);
  const Request& request = deferred->request();
  request.core().Read(request.context(), Handle(info), static_cast<uint64_t>(offset), static_cast<uint32_t>(size),
                      [deferred = std::move(deferred)](const absl::StatusOr<absl::Cord>& data) {
                        deferred->request().AnswerData(data);
                      });
}

void Write(fuse_req_t req, fuse_ino_t /*ino*/, const char* data, size_t size, off_t offset, fuse_file_info* info) {
  Request request(req, Op::kWrite);
  request.AnswerWritten(request.core().Write(request.context(), Handle(info), static_cast<uint64_t>(offset),
                                             OwnedCopy(data, size), info->writepage != 0));
}

void Flush(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info) {
  Request request(req, Op::kFlush);
  request.Answer(request.core().Flush(request.context(), Handle(info), LockOwner{info->lock_owner}));
}

void Release(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info) {
  Request request(req, Op::kRelease);
  request.core().Release(Handle(info));
  request.Answer(absl::OkStatus());
}

void Fsync(fuse_req_t req, fuse_ino_t /*ino*/, int data_only, fuse_file_info* info) {
  Request request(req, Op::kFsync);
  request.Answer(request.core().Fsync(request.context(), Handle(info), data_only != 0));
}

void Fallocate(fuse_req_t req, fuse_ino_t /*ino*/, int mode, off_t offset, off_t length, fuse_file_info* info) {
  Request request(req, Op::kFallocate);
  const std::optional<FallocateMode> wanted = ToFallocateMode(mode);
  if (!wanted) return request.Answer(ErrnoStatus(EOPNOTSUPP));
  request.Answer(request.core().Fallocate(request.context(), Handle(info), *wanted, (mode & FALLOC_FL_KEEP_SIZE) != 0,
                                          static_cast<uint64_t>(offset), static_cast<uint64_t>(length)));
}

void Seek(fuse_req_t req, fuse_ino_t /*ino*/, off_t offset, int whence, fuse_file_info* info) {
  Request request(req, Op::kSeek);
  if (whence != SEEK_DATA && whence != SEEK_HOLE) return request.Answer(ErrnoStatus(EINVAL));
  request.AnswerOffset(request.core().Seek(request.context(), Handle(info), static_cast<uint64_t>(offset),
                                           whence == SEEK_DATA ? SeekWhence::kData : SeekWhence::kHole));
}

void CopyFileRange(fuse_req_t req, fuse_ino_t /*in*/, off_t offset_in, fuse_file_info* info_in, fuse_ino_t /*out*/,
                   off_t offset_out, fuse_file_info* info_out, size_t length, int flags) {
  Request request(req, Op::kCopyFileRange);
  if (flags != 0) return request.Answer(ErrnoStatus(EINVAL));
  request.AnswerWritten(request.core().CopyFileRange(request.context(), Handle(info_in),
                                                     static_cast<uint64_t>(offset_in), Handle(info_out),
                                                     static_cast<uint64_t>(offset_out), length));
}

// ------------------------------------------------------------------------------------ Locks

void GetLock(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info, struct flock* lock) {
  Request request(req, Op::kGetLock);
  request.Answer(
      request.core().GetLock(request.context(), Handle(info), LockOwner{info->lock_owner}, ToLockRange(*lock)));
}

// Those that may wait do so on a thread of their own.
void Lock(fuse_req_t req, Op operation, HandleId handle, LockOwner owner, LockKind kind, const LockRange& lock,
          bool wait) {
  auto request = std::make_unique<Request>(req, operation, Request::StopOn::kAnySignal);
  Request& asked = *request;
  const absl::Status at_once = asked.core().SetLock(asked.context(), handle, owner, kind, lock, /*wait=*/false);
  if (!wait || ToErrno(at_once) != EAGAIN) return asked.Answer(at_once);
  asked.edge().lock_waits.Run([request = std::shared_ptr<Request>(std::move(request)), handle, owner, kind, lock] {
    request->Answer(request->core().SetLock(request->context(), handle, owner, kind, lock, /*wait=*/true));
  });
}

void SetLock(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info, struct flock* lock, int sleep) {
  Lock(req, Op::kSetLock, Handle(info), LockOwner{info->lock_owner}, LockKind::kRange, ToLockRange(*lock), sleep != 0);
}

void Flock(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info, int operation) {
  LockRange lock;
  const int type = operation & ~LOCK_NB;
  lock.type = type == LOCK_UN ? LockType::kUnlock : type == LOCK_SH ? LockType::kRead : LockType::kWrite;
  Lock(req, Op::kFlock, Handle(info), LockOwner{info->lock_owner}, LockKind::kFlock, lock, (operation & LOCK_NB) == 0);
}

// ------------------------------------------------------------------------------------ Directories

void OpenDir(fuse_req_t req, fuse_ino_t ino, fuse_file_info* info) {
  Request request(req, Op::kOpenDir);
  request.AnswerOpenDir(request.core().OpenDir(request.ContextWithGroups(), NodeId{ino}), *info);
}

void ReadDir(fuse_req_t req, fuse_ino_t /*ino*/, size_t size, off_t offset, fuse_file_info* info) {
  Request request(req, Op::kReadDir);
  AnswerDirectory(request, Handle(info), static_cast<uint64_t>(offset), size, /*plus=*/false);
}

void ReadDirPlus(fuse_req_t req, fuse_ino_t /*ino*/, size_t size, off_t offset, fuse_file_info* info) {
  Request request(req, Op::kReadDirPlus);
  AnswerDirectory(request, Handle(info), static_cast<uint64_t>(offset), size, /*plus=*/true);
}

void ReleaseDir(fuse_req_t req, fuse_ino_t /*ino*/, fuse_file_info* info) {
  Request request(req, Op::kReleaseDir);
  request.core().ReleaseDir(Handle(info));
  request.Answer(absl::OkStatus());
}

void Fsyncdir(fuse_req_t req, fuse_ino_t /*ino*/, int data_only, fuse_file_info* info) {
  Request request(req, Op::kFsyncdir);
  request.Answer(request.core().Fsyncdir(request.context(), Handle(info), data_only != 0));
}

// ------------------------------------------------------------------------------------ Extended attributes

void GetXattr(fuse_req_t req, fuse_ino_t ino, const char* name, size_t size) {
  Request request(req, Op::kGetXattr);
  request.AnswerXattr(request.core().GetXattr(request.context(), NodeId{ino}, name), size);
}

// "Only if it is there and only if it is not": which of the two is told depends on the attribute.
void AnswerImpossibleSetXattr(Request& request, NodeId node, const char* name, int flags) {
  if (flags != (XATTR_CREATE | XATTR_REPLACE)) return request.Answer(ErrnoStatus(EINVAL));
  const absl::Status there = request.core().GetXattr(request.context(), node, name).status();
  request.Answer(there.ok() ? ErrnoStatus(EEXIST) : there);
}

void SetXattr(fuse_req_t req, fuse_ino_t ino, const char* name, const char* value, size_t size, int flags) {
  Request request(req, Op::kSetXattr);
  const std::optional<XattrMode> mode = ToXattrMode(flags);
  if (!mode) return AnswerImpossibleSetXattr(request, NodeId{ino}, name, flags);
  request.Answer(request.core().SetXattr(request.ContextWithGroups(), NodeId{ino}, name, {value, size}, *mode));
}

void ListXattr(fuse_req_t req, fuse_ino_t ino, size_t size) {
  Request request(req, Op::kListXattr);
  const auto names = request.core().ListXattr(request.context(), NodeId{ino});
  if (!names.ok()) return request.Answer(names.status());
  std::string list;
  for (const std::string& name : *names) list.append(name).push_back('\0');
  request.AnswerXattr(list, size);
}

void RemoveXattr(fuse_req_t req, fuse_ino_t ino, const char* name) {
  Request request(req, Op::kRemoveXattr);
  request.Answer(request.core().RemoveXattr(request.context(), NodeId{ino}, name));
}

fuse_lowlevel_ops MakeOperations() {
  fuse_lowlevel_ops operations = {};
  operations.init = [](void* edge, fuse_conn_info* connection) {
    IntroduceToKernel(*static_cast<Edge*>(edge), *connection);
  };
  operations.lookup = Lookup;
  operations.forget = Forget;
  operations.forget_multi = ForgetMulti;
  operations.getattr = GetAttr;
  operations.setattr = SetAttr;
  operations.readlink = Readlink;
  operations.access = Access;
  operations.statfs = StatFs;
  operations.mknod = Mknod;
  operations.mkdir = Mkdir;
  operations.symlink = Symlink;
  operations.link = Link;
  operations.unlink = Unlink;
  operations.rmdir = Rmdir;
  operations.rename = Rename;
  operations.open = Open;
  operations.create = Create;
  operations.read = Read;
  operations.write = Write;
  operations.flush = Flush;
  operations.release = Release;
  operations.fsync = Fsync;
  operations.fallocate = Fallocate;
  operations.lseek = Seek;
  operations.copy_file_range = CopyFileRange;
  operations.getlk = GetLock;
  operations.setlk = SetLock;
  operations.flock = Flock;
  operations.opendir = OpenDir;
  operations.readdir = ReadDir;
  operations.readdirplus = ReadDirPlus;
  operations.releasedir = ReleaseDir;
  operations.fsyncdir = Fsyncdir;
  operations.getxattr = GetXattr;
  operations.setxattr = SetXattr;
  operations.listxattr = ListXattr;
  operations.removexattr = RemoveXattr;
  return operations;
}

}  // namespace

const fuse_lowlevel_ops& Operations() {
  static const fuse_lowlevel_ops operations = MakeOperations();
  return operations;
}

}  // namespace mirrorfs
