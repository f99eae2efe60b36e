// ReadDir, CloseDir, Fsyncdir.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "protos/rootfs/rooted_filesystem_impl.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

// About what an entry takes on the wire, beside its strings.
constexpr size_t kBareEntryBytes = 24;
constexpr size_t kFullEntryBytes = 140;

// One getdents64 buffer: about as much as a page needs (a full entry is some six times as long as the kernel's).
size_t BufferBytes(uint32_t max_bytes, bool with_attributes) {
  return std::clamp<size_t>(with_attributes ? max_bytes / 6 : max_bytes, 4096, 256 << 10);
}

size_t WireBytes(const DirectoryEntry& entry) {
  if (!entry.entry.has_value()) return kBareEntryBytes + entry.name.size();
  return kFullEntryBytes + entry.name.size() + entry.entry->identity.size() + entry.entry->link_target.size();
}

bool IsDotOrDotDot(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

FileType TypeOfDirent(uint8_t type) { return type == DT_UNKNOWN ? FileType::kUnknown : TypeOfMode(DTTOIF(type)); }

}  // namespace

// struct linux_dirent64, which no header has. Lies in the buffer that getdents64 has filled.
struct RootedFilesystemImpl::RawEntry {
  uint64_t inode;
  int64_t next;  // position of what follows
  uint16_t length;
  uint8_t type;
  char name[1];
};

absl::StatusOr<DirectoryListings::ListingPtr> RootedFilesystemImpl::OpenListing(const CallContext& context, NodeId node,
                                                                                const FoundNode& found) {
  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
  ASSIGN_OR_RETURN(UniqueFd fd, OpenFound(found, OpenFlags{.read = true}));
  auto listing = std::make_shared<DirectoryListing>();
  listing->node = node;
  MutexLock lock(listing->mutex);
  listing->fd = std::move(fd);
  return listing;
}

absl::StatusOr<DirectoryPage> RootedFilesystemImpl::ReadDir(const CallContext& context, NodeId node, DirCursor cursor,
                                                            uint32_t max_bytes, bool with_attributes) {
  ASSIGN_OR_RETURN(const FoundNode found, FindDirectory(node));
  if (found.facts.refused) return DirectoryPage{};  // shown as empty
  const bool begins = cursor == DirCursor::kStart;
  ASSIGN_OR_RETURN(const DirectoryListings::ListingPtr listing,
                   begins ? OpenListing(context, node, found) : listings_.Find(node, cursor));
  MutexLock lock(listing->mutex);
  const uint32_t page_number = begins ? 0 : DirectoryListings::PageOf(cursor);
  const bool again = page_number + 1 == listing->page;
  if (page_number != listing->page && !again) return ErrnoStatus(ESTALE, "directory cursor");
  const int64_t start = again ? listing->last_start : listing->next_start;

  ASSIGN_OR_RETURN(const ActingAs acting, rights_.Assume(context, {found.fd->get()}));
  ASSIGN_OR_RETURN(DirectoryPage page, ReadPage(found, *listing, start, max_bytes, with_attributes));
  listing->last_start = start;
  listing->page = page_number + 1;
  if (page.next == DirCursor::kEnd) {
    if (!begins) listings_.MarkFinished(cursor);
    page.directory = AttributesAfter(found);
    return page;
  }
  const uint32_t number = begins ? listings_.Add(listing) : DirectoryListings::ListingOf(cursor);
  page.next = DirectoryListings::MakeCursor(number, listing->page);
  return page;
}

absl::StatusOr<DirectoryPage> RootedFilesystemImpl::ReadPage(const FoundNode& found, DirectoryListing& listing,
                                                             int64_t start, uint32_t max_bytes, bool with_attributes) {
  const size_t room = BufferBytes(max_bytes, with_attributes);
  const auto buffer = std::make_unique_for_overwrite<char[]>(room);
  if (::lseek(listing.fd.get(), start, SEEK_SET) < 0) return LastErrno("lseek");
  DirectoryPage page;
  listing.next_start = start;
  size_t bytes = 0;
  while (true) {
    const long length = ::syscall(SYS_getdents64, listing.fd.get(), buffer.get(), room);
    if (length < 0) return LastErrno("getdents64");
    if (length == 0 && FaultPlanted("last_name_lost") && !page.entries.empty()) page.entries.pop_back();
    if (length == 0) return page;
    for (long at = 0; at < length;) {
      const auto* raw = reinterpret_cast<const RawEntry*>(buffer.get() + at);
      at += raw->length;
      if (!IsDotOrDotDot(raw->name)) {
        DirectoryEntry entry = Describe(found, listing.node, *raw, with_attributes);
        bytes += WireBytes(entry);
        page.entries.push_back(std::move(entry));
      }
      listing.next_start = raw->next;
      if (bytes >= max_bytes && !page.entries.empty()) {
        page.next = DirCursor{1};  // there may be more: the caller makes the cursor
        return page;
      }
    }
  }
}

DirectoryEntry RootedFilesystemImpl::Describe(const FoundNode& directory, NodeId parent, const RawEntry& raw,
                                              bool with_attributes) {
  DirectoryEntry shown;
  shown.name = raw.name;
  shown.type = TypeOfDirent(raw.type);
  shown.inode = conversion_.ShownInode(directory.facts.device, raw.inode);
  if (!with_attributes && shown.type != FileType::kUnknown) return shown;
  const int fd = directory.fd->get();
  const absl::StatusOr<InspectedFile> file = inspector_.InspectName(fd, raw.name);
  if (!file.ok()) return shown;
  Entry entry;
  entry.attributes = Shown(*file, fd, raw.name);
  shown.type = entry.attributes.type;
  shown.inode = entry.attributes.inode;
  if (!with_attributes) return shown;
  absl::StatusOr<std::string> target = LinkTarget(*file, fd, raw.name);
  if (!target.ok()) return shown;  // it has just been replaced
  entry.link_target = *std::move(target);
  entry.identity = file->identity;
  entry.node = nodes_.Register(parent, shown.name, file->identity);
  if (!entry.link_target.empty()) nodes_.NoteLinkTarget(entry.node, entry.link_target);
  shown.entry = std::move(entry);
  return shown;
}

void RootedFilesystemImpl::CloseDir(NodeId node, DirCursor cursor) { listings_.Remove(node, cursor); }

absl::Status RootedFilesystemImpl::Fsyncdir(const CallContext& context, NodeId node, bool data_only) {
  ASSIGN_OR_RETURN(const FoundNode found, FindDirectory(node));
  if (found.facts.refused) return absl::OkStatus();
  // The caller has it open already: reading it needs no other right now.
  ASSIGN_OR_RETURN(const UniqueFd fd, OpenFound(found, OpenFlags{.read = true}));
  return ErrnoStatus((data_only ? ::fdatasync(fd.get()) : ::fsync(fd.get())) == 0 ? 0 : errno);
}

}  // namespace mirrorfs
