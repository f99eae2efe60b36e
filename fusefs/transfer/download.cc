// Download.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <map>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "fusefs/transfer/task_pool.h"
#include "fusefs/transfer/transfer.h"
#include "fusefs/transfer/transfer_parts.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kKeptPermissions = 01777;  // a set-id file of the container's is none of this machine's
constexpr uint32_t kInlineBytes = 64 << 10;   // small files come with their open

std::array<timespec, 2> TimesOf(const Attributes& attributes) {
  const SplitTime atime = Split(attributes.atime_ns);
  const SplitTime mtime = Split(attributes.mtime_ns);
  return {timespec{atime.seconds, static_cast<long>(atime.nanoseconds)},
          timespec{mtime.seconds, static_cast<long>(mtime.nanoseconds)}};
}

// A local directory while something is made in it, and its path below where it all goes ("" is that itself): as many as
// a tree has cannot be open at once.
struct Place {
  std::shared_ptr<UniqueFd> fd;
  std::string path;

  int get() const { return fd->get(); }
  std::string Below(const std::string& name) const { return path.empty() ? name : path + "/" + name; }
};

// A file that several threads may be fetching parts of.
struct OpenCopy {
  OpenCopy(FileSystem& files, std::string path, const Entry& entry, HandleId handle)
      : files(files), path(std::move(path)), attributes(entry.attributes), handle(handle) {}
  ~OpenCopy() { files.Release(std::array{handle}); }

  FileSystem& files;
  const std::string path;
  const Attributes attributes;
  const HandleId handle;
  UniqueFd local;
  std::atomic<bool> failed = false;
};

struct OtherName {
  std::string first;  // path
  std::string directory;
  std::string name;
};

class Downloader {
 public:
  Downloader(FileSystem& files, const TransferListener& listener, TransferCounts& counts)
      : files_(files), listener_(listener), counts_(counts), pool_(kTransferThreads) {}

  absl::Status Run(const std::string& path, int directory, const std::string& name) {
    ASSIGN_OR_RETURN(Entry entry, FindFile(files_, path, /*follow_last=*/false));
    top_.reset(::fcntl(directory, F_DUPFD_CLOEXEC, 0));
    if (!top_) return LastErrno("dup");
    const Place top{.fd = std::make_shared<UniqueFd>(::fcntl(directory, F_DUPFD_CLOEXEC, 0)), .path = ""};
    Copy(std::move(entry), path, top, name);
    pool_.Wait();
    LinkOtherNames();
    FinishDirectories();
    return absl::OkStatus();
  }

 private:
  // Takes over the entry's reference.
  void Copy(Entry entry, const std::string& path, const Place& directory, const std::string& name) {
    switch (entry.attributes.type) {
      case FileType::kDirectory:
        pool_.Add([this, entry, path, directory, name] {
          Note(path, CopyDirectory(entry, path, directory, name));
          GiveBack(files_, entry.node);
        });
        return;
      case FileType::kRegular:
        pool_.Add([this, entry, path, directory, name] {
          Note(path, CopyFile(entry, path, directory, name));
          GiveBack(files_, entry.node);
        });
        return;
      case FileType::kSymlink:
        Note(path, CopyLink(entry, directory.get(), name));
        break;
      default:
        listener_.skipped(path, "a device, FIFO or socket");
    }
    GiveBack(files_, entry.node);
  }

  void Note(const std::string& path, const absl::Status& status) {
    if (!status.ok()) listener_.failed(path, std::generic_category().message(ToErrno(status)));
  }

  absl::Status CopyDirectory(const Entry& entry, const std::string& path, const Place& parent,
                             const std::string& name) {
    if (::mkdirat(parent.get(), name.c_str(), 0700) != 0 && errno != EEXIST) return LastErrno(name);
    // Not through a link, wherever that would lead.
    const Place here{.fd = std::make_shared<UniqueFd>(
                         ::openat(parent.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)),
                     .path = parent.Below(name)};
    if (!*here.fd) return LastErrno(name);
    {
      const MutexLock lock(mutex_);
      directories_.emplace_back(here.path, entry.attributes);
    }
    DirCursor cursor = DirCursor::kStart;
    do {
      ASSIGN_OR_RETURN(DirectoryPage page, files_.ReadDir({}, entry.node, cursor, kTransferChunk, true));
      for (DirectoryEntry& child : page.entries) {
        const std::string child_path = path + "/" + child.name;
        if (child.entry) {
          Copy(*std::move(child.entry), child_path, here, child.name);
        } else if (auto found = files_.Lookup({}, entry.node, child.name); found.ok()) {
          Copy(*std::move(found), child_path, here, child.name);
        } else {
          Note(child_path, found.status());
        }
      }
      cursor = page.next;
    } while (cursor != DirCursor::kEnd);
    return absl::OkStatus();
  }

  static absl::Status CopyLink(const Entry& entry, int directory, const std::string& name) {
    const char* target = entry.link_target.c_str();
    if (::symlinkat(target, directory, name.c_str()) != 0) {
      if (errno != EEXIST || ::unlinkat(directory, name.c_str(), 0) != 0) return LastErrno(name);
      if (::symlinkat(target, directory, name.c_str()) != 0) return LastErrno(name);
    }
    ::utimensat(directory, name.c_str(), TimesOf(entry.attributes).data(), AT_SYMLINK_NOFOLLOW);
    return absl::OkStatus();
  }

  // The other names of a file are links to its first, made when that is there. True: this is another one.
  bool IsOtherName(const Entry& entry, const Place& directory, const std::string& name) {
    if (entry.attributes.nlink < 2) return false;
    const MutexLock lock(mutex_);
    const auto [first, is_new] = first_names_.try_emplace(entry.node, directory.Below(name));
    if (!is_new) other_names_.push_back({first->second, directory.path, name});
    return !is_new;
  }

  void LinkOtherNames() {
    const MutexLock lock(mutex_);
    for (const OtherName& other : other_names_) {
      const UniqueFd first = OpenBelow(other.first, O_PATH);
      const UniqueFd directory = OpenBelow(other.directory.empty() ? "." : other.directory, O_PATH | O_DIRECTORY);
      const std::string by_descriptor = fmt::format("/proc/self/fd/{}", first.get());
      if (!first || !directory ||
          ::linkat(AT_FDCWD, by_descriptor.c_str(), directory.get(), other.name.c_str(), AT_SYMLINK_FOLLOW) != 0) {
        Note(other.directory + "/" + other.name, LastErrno("link"));
      }
    }
  }

  absl::Status CopyFile(const Entry& entry, const std::string& path, const Place& directory, const std::string& name) {
    // A file of its own: what is there may be open, or have other names.
    if (::unlinkat(directory.get(), name.c_str(), 0) != 0 && errno != ENOENT) return LastErrno(name);
    if (IsOtherName(entry, directory, name)) return absl::OkStatus();
    const HandleId handle = NextTransferHandle();
    ASSIGN_OR_RETURN(const OpenResult opened, files_.Open({}, entry.node, handle, {.read = true}, kInlineBytes));
    const auto copy = std::make_shared<OpenCopy>(files_, path, entry, handle);
    copy->local.reset(::openat(directory.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!copy->local) return LastErrno(name);
    const uint64_t size = opened.attributes.size;
    if (::ftruncate(copy->local.get(), static_cast<off_t>(size)) != 0) return LastErrno(name);
    ++counts_.files;
    if (opened.inline_data && opened.inline_data->size() >= size) {
      RETURN_IF_ERROR(WriteAt(*copy, 0, *opened.inline_data));
      return Finish(*copy);
    }
    CopyChunks(copy, size);
    return absl::OkStatus();
  }

  void CopyChunks(const std::shared_ptr<OpenCopy>& copy, uint64_t size) {
    const uint64_t chunks = (size + kTransferChunk - 1) / kTransferChunk;
    const auto remaining = std::make_shared<std::atomic<uint64_t>>(chunks);
    for (uint64_t chunk = 0; chunk < chunks; ++chunk) {
      pool_.Add([this, copy, chunk, remaining] {
        const absl::Status status = CopyChunk(*copy, chunk * kTransferChunk);
        if (!status.ok() && !copy->failed.exchange(true)) Note(copy->path, status);
        if (remaining->fetch_sub(1) == 1 && !copy->failed) Note(copy->path, Finish(*copy));
      });
    }
  }

  absl::Status CopyChunk(OpenCopy& copy, uint64_t offset) {
    if (copy.failed) return absl::OkStatus();
    ASSIGN_OR_RETURN(const absl::Cord data, files_.Read({}, copy.handle, offset, kTransferChunk));
    uint64_t at = offset;
    for (const absl::string_view part : data.Chunks()) {
      RETURN_IF_ERROR(WriteAt(copy, at, {part.data(), part.size()}));
      at += part.size();
    }
    return absl::OkStatus();
  }

  absl::Status WriteAt(const OpenCopy& copy, uint64_t offset, std::string_view data) {
    counts_.bytes += data.size();
    if (IsHole(data)) return absl::OkStatus();
    while (!data.empty()) {
      const ssize_t count = ::pwrite(copy.local.get(), data.data(), data.size(), static_cast<off_t>(offset));
      if (count < 0) return LastErrno("write");
      offset += static_cast<uint64_t>(count);
      data.remove_prefix(static_cast<size_t>(count));
    }
    return absl::OkStatus();
  }

  static absl::Status Finish(const OpenCopy& copy) {
    const Attributes& attributes = copy.attributes;
    if (::fchmod(copy.local.get(), attributes.permissions & kKeptPermissions) != 0) return LastErrno("chmod");
    ::futimens(copy.local.get(), TimesOf(attributes).data());
    return absl::OkStatus();
  }

  // Without following any link, which somebody might have put there meanwhile.
  UniqueFd OpenBelow(const std::string& path, int flags) const {
    open_how how = {};
    how.flags = static_cast<uint64_t>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
    return UniqueFd(static_cast<int>(::syscall(SYS_openat2, top_.get(), path.c_str(), &how, sizeof(how))));
  }

  // At last, from the depth up: what is made in a directory changes its times, and needs rights to it.
  void FinishDirectories() {
    const MutexLock lock(mutex_);
    for (auto directory = directories_.rbegin(); directory != directories_.rend(); ++directory) {
      const UniqueFd fd = OpenBelow(directory->first, O_RDONLY | O_DIRECTORY);
      if (!fd) continue;
      ::fchmod(fd.get(), directory->second.permissions & kKeptPermissions);
      ::futimens(fd.get(), TimesOf(directory->second).data());
    }
  }

  FileSystem& files_;
  const TransferListener& listener_;
  TransferCounts& counts_;
  UniqueFd top_;
  Mutex mutex_;
  std::vector<std::pair<std::string, Attributes>> directories_ ABSL_GUARDED_BY(mutex_);
  std::map<NodeId, std::string> first_names_ ABSL_GUARDED_BY(mutex_);  // paths of files with several
  std::vector<OtherName> other_names_ ABSL_GUARDED_BY(mutex_);
  TaskPool pool_;  // last: its tasks use the rest
};

}  // namespace

absl::Status Download(FileSystem& files, const std::string& path, int directory, const std::string& name,
                      const TransferListener& listener, TransferCounts& counts) {
  return Downloader(files, listener, counts).Run(path, directory, name);
}

}  // namespace mirrorfs
