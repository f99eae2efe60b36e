#include "protos/wire/convert_files.h"

#include <utility>

#include "protos/shared/errno_status.h"
#include "protos/wire/convert_attributes.h"

namespace mirrorfs {
namespace {

constexpr int kMaxGroups = 65536;  // NGROUPS_MAX

absl::Status Wrong(const char* what) { return absl::InvalidArgumentError(what); }

// An enum of the protocol has the numbers of the struct's, without gaps.
template <typename To, typename From>
absl::StatusOr<To> UnpackEnum(From value, To last, const char* wrong) {
  if (value < 0 || static_cast<int>(value) > static_cast<int>(last)) return Wrong(wrong);
  return static_cast<To>(value);
}

}  // namespace

void Pack(const Caller& caller, v1::Caller& message) {
  message.set_uid(caller.uid);
  message.set_gid(caller.gid);
  message.mutable_groups()->Add(caller.groups.begin(), caller.groups.end());
}

absl::StatusOr<Caller> Unpack(const v1::Caller& message) {
  if (message.groups_size() > kMaxGroups) return Wrong("too many groups");
  return Caller{message.uid(), message.gid(), {message.groups().begin(), message.groups().end()}};
}

void Pack(const OpenFlags& flags, v1::OpenFlags& message) {
  message.set_read(flags.read);
  message.set_write(flags.write);
  message.set_append(flags.append);
  message.set_truncate(flags.truncate);
  message.set_direct(flags.direct);
  message.set_sync(flags.sync);
  message.set_dsync(flags.dsync);
  message.set_no_atime(flags.no_atime);
}

OpenFlags Unpack(const v1::OpenFlags& message) {
  return OpenFlags{.read = message.read(),
                   .write = message.write(),
                   .append = message.append(),
                   .truncate = message.truncate(),
                   .direct = message.direct(),
                   .sync = message.sync(),
                   .dsync = message.dsync(),
                   .no_atime = message.no_atime()};
}

void Pack(OpenResult result, v1::OpenReply& message) {
  Pack(result.attributes, *message.mutable_attributes());
  message.set_has_capability(result.has_capability);
  message.set_has_inline_data(result.inline_data.has_value());
  if (result.inline_data) message.set_inline_data(std::move(*result.inline_data));
}

absl::StatusOr<OpenResult> Unpack(v1::OpenReply message, uint32_t inline_bytes) {
  OpenResult result;
  ASSIGN_OR_RETURN(result.attributes, Unpack(message.attributes()));
  if (result.attributes.type != FileType::kRegular && result.attributes.type != FileType::kDirectory) {
    return Wrong("an open file of a type that is never opened");
  }
  if (message.inline_data().size() > inline_bytes) return Wrong("more inline data than was asked for");
  result.has_capability = message.has_capability();
  if (message.has_inline_data()) result.inline_data = std::move(*message.mutable_inline_data());
  return result;
}

void Pack(const CreateResult& result, v1::CreateReply& message) {
  Pack(result.entry, *message.mutable_entry());
  message.set_created(result.created);
  PackDirectory(result.entry.directory, message);
}

absl::StatusOr<CreateResult> Unpack(const v1::CreateReply& message) {
  CreateResult result;
  ASSIGN_OR_RETURN(result.entry, Unpack(message.entry()));
  if (result.entry.attributes.type != FileType::kRegular) return Wrong("a created file that is not a regular one");
  result.created = message.created();
  ASSIGN_OR_RETURN(result.entry.directory, UnpackDirectory(message.has_directory(), message.directory()));
  return result;
}

void Pack(const LockRange& lock, v1::LockRange& message) {
  message.set_type(static_cast<v1::LockType>(lock.type));
  message.set_start(lock.start);
  message.set_end(lock.end);
  message.set_pid(lock.pid);
}

absl::StatusOr<LockRange> Unpack(const v1::LockRange& message) {
  LockRange lock;
  ASSIGN_OR_RETURN(lock.type, UnpackEnum(message.type(), LockType::kWrite, "an unknown lock type"));
  if (message.start() > message.end() || message.end() > kLockToEndOfFile) return Wrong("an impossible lock range");
  lock.start = message.start();
  lock.end = message.end();
  lock.pid = message.pid();
  return lock;
}

absl::StatusOr<RenameMode> Unpack(v1::RenameMode mode) {
  return UnpackEnum(mode, RenameMode::kExchange, "an unknown rename mode");
}
absl::StatusOr<XattrMode> Unpack(v1::XattrMode mode) {
  return UnpackEnum(mode, XattrMode::kReplaceOnly, "an unknown extended attribute mode");
}
absl::StatusOr<SeekWhence> Unpack(v1::SeekWhence whence) {
  return UnpackEnum(whence, SeekWhence::kHole, "an unknown seek");
}
absl::StatusOr<FallocateMode> Unpack(v1::FallocateMode mode) {
  return UnpackEnum(mode, FallocateMode::kUnshareRange, "an unknown fallocate mode");
}
absl::StatusOr<LockKind> Unpack(v1::LockKind kind) {
  return UnpackEnum(kind, LockKind::kFlock, "an unknown kind of lock");
}

}  // namespace mirrorfs
