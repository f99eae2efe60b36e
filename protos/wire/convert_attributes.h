// Attributes, entries and directory pages: structs to messages (Pack) and back (Unpack). Unpack takes its message as
// hostile and fails with INVALID_ARGUMENT, saying what is wrong; what it returns keeps the promises of file_types.h.
#ifndef MIRRORFS_PROTOS_WIRE_CONVERT_ATTRIBUTES_H_
#define MIRRORFS_PROTOS_WIRE_CONVERT_ATTRIBUTES_H_

#include "absl/status/statusor.h"
#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

v1::FileType PackType(FileType type);
// kUnknown is refused.
absl::StatusOr<FileType> UnpackType(v1::FileType type);

void Pack(const Attributes& attributes, v1::Attributes& message);
absl::StatusOr<Attributes> Unpack(const v1::Attributes& message);

// Those that may be left out.
template <typename Message>
void PackDirectory(const std::shared_ptr<const Attributes>& directory, Message& message) {
  if (directory != nullptr) Pack(*directory, *message.mutable_directory());
}
// Nothing if they were left out.
absl::StatusOr<std::optional<Attributes>> UnpackIfThere(bool there, const v1::Attributes& message);
// A directory's, for Entry::directory.
absl::StatusOr<std::shared_ptr<const Attributes>> UnpackDirectory(bool there, const v1::Attributes& message);

void Pack(const Entry& entry, v1::Entry& message);
absl::StatusOr<Entry> Unpack(const v1::Entry& message);

// An entry that was made.
void Pack(const Entry& entry, v1::EntryReply& message);
absl::StatusOr<Entry> Unpack(const v1::EntryReply& message);

void Pack(const Removed& removed, v1::RemoveReply& message);
absl::StatusOr<Removed> Unpack(const v1::RemoveReply& message);
void Pack(const Renamed& renamed, v1::RenameReply& message);
absl::StatusOr<Renamed> Unpack(const v1::RenameReply& message);

void Pack(const AttributesReply& reply, v1::AttrReply& message);
absl::StatusOr<AttributesReply> Unpack(const v1::AttrReply& message);

void Pack(const DirectoryPage& page, v1::ReadDirReply& message);
absl::StatusOr<DirectoryPage> Unpack(const v1::ReadDirReply& message);

void Pack(const FileSystemStatistics& statistics, v1::StatFsReply& message);
absl::StatusOr<FileSystemStatistics> Unpack(const v1::StatFsReply& message);

void Pack(const AttributeChange& change, v1::SetAttrRequest& message);
absl::StatusOr<AttributeChange> Unpack(const v1::SetAttrRequest& message);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_CONVERT_ATTRIBUTES_H_
