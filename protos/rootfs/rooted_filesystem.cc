#include "protos/rootfs/rooted_filesystem.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "protos/rootfs/component_name.h"
#include "protos/rootfs/kernel_calls.h"
#include "protos/rootfs/link_target.h"
#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// How long descriptors that nobody uses are kept, and how often that is looked at.
constexpr std::chrono::seconds kKeepUnused{5};
constexpr std::chrono::minutes kKeepListings{10};
constexpr std::chrono::seconds kKeepFinishedListings{30};
constexpr std::chrono::milliseconds kTidyPeriod{2000};

// The descriptors that may be spent on what is only kept to be fast: an eighth of the limit, because an agent has
// several sessions, and because what counts are open files.
size_t AffordableDescriptors(size_t wanted) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  return std::clamp<size_t>(limit.rlim_cur / 8, 16, std::max<size_t>(wanted, 16));
}

}  // namespace

absl::StatusOr<std::unique_ptr<RootedFilesystem>> RootedFilesystem::Create(RootedFilesystemOptions options) {
  ASSIGN_OR_RETURN(ProcFdDirectory proc, ProcFdDirectory::Open());
  const SharedFd root = ShareFd(std::move(options.root));
  FileInspector inspector;
  ASSIGN_OR_RETURN(InspectedFile root_file, inspector.Inspect(root->get()));
  if (root_file.facts.type != FileType::kDirectory) return ErrnoStatus(ENOTDIR, "the container's root");
  if (root_file.facts.refused) return ErrnoStatus(EACCES, "the container's root is a pseudo file system");
  const size_t descriptors = AffordableDescriptors(options.fd_cache_size);
  return std::make_unique<RootedFilesystemImpl>(std::move(options), std::move(proc), root, std::move(root_file),
                                                descriptors);
}

RootedFilesystemImpl::RootedFilesystemImpl(RootedFilesystemOptions options, ProcFdDirectory proc, SharedFd root,
                                           InspectedFile root_file, size_t descriptors)
    : options_(std::move(options)),
      proc_(std::move(proc)),
      root_(std::move(root)),
      conversion_(root_file.facts.device, options_.uids, options_.gids),
      rights_(options_.identity, options_.uids, options_.gids),
      nodes_(root_file.identity),
      fds_(descriptors),
      listings_(std::clamp<size_t>(descriptors / 8, 4, 64)),
      locks_(proc_),
      resolver_(root_, inspector_, nodes_, handles_, fds_),
      tidying_(kTidyPeriod, [this] { Tidy(); }) {
  inspector_.NoteRoot(root_file.stat);
}

void RootedFilesystemImpl::Tidy() {
  const auto now = std::chrono::steady_clock::now();
  fds_.EraseUnusedSince(now - kKeepUnused);
  listings_.EraseUnusedSince(now - kKeepListings, now - kKeepFinishedListings);
}

absl::StatusOr<Entry> RootedFilesystemImpl::Root(const CallContext& context) {
  ASSIGN_OR_RETURN(InspectedFile file, inspector_.Inspect(root_->get()));
  return Entry{NodeId::kRoot, conversion_.Convert(file), std::move(file.identity), {}};
}

uint64_t RootedFilesystemImpl::DeviceOf(NodeOrHandle file) const {
  if (file.handle != HandleId::kNone) {
    const absl::StatusOr<OpenDescriptor> open = handles_.Find(file.handle);
    return open.ok() ? open->device : 0;
  }
  const std::optional<IdentityFacts> facts = nodes_.Facts(file.node);
  return facts.has_value() ? facts->device : 0;
}

absl::StatusOr<RootedFilesystemImpl::FoundNode> RootedFilesystemImpl::FindNode(NodeId node) {
  const std::optional<IdentityFacts> facts = nodes_.Facts(node);
  if (!facts.has_value()) return ErrnoStatus(ESTALE);
  ASSIGN_OR_RETURN(SharedFd fd, resolver_.Resolve(node));
  return FoundNode{std::move(fd), *facts};
}

absl::StatusOr<RootedFilesystemImpl::FoundNode> RootedFilesystemImpl::FindDirectory(NodeId node) {
  ASSIGN_OR_RETURN(FoundNode found, FindNode(node));
  if (found.facts.type != FileType::kDirectory) return ErrnoStatus(ENOTDIR);
  return found;
}

absl::StatusOr<RootedFilesystemImpl::FoundNode> RootedFilesystemImpl::FindToChange(NodeId node) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  ASSIGN_OR_RETURN(FoundNode found, FindNode(node));
  if (found.facts.refused) return ErrnoStatus(EACCES);
  return found;
}

absl::StatusOr<RootedFilesystemImpl::FoundPlace> RootedFilesystemImpl::FindPlaceToChange(NodeId parent,
                                                                                         std::string_view name) {
  if (!options_.read_write) return ErrnoStatus(EROFS);
  RETURN_IF_ERROR(CheckComponentName(name));
  ASSIGN_OR_RETURN(FoundNode found, FindDirectory(parent));
  if (found.facts.refused) return ErrnoStatus(EACCES);
  return FoundPlace{parent, std::move(found), std::string(name)};
}

absl::StatusOr<Entry> RootedFilesystemImpl::Admit(NodeId parent, const std::string& name, const InspectedFile& file,
                                                  int fd, NodeId proposed, std::string link_target) {
  Entry entry;
  entry.link_target = std::move(link_target);
  if (entry.link_target.empty()) {
    ASSIGN_OR_RETURN(entry.link_target, LinkTarget(file, fd, ""));
  }
  entry.attributes = Shown(file, fd, "");
  entry.identity = file.identity;
  entry.node = nodes_.Register(parent, name, file.identity, proposed);
  if (!entry.link_target.empty()) nodes_.NoteLinkTarget(entry.node, entry.link_target);
  return entry;
}

Attributes RootedFilesystemImpl::Shown(const InspectedFile& file, int directory, const char* name) const {
  Attributes shown = conversion_.Convert(file);
  if (file.facts.refused) {
    shown.without_acl = true;  // nothing of it is shown
    return shown;
  }
  const XattrFacts xattrs = FindXattrFacts(directory, name);
  shown.without_xattrs = xattrs.none;
  shown.without_acl = xattrs.no_acl;
  return shown;
}

absl::StatusOr<std::string> RootedFilesystemImpl::LinkTarget(const InspectedFile& file, int directory,
                                                             const char* name) const {
  if (file.facts.type != FileType::kSymlink || file.facts.refused) return std::string();
  std::string known = nodes_.LinkTarget(file.identity);
  return known.empty() ? ReadLinkTarget(directory, name, file.stat.stx_size) : known;
}

absl::StatusOr<Entry> RootedFilesystemImpl::AdmitName(const FoundPlace& place, NodeId proposed,
                                                      std::string link_target) {
  ASSIGN_OR_RETURN(SharedFd fd, resolver_.OpenPath(place.directory(), place.name));
  ASSIGN_OR_RETURN(const InspectedFile file, inspector_.Inspect(fd->get()));
  ASSIGN_OR_RETURN(Entry entry, Admit(place.parent, place.name, file, fd->get(), proposed, std::move(link_target)));
  NoteDirectoryAfter(place, entry);
  fds_.Put(entry.node, std::move(fd));
  return entry;
}

absl::StatusOr<InspectedFile> RootedFilesystemImpl::InspectChanged(NodeId node, int fd) {
  ASSIGN_OR_RETURN(InspectedFile file, inspector_.Inspect(fd));
  if (file.facts.overlay) nodes_.ChangeIdentity(node, file.identity);
  return file;
}

void RootedFilesystemImpl::NoteCopyUp(NodeId node, const FoundNode& found) {
  if (!found.facts.overlay) return;
  const absl::StatusOr<InspectedFile> file = inspector_.Inspect(found.fd->get());
  if (file.ok()) nodes_.ChangeIdentity(node, file->identity);
}

void RootedFilesystemImpl::NoteCopyUp(const FoundPlace& place) {
  // A directory's file id does not change; where there is none, the copy has a new birth time.
  if (!place.found.facts.lasting) NoteCopyUp(place.parent, place.found);
}

absl::Status RootedFilesystemImpl::CheckAlive() const { return ErrnoStatus(options_.alive() ? 0 : EHOSTDOWN); }

}  // namespace mirrorfs
