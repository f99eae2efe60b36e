// Open files, locks and modes: structs to messages (Pack) and back (Unpack), as in convert_attributes.h.
#ifndef MIRRORFS_PROTOS_WIRE_CONVERT_FILES_H_
#define MIRRORFS_PROTOS_WIRE_CONVERT_FILES_H_

#include "absl/status/statusor.h"
#include "mirrorfs/v1/filesystem.pb.h"
#include "protos/shared/file_system.h"
#include "protos/shared/file_types.h"

namespace mirrorfs {

void Pack(const Caller& caller, v1::Caller& message);
// At most the 65,536 groups that Linux allows.
absl::StatusOr<Caller> Unpack(const v1::Caller& message);

void Pack(const OpenFlags& flags, v1::OpenFlags& message);
OpenFlags Unpack(const v1::OpenFlags& message);

void Pack(OpenResult result, v1::OpenReply& message);
// `inline_bytes` is what was asked for; more is refused.
absl::StatusOr<OpenResult> Unpack(v1::OpenReply message, uint32_t inline_bytes);

void Pack(const CreateResult& result, v1::CreateReply& message);
absl::StatusOr<CreateResult> Unpack(const v1::CreateReply& message);

void Pack(const LockRange& lock, v1::LockRange& message);
absl::StatusOr<LockRange> Unpack(const v1::LockRange& message);

inline v1::RenameMode Pack(RenameMode mode) { return static_cast<v1::RenameMode>(mode); }
inline v1::XattrMode Pack(XattrMode mode) { return static_cast<v1::XattrMode>(mode); }
inline v1::SeekWhence Pack(SeekWhence whence) { return static_cast<v1::SeekWhence>(whence); }
inline v1::FallocateMode Pack(FallocateMode mode) { return static_cast<v1::FallocateMode>(mode); }
inline v1::LockKind Pack(LockKind kind) { return static_cast<v1::LockKind>(kind); }

absl::StatusOr<RenameMode> Unpack(v1::RenameMode mode);
absl::StatusOr<XattrMode> Unpack(v1::XattrMode mode);
absl::StatusOr<SeekWhence> Unpack(v1::SeekWhence whence);
absl::StatusOr<FallocateMode> Unpack(v1::FallocateMode mode);
absl::StatusOr<LockKind> Unpack(v1::LockKind kind);

}  // namespace mirrorfs

#endif  // MIRRORFS_PROTOS_WIRE_CONVERT_FILES_H_
