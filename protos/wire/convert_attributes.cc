#include "protos/wire/convert_attributes.h"

#include <limits>
#include <string>
#include <utility>

#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"
#include "protos/wire/check.h"

namespace mirrorfs {
namespace {

constexpr size_t kMaxIdentityBytes = 512;
constexpr uint64_t kMaxSize = std::numeric_limits<int64_t>::max();
constexpr uint32_t kMaxBlockSize = 1u << 30;
constexpr uint32_t kNanosecondsPerSecond = 1'000'000'000;

absl::Status Wrong(const char* what) { return absl::InvalidArgumentError(what); }

// A link's target as an answer may have it: empty where it could not be had.
absl::Status CheckShownTarget(const std::string& target, FileType type) {
  if (target.empty()) return absl::OkStatus();
  if (type != FileType::kSymlink) return Wrong("a link target on what is not a symbolic link");
  if (!CheckTarget(target).ok()) return Wrong("an impossible link target");
  return absl::OkStatus();
}

absl::StatusOr<DirectoryEntry> UnpackListed(const v1::DirectoryEntry& message) {
  if (!CheckName(message.name()).ok()) return Wrong("an impossible name in a directory");
  DirectoryEntry listed;
  listed.name = message.name();
  // A file system may not tell the type without attributes.
  if (message.type() != v1::FILE_TYPE_UNSPECIFIED) {
    ASSIGN_OR_RETURN(listed.type, UnpackType(message.type()));
  }
  listed.inode = message.inode();
  if (message.has_entry()) {
    ASSIGN_OR_RETURN(listed.entry, Unpack(message.entry()));
    if (listed.type != FileType::kUnknown && listed.entry->attributes.type != listed.type) {
      return Wrong("a directory entry of two types");
    }
  }
  return listed;
}

std::optional<TimeValue> UnpackTime(bool present, const v1::TimeValue& message) {
  if (!present) return std::nullopt;
  return TimeValue{.now = message.now(), .ns = Join({message.seconds(), message.nanoseconds()})};
}

void PackTime(const TimeValue& time, v1::TimeValue& message) {
  message.set_now(time.now);
  if (time.now) return;
  message.set_seconds(Split(time.ns).seconds);
  message.set_nanoseconds(Split(time.ns).nanoseconds);
}

}  // namespace

v1::FileType PackType(FileType type) { return static_cast<v1::FileType>(type); }

absl::StatusOr<FileType> UnpackType(v1::FileType type) {
  if (type < v1::FILE_TYPE_REGULAR || type > v1::FILE_TYPE_SOCKET) return Wrong("an unknown file type");
  return static_cast<FileType>(type);
}

void Pack(const Attributes& attributes, v1::Attributes& message) {
  message.set_type(PackType(attributes.type));
  message.set_permissions(attributes.permissions);
  message.set_nlink(attributes.nlink);
  message.set_uid(attributes.uid);
  message.set_gid(attributes.gid);
  message.set_rdev_major(attributes.rdev_major);
  message.set_rdev_minor(FaultPlanted("device_number_cut") ? attributes.rdev_minor & 0xff : attributes.rdev_minor);
  message.set_size(attributes.size);
  message.set_blocks(attributes.blocks);
  message.set_block_size(attributes.block_size);
  message.set_inode(attributes.inode);
  message.set_device(attributes.device);
  const SplitTime atime = Split(attributes.atime_ns);
  const SplitTime mtime = Split(attributes.mtime_ns);
  const SplitTime ctime = Split(attributes.ctime_ns);
  message.set_atime_seconds(atime.seconds);
  message.set_mtime_seconds(mtime.seconds);
  message.set_ctime_seconds(ctime.seconds);
  message.set_atime_nanoseconds(atime.nanoseconds);
  message.set_mtime_nanoseconds(mtime.nanoseconds);
  message.set_ctime_nanoseconds(ctime.nanoseconds);
  message.set_without_xattrs(attributes.without_xattrs);
  message.set_without_acl(attributes.without_acl);
}

absl::StatusOr<Attributes> Unpack(const v1::Attributes& message) {
  Attributes attributes;
  ASSIGN_OR_RETURN(attributes.type, UnpackType(message.type()));
  if (message.permissions() > kPermissionMask) return Wrong("impossible permissions");
  if (message.size() > kMaxSize) return Wrong("an impossible size");
  if (message.block_size() > kMaxBlockSize) return Wrong("an impossible block size");
  for (uint32_t part : {message.atime_nanoseconds(), message.mtime_nanoseconds(), message.ctime_nanoseconds()}) {
    if (part >= kNanosecondsPerSecond) return Wrong("an impossible time");
  }
  attributes.permissions = message.permissions();
  attributes.nlink = message.nlink();
  attributes.uid = message.uid();
  attributes.gid = message.gid();
  attributes.rdev_major = message.rdev_major();
  attributes.rdev_minor = message.rdev_minor();
  attributes.size = message.size();
  attributes.blocks = message.blocks();
  attributes.block_size = message.block_size();
  attributes.inode = message.inode();
  attributes.device = message.device();
  attributes.atime_ns = Join({message.atime_seconds(), message.atime_nanoseconds()});
  attributes.mtime_ns = Join({message.mtime_seconds(), message.mtime_nanoseconds()});
  attributes.ctime_ns = Join({message.ctime_seconds(), message.ctime_nanoseconds()});
  attributes.without_xattrs = message.without_xattrs();
  attributes.without_acl = message.without_acl();
  return attributes;
}

void Pack(const Entry& entry, v1::Entry& message) {
  message.set_node(ToNumber(entry.node));
  Pack(entry.attributes, *message.mutable_attributes());
  message.set_identity(entry.identity);
  if (!entry.link_target.empty()) message.set_link_target(entry.link_target);
}

absl::StatusOr<Entry> Unpack(const v1::Entry& message) {
  if (message.node() == 0) return Wrong("an entry without a node");
  if (message.identity().size() > kMaxIdentityBytes) return Wrong("an overlong file identity");
  Entry entry;
  entry.node = NodeId{message.node()};
  ASSIGN_OR_RETURN(entry.attributes, Unpack(message.attributes()));
  RETURN_IF_ERROR(CheckShownTarget(message.link_target(), entry.attributes.type));
  entry.identity = message.identity();
  entry.link_target = message.link_target();
  return entry;
}

absl::StatusOr<std::optional<Attributes>> UnpackIfThere(bool there, const v1::Attributes& message) {
  std::optional<Attributes> attributes;
  if (there) {
    ASSIGN_OR_RETURN(attributes, Unpack(message));
  }
  return attributes;
}

absl::StatusOr<std::shared_ptr<const Attributes>> UnpackDirectory(bool there, const v1::Attributes& message) {
  ASSIGN_OR_RETURN(const std::optional<Attributes> directory, UnpackIfThere(there, message));
  return directory ? std::make_shared<const Attributes>(*directory) : nullptr;
}

void Pack(const Entry& entry, v1::EntryReply& message) {
  Pack(entry, *message.mutable_entry());
  PackDirectory(entry.directory, message);
}

absl::StatusOr<Entry> Unpack(const v1::EntryReply& message) {
  ASSIGN_OR_RETURN(Entry entry, Unpack(message.entry()));
  ASSIGN_OR_RETURN(entry.directory, UnpackDirectory(message.has_directory(), message.directory()));
  return entry;
}

void Pack(const Removed& removed, v1::RemoveReply& message) {
  if (removed.directory) Pack(*removed.directory, *message.mutable_directory());
}

absl::StatusOr<Removed> Unpack(const v1::RemoveReply& message) {
  Removed removed;
  ASSIGN_OR_RETURN(removed.directory, UnpackIfThere(message.has_directory(), message.directory()));
  return removed;
}

void Pack(const Renamed& renamed, v1::RenameReply& message) {
  if (renamed.directory) Pack(*renamed.directory, *message.mutable_directory());
  if (renamed.new_directory) Pack(*renamed.new_directory, *message.mutable_new_directory());
}

absl::StatusOr<Renamed> Unpack(const v1::RenameReply& message) {
  Renamed renamed;
  ASSIGN_OR_RETURN(renamed.directory, UnpackIfThere(message.has_directory(), message.directory()));
  ASSIGN_OR_RETURN(renamed.new_directory, UnpackIfThere(message.has_new_directory(), message.new_directory()));
  return renamed;
}

void Pack(const AttributesReply& reply, v1::AttrReply& message) {
  Pack(reply.attributes, *message.mutable_attributes());
}

absl::StatusOr<AttributesReply> Unpack(const v1::AttrReply& message) {
  AttributesReply reply;
  ASSIGN_OR_RETURN(reply.attributes, Unpack(message.attributes()));
  return reply;
}

void Pack(const DirectoryPage& page, v1::ReadDirReply& message) {
  message.mutable_entries()->Reserve(static_cast<int>(page.entries.size()));
  for (const DirectoryEntry& listed : page.entries) {
    v1::DirectoryEntry& packed = *message.add_entries();
    packed.set_name(listed.name);
    packed.set_type(PackType(listed.type));
    packed.set_inode(listed.inode);
    if (listed.entry) Pack(*listed.entry, *packed.mutable_entry());
  }
  message.set_cursor(ToNumber(page.next));
  if (page.directory) Pack(*page.directory, *message.mutable_directory());
}

absl::StatusOr<DirectoryPage> Unpack(const v1::ReadDirReply& message) {
  DirectoryPage page;
  page.entries.reserve(message.entries_size());
  for (const v1::DirectoryEntry& packed : message.entries()) {
    ASSIGN_OR_RETURN(DirectoryEntry listed, UnpackListed(packed));
    page.entries.push_back(std::move(listed));
  }
  page.next = DirCursor{message.cursor()};
  ASSIGN_OR_RETURN(page.directory, UnpackIfThere(message.has_directory(), message.directory()));
  if (page.directory && page.directory->type != FileType::kDirectory) return Wrong("a directory of another type");
  return page;
}

void Pack(const FileSystemStatistics& statistics, v1::StatFsReply& message) {
  message.set_block_size(statistics.block_size);
  message.set_fragment_size(statistics.fragment_size);
  message.set_blocks(statistics.blocks);
  message.set_blocks_free(statistics.blocks_free);
  message.set_blocks_available(statistics.blocks_available);
  message.set_files(statistics.files);
  message.set_files_free(statistics.files_free);
  message.set_name_max(statistics.name_max);
}

absl::StatusOr<FileSystemStatistics> Unpack(const v1::StatFsReply& message) {
  if (message.block_size() > kMaxBlockSize || message.fragment_size() > kMaxBlockSize) {
    return Wrong("an impossible block size");
  }
  return FileSystemStatistics{.block_size = message.block_size(),
                              .fragment_size = message.fragment_size(),
                              .blocks = message.blocks(),
                              .blocks_free = message.blocks_free(),
                              .blocks_available = message.blocks_available(),
                              .files = message.files(),
                              .files_free = message.files_free(),
                              .name_max = message.name_max()};
}

void Pack(const AttributeChange& change, v1::SetAttrRequest& message) {
  if (change.permissions) message.set_permissions(*change.permissions);
  if (change.uid) message.set_uid(*change.uid);
  if (change.gid) message.set_gid(*change.gid);
  if (change.size) message.set_size(*change.size);
  if (change.atime) PackTime(*change.atime, *message.mutable_atime());
  if (change.mtime) PackTime(*change.mtime, *message.mutable_mtime());
}

absl::StatusOr<AttributeChange> Unpack(const v1::SetAttrRequest& message) {
  if (message.permissions() > kPermissionMask) return Wrong("impossible permissions");
  if (message.size() > kMaxSize) return Wrong("an impossible size");
  for (uint32_t part : {message.atime().nanoseconds(), message.mtime().nanoseconds()}) {
    if (part >= kNanosecondsPerSecond) return Wrong("an impossible time");
  }
  AttributeChange change;
  if (message.has_permissions()) change.permissions = message.permissions();
  if (message.has_uid()) change.uid = message.uid();
  if (message.has_gid()) change.gid = message.gid();
  if (message.has_size()) change.size = message.size();
  change.atime = UnpackTime(message.has_atime(), message.atime());
  change.mtime = UnpackTime(message.has_mtime(), message.mtime());
  return change;
}

}  // namespace mirrorfs
