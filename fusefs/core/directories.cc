// Listing directories.
#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kDots = 2;  // "." and ".." come before the names

}  // namespace

absl::StatusOr<DirectoryPart> FilesystemCore::FetchPart(const CallContext& context, const InodePtr& directory,
                                                        uint64_t first, DirCursor cursor, bool with_attributes) {
  directory->ForgetTold();
  const Instant asked_at = Now();
  absl::StatusOr<DirectoryPage> answer =
      files_.ReadDir(context, directory->node(), cursor, options_.max_page, with_attributes);
  if (!answer.ok() || !answer->directory) directory->ForgetTold();
  RETURN_IF_ERROR(answer.status());
  DirectoryPage page = *std::move(answer);
  if (page.directory) {
    directory->Observe(*page.directory, asked_at);
    attributes_.Keep(*directory, {*page.directory, asked_at, asked_at});
  }
  std::vector<ListedName> names;
  names.reserve(page.entries.size());
  for (DirectoryEntry& entry : page.entries) {
    ListedName listed;
    listed.name = std::move(entry.name);
    listed.type = entry.type;
    listed.inode_number = entry.inode;
    if (entry.entry) {
      ASSIGN_OR_RETURN(listed.inode, Adopt(*entry.entry, directory, asked_at));
      listed.attributes = entry.entry->attributes;
    }
    names.push_back(std::move(listed));
  }
  const bool complete = first == 0 && page.next == DirCursor::kEnd;
  // By name, as programs that sort visit the subdirectories: so what comes next can be fetched ahead.
  if (complete) {
    std::sort(names.begin(), names.end(), [](const ListedName& a, const ListedName& b) { return a.name < b.name; });
  }
  return DirectoryPart{first, std::make_shared<const Listing>(asked_at, std::move(names), complete), page.next};
}

absl::StatusOr<DirectoryPart> FilesystemCore::FetchFirstPart(const CallContext& context, const InodePtr& directory) {
  const NameCache::Ticket ticket = names_.Ask(directory->node());
  ASSIGN_OR_RETURN(DirectoryPart part, FetchPart(context, directory, 0, DirCursor::kStart, true));
  directory->NoteListed(part.listing->complete() ? part.listing->names().size() : SIZE_MAX);
  if (part.listing->complete()) names_.Keep(directory->node(), ticket, part.listing);
  return part;
}

absl::Status FilesystemCore::FetchListing(const CallContext& context, const InodePtr& directory) {
  ASSIGN_OR_RETURN(const DirectoryPart part, FetchFirstPart(context, directory));
  if (part.next != DirCursor::kEnd) files_.CloseDir(directory->node(), part.next);
  return absl::OkStatus();
}

absl::StatusOr<ListingPtr> FilesystemCore::AwaitListing(const CallContext& context, const InodePtr& directory) {
  const IoTaskPtr under_way = directories_ahead_.UnderWay(directory->node());
  ListingPtr listing = names_.FindListing(directory->node());
  // The others are on their way while this one is waited for.
  CallContext as_opener;
  as_opener.caller = context.caller;
  directories_ahead_.NoteOpened(*directory, listing != nullptr || under_way != nullptr,
                                [this, as_opener](const InodePtr& next) {
                                  if (names_.FindListing(next->node()) == nullptr) (void)FetchListing(as_opener, next);
                                });
  if (listing != nullptr || under_way == nullptr) return listing;
  if (under_way->Wait(context.stop) == IoTask::Outcome::kStopped) return ErrnoStatus(EINTR, "list");
  return names_.FindListing(directory->node());
}

absl::StatusOr<HandleId> FilesystemCore::OpenDir(const CallContext& context, NodeId node) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  auto directory = std::make_shared<OpenDirectory>(inode);
  {
    MutexLock lock(directory->walking);
    ASSIGN_OR_RETURN(ListingPtr listing, AwaitListing(context, inode));
    if (listing != nullptr) {
      directory->part = DirectoryPart{0, std::move(listing), DirCursor::kEnd};
    } else {
      ASSIGN_OR_RETURN(directory->part, FetchFirstPart(context, inode));
    }
    directories_ahead_.NoteListed(node, *directory->part.listing);
  }
  const HandleId handle = handle_ids_.Next();
  open_directories_.Insert(handle, std::move(directory));
  return handle;
}

void FilesystemCore::EndWalk(OpenDirectory& directory) {
  const DirCursor rest = std::exchange(directory.part.next, DirCursor::kEnd);
  if (rest != DirCursor::kEnd) files_.CloseDir(directory.inode->node(), rest);
}

absl::StatusOr<bool> FilesystemCore::WalkTo(const CallContext& context, OpenDirectory& directory, uint64_t index,
                                            bool plus) {
  if (index < directory.part.first) {
    EndWalk(directory);
    ASSIGN_OR_RETURN(directory.part, FetchFirstPart(context, directory.inode));
  }
  while (index >= directory.part.first + directory.part.listing->names().size()) {
    if (directory.part.next == DirCursor::kEnd) return false;
    const uint64_t first = directory.part.first + directory.part.listing->names().size();
    ASSIGN_OR_RETURN(directory.part, FetchPart(context, directory.inode, first, directory.part.next, plus));
  }
  return true;
}

bool FilesystemCore::AddDots(const OpenDirectory& directory, uint64_t& offset,
                             const std::function<bool(const DirectoryAnswer&)>& add) {
  static constexpr std::array<std::string_view, kDots> kNames = {".", ".."};
  const InodePtr parent = directory.inode->Parent();
  const std::array<uint64_t, kDots> numbers = {directory.inode->Number(),
                                               parent == nullptr ? directory.inode->Number() : parent->Number()};
  for (; offset < kDots; ++offset) {
    const DirectoryAnswer answer{.name = kNames[offset],
                                 .type = FileType::kDirectory,
                                 .inode_number = numbers[offset],
                                 .entry = {},
                                 .next_offset = offset + 1};
    if (!add(answer)) return false;
  }
  return true;
}

std::optional<FilesystemCore::DirectoryAnswer> FilesystemCore::AnswerFor(const CallContext& context,
                                                                         const OpenDirectory& directory,
                                                                         const Listing& listing, const ListedName& name,
                                                                         bool plus) {
  DirectoryAnswer answer{
      .name = name.name, .type = name.type, .inode_number = name.inode_number, .entry = {}, .next_offset = 0};
  CachedName known{name.inode, name.attributes, listing.fetched_at()};
  // This mount may have removed, replaced or moved the name since it was listed.
  if (directory.inode->ChangedSince(listing.fetched_at())) {
    const auto newer = names_.Find(directory.inode->node(), name.name);
    if (newer && newer->inode == nullptr) return std::nullopt;
    known = newer.value_or(CachedName{});
  }
  if (!plus || known.inode == nullptr) return answer;
  if (auto entry = Deliver(context, known); entry.ok()) answer.entry = *entry;
  return answer;
}

absl::Status FilesystemCore::ReadDir(const CallContext& context, HandleId handle, uint64_t offset, bool plus,
                                     const std::function<bool(const DirectoryAnswer&)>& add) {
  const std::shared_ptr<OpenDirectory> directory = open_directories_.Find(handle);
  if (directory == nullptr) return ErrnoStatus(EBADF, "directory handle");
  MutexLock lock(directory->walking);
  if (offset == 0 && std::exchange(directory->walked, true)) {
    EndWalk(*directory);
    ASSIGN_OR_RETURN(directory->part, FetchFirstPart(context, directory->inode));
  }
  if (!AddDots(*directory, offset, add)) return absl::OkStatus();
  for (;; ++offset) {
    ASSIGN_OR_RETURN(const bool there, WalkTo(context, *directory, offset - kDots, plus));
    if (!there) return absl::OkStatus();
    const DirectoryPart& part = directory->part;
    const ListedName& name = part.listing->names()[offset - kDots - part.first];
    std::optional<DirectoryAnswer> answer = AnswerFor(context, *directory, *part.listing, name, plus);
    if (!answer) continue;
    answer->next_offset = offset + 1;
    if (add(*answer)) continue;
    if (answer->entry.node != NodeId::kInvalid) Forget(answer->entry.node, 1);
    return absl::OkStatus();
  }
}

absl::Status FilesystemCore::Fsyncdir(const CallContext& context, HandleId handle, bool data_only) {
  const std::shared_ptr<OpenDirectory> directory = open_directories_.Find(handle);
  if (directory == nullptr) return ErrnoStatus(EBADF, "directory handle");
  return files_.Fsyncdir(context, directory->inode->node(), data_only);
}

void FilesystemCore::ReleaseDir(HandleId handle) {
  const std::shared_ptr<OpenDirectory> directory = open_directories_.Remove(handle);
  if (directory == nullptr) return;
  MutexLock lock(directory->walking);
  EndWalk(*directory);
}

}  // namespace mirrorfs
