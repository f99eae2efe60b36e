#include "fusefs/daemon/served_view.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <utility>

#include "fmt/format.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kAllCapabilities = (uint64_t{1} << 41) - 1;

// The rights of the user who launched the daemon: its own.
Identity OwnIdentity() {
  Identity identity{.kind = IdentityKind::kContainer, .credentials = {.uid = ::geteuid(), .gid = ::getegid()}};
  std::vector<uint32_t>& groups = identity.credentials.groups;
  groups.resize(static_cast<size_t>(std::max(0, ::getgroups(0, nullptr))));
  if (::getgroups(static_cast<int>(groups.size()), groups.data()) < 0) groups.clear();
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) == 0) {
    identity.credentials.capabilities = data[0].effective | uint64_t{data[1].effective} << 32;
  }
  return identity;
}

// On the layer root acts as the session does in the container: its files have the container's owners. Without root all
// of them are the daemon's own, and the view checks.
Identity LayerIdentity(const DaemonOptions& options, const SessionFacts& facts) {
  if (::geteuid() != 0) return OwnIdentity();
  if (options.remote.identity == SessionIdentity::kCaller) return {.kind = IdentityKind::kCaller, .credentials = {}};
  return {.kind = IdentityKind::kFixed,
          .credentials = {.uid = facts.identity_uid,
                          .gid = facts.identity_gid,
                          .groups = facts.identity_groups,
                          .capabilities = facts.identity_uid == 0 ? kAllCapabilities : 0}};
}

absl::StatusOr<std::unique_ptr<RootedFilesystem>> OpenTree(const std::string& directory, Identity identity,
                                                           bool devices) {
  RootedFilesystemOptions rooted;
  rooted.root.reset(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!rooted.root) return LastErrno(directory);
  rooted.identity = std::move(identity);
  rooted.read_write = true;
  rooted.devices = devices;
  return RootedFilesystem::Create(std::move(rooted));
}

absl::StatusOr<PathPolicy> ReadPolicy(const std::string& file) {
  if (file.empty()) return PathPolicy::Compile({.mode = FsMode::kRead, .rules = {}, .mappings = {}});
  std::ifstream stream(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
  if (!stream) return absl::InvalidArgumentError(fmt::format("--policy {}: it cannot be read", file));
  ASSIGN_OR_RETURN(PolicySpec spec, DecodePolicySpec(text));
  return PathPolicy::Compile(std::move(spec));
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServedView>> ServedView::Make(const DaemonOptions& options, RemoteSession& remote,
                                                             std::function<void(const CopyProgress&)> progress) {
  auto served = std::make_unique<ServedView>();
  served->files_ = &remote.Files();
  served->root_ = remote.Facts().root;
  if (options.policy_file.empty() && options.layer_directory.empty()) return served;
  ASSIGN_OR_RETURN(PathPolicy policy, ReadPolicy(options.policy_file));
  if (!options.layer_directory.empty()) RETURN_IF_ERROR(served->OpenLayer(options, remote.Facts()));
  if (!options.policy_file.empty()) RETURN_IF_ERROR(served->OpenLocal(options));
  ViewOptions view{.policy = std::move(policy)};
  view.container = &remote.Files();
  view.local = served->local_.get();
  view.layer = served->layer_.get();
  view.layer_files = served->layer_files_.get();
  if (!options.mount.default_permissions) {
    const SessionFacts& facts = remote.Facts();
    view.acting_as = Caller{facts.identity_uid, facts.identity_gid, facts.identity_groups};
  }
  view.progress = std::move(progress);
  ASSIGN_OR_RETURN(served->view_, ViewFileSystem::Create(std::move(view)));
  served->files_ = served->view_.get();
  ASSIGN_OR_RETURN(served->root_, served->view_->Root({}));
  return served;
}

absl::Status ServedView::OpenLayer(const DaemonOptions& options, const SessionFacts& facts) {
  const std::string& directory = options.layer_directory;
  absl::StatusOr<std::unique_ptr<Layer>> layer = Layer::Open(directory, LayerUse::kChange);
  if (ToErrno(layer.status()) == ENOENT) {
    LayerInfo info;
    info.target = options.mount.source;
    info.shown_uid = facts.identity_uid;
    info.shown_gid = facts.identity_gid;
    layer = Layer::Create(directory, std::move(info));
  }
  RETURN_IF_ERROR(layer.status());
  layer_ = *std::move(layer);
  RETURN_IF_ERROR(layer_->CheckOwners());
  ASSIGN_OR_RETURN(layer_files_, OpenTree(directory, LayerIdentity(options, facts), options.devices));
  return absl::OkStatus();
}

absl::Status ServedView::OpenLocal(const DaemonOptions& options) {
  const bool by_caller = ::geteuid() == 0 && options.remote.identity == SessionIdentity::kCaller;
  const Identity identity = by_caller ? Identity{.kind = IdentityKind::kCaller, .credentials = {}} : OwnIdentity();
  ASSIGN_OR_RETURN(local_, OpenTree("/", identity, options.devices));
  return absl::OkStatus();
}

}  // namespace mirrorfs
