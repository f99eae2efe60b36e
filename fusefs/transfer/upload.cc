// Upload.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "fusefs/transfer/task_pool.h"
#include "fusefs/transfer/transfer.h"
#include "fusefs/transfer/transfer_parts.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kKeptPermissions = 01777;  // set-id bits would be for somebody else than here

FileTime TimeOf(const timespec& time) {
  return Join({.seconds = time.tv_sec, .nanoseconds = static_cast<uint32_t>(time.tv_nsec)});
}

AttributeChange AttributesOf(const struct stat& local) {
  return {.permissions = local.st_mode & kKeptPermissions,
          .atime = TimeValue{.ns = TimeOf(local.st_atim)},
          .mtime = TimeValue{.ns = TimeOf(local.st_mtim)}};
}

using SharedFd = std::shared_ptr<UniqueFd>;

// A file that several threads may be sending parts of.
struct OpenUpload {
  OpenUpload(FileSystem& files, std::string path, const struct stat& local, HandleId handle, UniqueFd fd)
      : files(files), path(std::move(path)), local(local), handle(handle), fd(std::move(fd)) {}
  ~OpenUpload() { files.Release(std::array{handle}); }

  FileSystem& files;
  const std::string path;
  const struct stat local;
  const HandleId handle;
  const UniqueFd fd;
  std::atomic<bool> failed = false;
};

class Uploader {
 public:
  Uploader(FileSystem& files, const TransferListener& listener, TransferCounts& counts)
      : files_(files), listener_(listener), counts_(counts), pool_(kTransferThreads) {}

  absl::Status Run(int directory, const std::string& local_name, const std::string& parent, const std::string& name) {
    ASSIGN_OR_RETURN(const Entry target, FindFile(files_, parent, /*follow_last=*/true));
    const absl::Cleanup back = [&] { GiveBack(files_, target.node); };
    if (target.attributes.type != FileType::kDirectory) return ErrnoStatus(ENOTDIR);
    const auto local = std::make_shared<UniqueFd>(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
    if (!*local) return LastErrno("dup");
    Copy(local, local_name, target.node, name, (parent == "/" ? "" : parent) + "/" + name);
    pool_.Wait();
    FinishDirectories();
    return absl::OkStatus();
  }

 private:
  void Note(const std::string& path, const absl::Status& status) {
    if (!status.ok()) listener_.failed(path, std::generic_category().message(ToErrno(status)));
  }

  void Copy(const SharedFd& directory, const std::string& local_name, NodeId parent, const std::string& name,
            const std::string& path) {
    struct stat is = {};
    if (::fstatat(directory->get(), local_name.c_str(), &is, AT_SYMLINK_NOFOLLOW) != 0) {
      return Note(path, LastErrno(local_name));
    }
    if (S_ISDIR(is.st_mode)) {
      pool_.Add([this, directory, local_name, parent, name, path, is] {
        Note(path, CopyDirectory(*directory, local_name, is, parent, name, path));
      });
    } else if (S_ISREG(is.st_mode)) {
      pool_.Add([this, directory, local_name, parent, name, path] {
        Note(path, CopyFile(*directory, local_name, parent, name, path));
      });
    } else if (S_ISLNK(is.st_mode)) {
      Note(path, CopyLink(*directory, local_name, is, parent, name));
    } else {
      listener_.skipped(path, "a device, FIFO or socket");
    }
  }

  // Keeps the directory's reference until all is done.
  absl::Status CopyDirectory(const UniqueFd& directory, const std::string& local_name, const struct stat& is,
                             NodeId parent, const std::string& name, const std::string& path) {
    const auto here = std::make_shared<UniqueFd>(
        ::openat(directory.get(), local_name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!*here) return LastErrno(local_name);
    absl::StatusOr<Entry> made = files_.Mkdir({}, {.parent = parent, .name = name, .permissions = 0700});
    if (ToErrno(made.status()) == EEXIST) made = files_.Lookup({}, parent, name);
    RETURN_IF_ERROR(made.status());
    if (made->attributes.type != FileType::kDirectory) {
      GiveBack(files_, made->node);
      return ErrnoStatus(ENOTDIR);
    }
    {
      const MutexLock lock(mutex_);
      directories_.push_back({made->node, path, is});
    }
    ASSIGN_OR_RETURN(const std::vector<std::string> names, NamesIn(*here));
    for (const std::string& child : names) Copy(here, child, made->node, child, path + "/" + child);
    return absl::OkStatus();
  }

  static absl::StatusOr<std::vector<std::string>> NamesIn(const UniqueFd& directory) {
    DIR* const stream = ::fdopendir(::fcntl(directory.get(), F_DUPFD_CLOEXEC, 0));
    if (stream == nullptr) return LastErrno("readdir");
    const absl::Cleanup close = [&] { ::closedir(stream); };
    std::vector<std::string> names;
    while (const dirent* const entry = ::readdir(stream)) {
      const std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(name);
    }
    return names;
  }

  absl::Status CopyLink(const UniqueFd& directory, const std::string& local_name, const struct stat& is, NodeId parent,
                        const std::string& name) {
    std::string target(kMaxTargetBytes + 1, '\0');
    const ssize_t size = ::readlinkat(directory.get(), local_name.c_str(), target.data(), target.size());
    if (size < 0) return LastErrno(local_name);
    target.resize(static_cast<size_t>(size));
    const FileSystem::NewNode where{.parent = parent, .name = name, .permissions = 0777};
    absl::StatusOr<Entry> made = files_.Symlink({}, where, target);
    if (ToErrno(made.status()) == EEXIST) {
      RETURN_IF_ERROR(files_.Unlink({}, parent, name).status());
      made = files_.Symlink({}, where, target);
    }
    RETURN_IF_ERROR(made.status());
    const absl::Cleanup back = [&] { GiveBack(files_, made->node); };
    const AttributeChange times{.mtime = TimeValue{.ns = TimeOf(is.st_mtim)}};
    return files_.SetAttr({}, {.node = made->node}, times).status();
  }

  absl::Status CopyFile(const UniqueFd& directory, const std::string& local_name, NodeId parent,
                        const std::string& name, const std::string& path) {
    UniqueFd fd(::openat(directory.get(), local_name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat is = {};
    if (!fd || ::fstat(fd.get(), &is) != 0) return LastErrno(local_name);
    const HandleId handle = NextTransferHandle();
    const FileSystem::NewNode where{.parent = parent, .name = name, .permissions = 0600};
    ASSIGN_OR_RETURN(const CreateResult made,
                     files_.Create({}, where, /*exclusive=*/false, handle, {.write = true, .truncate = true}));
    GiveBack(files_, made.entry.node);  // the handle keeps it
    const auto upload = std::make_shared<OpenUpload>(files_, path, is, handle, std::move(fd));
    ++counts_.files;
    const uint64_t size = static_cast<uint64_t>(is.st_size);
    if (size <= kTransferChunk) {
      RETURN_IF_ERROR(CopyChunk(*upload, 0));
      return Finish(*upload);
    }
    const uint64_t chunks = (size + kTransferChunk - 1) / kTransferChunk;
    const auto remaining = std::make_shared<std::atomic<uint64_t>>(chunks);
    for (uint64_t chunk = 0; chunk < chunks; ++chunk) {
      pool_.Add([this, upload, chunk, remaining] {
        const absl::Status status = CopyChunk(*upload, chunk * kTransferChunk);
        if (!status.ok() && !upload->failed.exchange(true)) Note(upload->path, status);
        if (remaining->fetch_sub(1) == 1 && !upload->failed) Note(upload->path, Finish(*upload));
      });
    }
    return absl::OkStatus();
  }

  absl::Status CopyChunk(const OpenUpload& upload, uint64_t offset) {
    if (upload.failed) return absl::OkStatus();
    std::string data(kTransferChunk, '\0');
    size_t filled = 0;
    while (filled < data.size()) {
      const ssize_t count =
          ::pread(upload.fd.get(), data.data() + filled, data.size() - filled, static_cast<off_t>(offset + filled));
      if (count < 0) return LastErrno("read");
      if (count == 0) break;
      filled += static_cast<size_t>(count);
    }
    data.resize(filled);
    counts_.bytes += filled;
    if (IsHole(data)) return absl::OkStatus();
    absl::Cord left(std::move(data));
    while (!left.empty()) {
      ASSIGN_OR_RETURN(const Written written, files_.Write({}, upload.handle, offset, left));
      if (written.bytes == 0 || written.bytes > left.size()) return ErrnoStatus(EIO, "write");
      offset += written.bytes;
      left.RemovePrefix(written.bytes);
    }
    return absl::OkStatus();
  }

  // The size first: a hole at the end was not written.
  absl::Status Finish(const OpenUpload& upload) {
    const NodeOrHandle file = {.handle = upload.handle};
    RETURN_IF_ERROR(files_.SetAttr({}, file, {.size = static_cast<uint64_t>(upload.local.st_size)}).status());
    return files_.SetAttr({}, file, AttributesOf(upload.local)).status();
  }

  void FinishDirectories() {
    const MutexLock lock(mutex_);
    for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
      Note(directory->path, files_.SetAttr({}, {.node = directory->node}, AttributesOf(directory->local)).status());
      GiveBack(files_, directory->node);
    }
  }

  struct MadeDirectory {
    NodeId node;
    std::string path;
    struct stat local;
  };

  FileSystem& files_;
  const TransferListener& listener_;
  TransferCounts& counts_;
  Mutex mutex_;
  std::vector<MadeDirectory> directories_ ABSL_GUARDED_BY(mutex_);
  TaskPool pool_;  // last: its tasks use the rest
};

}  // namespace

absl::Status Upload(FileSystem& files, int directory, const std::string& local_name, const std::string& parent,
                    const std::string& name, const TransferListener& listener, TransferCounts& counts) {
  return Uploader(files, listener, counts).Run(directory, local_name, parent, name);
}

}  // namespace mirrorfs
