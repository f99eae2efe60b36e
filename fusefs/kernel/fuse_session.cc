#include "fusefs/kernel/fuse_session.h"

#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "fusefs/kernel/connection.h"
#include "fusefs/kernel/edge.h"
#include "fusefs/kernel/fuse_api.h"
#include "fusefs/kernel/operations.h"

namespace mirrorfs {
namespace {

// Each request that waits for the agent holds a thread: as many programs can wait before one that need not does.
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kIdleThreads = 32;

CoreOptions ToCoreOptions(const MountOptions& options) {
  CoreOptions core;
  core.attr_timeout = options.attr_timeout;
  core.entry_timeout = options.entry_timeout;
  core.rebase_links = options.symlinks == SymlinkMode::kRebase;
  core.exact_acls = options.exact_acls;
  core.agent_checks_permissions = !options.default_permissions;
  core.map_ids = options.map_ids;
  core.show_own_ids = options.show_own_ids;
  core.container_uid = options.container_uid;
  core.container_gid = options.container_gid;
  core.shown_uid = options.shown_uid;
  core.shown_gid = options.shown_gid;
  core.max_read = options.max_read;
  core.max_write = options.max_write;
  core.max_page = options.max_page;
  return core;
}

// Commas and backslashes separate and escape options.
std::string Escaped(const std::string& value) {
  std::string result;
  for (const char c : value) {
    if (c == ',' || c == '\\') result += '\\';
    result += c;
  }
  return result;
}

// For root the superblock stays writable and the mount is made read-only: later, the daemon itself may have to touch
// files through it so that local watchers hear of changes.
bool ReadOnlyByRemount(const MountOptions& options) {
  return options.read_only && ::geteuid() == 0 && !options.IsMountedAlready();
}

std::string MountOptionText(const MountOptions& options) {
  std::string text = fmt::format("fsname={},subtype=mirrorfs,max_read={}", Escaped(options.source), options.max_read);
  if (options.allow_other) text += ",allow_other";
  if (options.default_permissions) text += ",default_permissions";
  if (options.read_only && !ReadOnlyByRemount(options)) text += ",ro";
  text += options.suid ? ",suid" : ",nosuid";
  text += options.dev ? ",dev" : ",nodev";
  if (options.noexec) text += ",noexec";
  return text;
}

absl::Status RemountReadOnly(const MountOptions& options) {
  unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY;
  if (!options.suid) flags |= MS_NOSUID;
  if (!options.dev) flags |= MS_NODEV;
  if (options.noexec) flags |= MS_NOEXEC;
  if (::mount(nullptr, options.mountpoint.c_str(), nullptr, flags, nullptr) == 0) return absl::OkStatus();
  const std::string why = std::generic_category().message(errno);
  ::umount2(options.mountpoint.c_str(), MNT_DETACH);
  return absl::InternalError(fmt::format("cannot make the mount on {} read-only: {}", options.mountpoint, why));
}

class LibfuseSession : public FuseSession {
 public:
  LibfuseSession(FileSystem& files, const Entry& root, const MountOptions& options) {
    edge_.options = options;
    CoreOptions core = ToCoreOptions(options);
    // A name that expires takes what is mounted on it away, so names of such a mount are left to their lifetimes.
    core.expire_kernel_names = [this] {
      if (edge_.kernel_has_epochs && !edge_.options.IsMountedAlready()) ExpireKernelNames(fuse_session_fd(session_));
    };
    // An offset below 0: only attributes, which takes no lock of the inode's.
    core.expire_kernel_attributes = [this](NodeId node) {
      fuse_lowlevel_notify_inval_inode(session_, ToNumber(node), -1, 0);
    };
    edge_.core = std::make_unique<FilesystemCore>(files, root, core);
  }
  ~LibfuseSession() override {
    (void)edge_.deferred.Wait({});  // without a stop there is nothing to tell
    // fuse_session_destroy closes the connection; what is mounted stays, and answers ENOTCONN.
    if (session_ != nullptr) fuse_session_destroy(session_);
  }

  absl::Status Mount() {
    const MountOptions& options = edge_.options;
    const std::string text = MountOptionText(options);
    std::vector<std::string> words = {"mirrorfsd", "-o", text};
    if (options.debug) words.emplace_back("-d");
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    fuse_args args = FUSE_ARGS_INIT(static_cast<int>(argv.size()), argv.data());
    const absl::Cleanup free_args = [&args] { fuse_opt_free_args(&args); };
    session_ = fuse_session_new(&args, &Operations(), sizeof(fuse_lowlevel_ops), &edge_);
    if (session_ == nullptr) return absl::InvalidArgumentError(fmt::format("libfuse refuses the options {}", text));
    if (fuse_session_mount(session_, options.mountpoint.c_str()) != 0) {
      return absl::FailedPreconditionError(
          fmt::format("cannot mount on {}: libfuse has said why above", options.mountpoint));
    }
    return ReadOnlyByRemount(options) ? RemountReadOnly(options) : absl::OkStatus();
  }

  absl::Status Run() override {
    fuse_loop_config* config = fuse_loop_cfg_create();
    const absl::Cleanup destroy = [config] { fuse_loop_cfg_destroy(config); };
    fuse_loop_cfg_set_max_threads(config, kMaxThreads);
    fuse_loop_cfg_set_idle_threads(config, kIdleThreads);
    fuse_loop_cfg_set_clone_fd(config, 0);
    const int result = fuse_session_loop_mt(session_, config);
    if (result < 0) {
      return absl::InternalError(
          fmt::format("serving {} ended: {}", edge_.options.mountpoint, std::generic_category().message(-result)));
    }
    return absl::OkStatus();
  }

  void RequestStop() override { fuse_session_exit(session_); }

  std::map<std::string, uint64_t> RequestCounts() const override { return edge_.counts.ByName(); }

 private:
  Edge edge_;
  fuse_session* session_ = nullptr;
};

}  // namespace

absl::StatusOr<std::unique_ptr<FuseSession>> FuseSession::Mount(FileSystem& files, const Entry& root,
                                                                const MountOptions& options) {
  auto session = std::make_unique<LibfuseSession>(files, root, options);
  if (absl::Status status = session->Mount(); !status.ok()) return status;
  return session;
}

}  // namespace mirrorfs
