// Open files: open, create, read, write, and what a close means.
#include <array>
#include <cerrno>
#include <utility>

#include "fusefs/core/filesystem_core.h"
#include "protos/shared/errno_status.h"
#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

// O_DIRECT is between the program and this machine's page cache: the agent's buffers would not be aligned for it.
OpenFlags FlagsForAgent(OpenFlags flags) {
  flags.direct = false;
  return flags;
}

// A write overtakes a read of the same page only if the page was dropped between (write_order.h): hardly ever once, and
// not again while the kernel holds the page for this read. Programs that write past the page cache might do it for
// ever.
constexpr int kReadAttempts = 3;

}  // namespace

OpenFilePtr FilesystemCore::MakeFile(const InodePtr& inode, HandleId handle, OpenFlags flags) {
  auto file = std::make_shared<OpenFile>(handle, flags, inode);
  if (flags.read) {
    ReadAheadOptions options;
    options.chunk_bytes = std::min(options.chunk_bytes, options_.max_read);
    options.lifetime = options_.attr_timeout;
    file->read_ahead = std::make_unique<ReadAhead>(
        options, pool_,
        [&files = files_, handle](uint64_t offset, uint32_t size) { return files.Read({}, handle, offset, size); },
        [inode](Instant since) { return inode->ChangedSince(since); });
  }
  if (flags.write && !flags.append && !flags.sync && !flags.dsync && !flags.direct) {
    WriteQueueOptions options;
    options.chunk_bytes = std::min(options.chunk_bytes, options_.max_write);
    file->write_queue = std::make_shared<WriteQueue>(
        options, pool_,
        [this, weak = std::weak_ptr<OpenFile>(file)](uint64_t offset, absl::Cord data) -> absl::Status {
          const OpenFilePtr open = weak.lock();  // Release waits for the queue, so it is there
          if (open == nullptr) return ErrnoStatus(EBADF, "write");
          return WriteBehind(*open, offset, std::move(data));
        },
        inode->pending_writes());
  }
  return file;
}

OpenAnswer FilesystemCore::Opened(const CallContext& context, const InodePtr& inode, HandleId handle, OpenFlags flags,
                                  OpenResult result, Instant asked_at) {
  const OpenFilePtr file = MakeFile(inode, handle, flags);
  file->opener = context.caller;
  if (flags.write) {
    inode->AddWriter();
    inode->SetMayHaveCapability(result.has_capability);
  }
  file->opened_at = asked_at;
  if (result.inline_data && result.inline_data->size() == result.attributes.size) {
    file->whole_content = absl::Cord(*std::move(result.inline_data));
  }
  inode->AddHandle(handle);
  open_files_.Insert(handle, file);

  OpenAnswer answer;
  answer.handle = handle;
  if (inode->Observe(result.attributes, asked_at)) options_.expire_kernel_attributes(inode->node());
  if (!flags.truncate) attributes_.Keep(*inode, {result.attributes, asked_at, asked_at});
  answer.keep_cache = inode->PagesStillRight(result.attributes) || FaultPlanted("stale_pages_kept");
  return answer;
}

absl::StatusOr<OpenAnswer> FilesystemCore::Open(const CallContext& context, NodeId node, OpenFlags flags) {
  ASSIGN_OR_RETURN(const InodePtr inode, FindInode(node));
  RETURN_IF_ERROR(Settle(context, *inode));
  const HandleId handle = handle_ids_.Next();
  const uint32_t inline_bytes = flags.read && !flags.write ? options_.inline_bytes : 0;
  std::optional<Inode::Change> changing;
  if (flags.truncate) changing.emplace(*inode);
  const Instant asked_at = Now();
  absl::StatusOr<OpenResult> result = files_.Open(context, node, handle, FlagsForAgent(flags), inline_bytes);
  if (changing) KeepAfter(*changing, *inode, result.ok() ? std::optional(result->attributes) : std::nullopt, asked_at);
  if (!result.ok()) return result.status();
  return Opened(context, inode, handle, flags, *std::move(result), asked_at);
}

absl::StatusOr<CreateAnswer> FilesystemCore::Create(const CallContext& context, const NewName& where, bool exclusive,
                                                    OpenFlags flags) {
  ASSIGN_OR_RETURN(const InodePtr parent, FindInode(where.parent));
  const HandleId handle = handle_ids_.Next();
  NameCache::Change change(names_, where.parent);
  Inode::Change changing(*parent);
  const Instant asked_at = Now();
  const FileSystem::NewNode node{
      .parent = where.parent, .name = where.name, .permissions = where.permissions, .umask = where.umask};
  const absl::StatusOr<CreateResult> result = files_.Create(context, node, exclusive, handle, FlagsForAgent(flags));
  if (!result.ok()) return change.Unset(where.name), result.status();
  absl::StatusOr<EntryAnswer> entry = DeliverNew(change, changing, parent, where.name, asked_at, result->entry);
  if (!entry.ok()) {
    files_.Release(std::array{handle});
    return entry.status();
  }
  const InodePtr inode = inodes_.Find(entry->node);
  if (flags.truncate && !result->created) inode->MarkChanged();
  OpenResult opened;
  opened.attributes = result->entry.attributes;
  opened.has_capability = !result->created;  // not known: say so
  // Nobody has known the new file before now.
  if (result->created) attributes_.Keep(*inode, {result->entry.attributes, asked_at, Now()});
  return CreateAnswer{*std::move(entry), Opened(context, inode, handle, flags, std::move(opened), asked_at)};
}

struct FilesystemCore::PendingRead {
  PendingRead(CallContext context, OpenFilePtr file, uint64_t offset, uint32_t size, ReadDone done)
      : context(std::move(context)),
        file(std::move(file)),
        offset(offset),
        size(size),
        done(std::move(done)),
        order(this->file->inode->write_order(), offset, size) {}

  const CallContext context;
  const OpenFilePtr file;
  const uint64_t offset;
  const uint32_t size;
  ReadDone done;
  WriteOrder::Read order;
  int attempts = 0;
};

void FilesystemCore::Read(const CallContext& context, HandleId handle, uint64_t offset, uint32_t size, ReadDone done) {
  absl::StatusOr<OpenFilePtr> file = FindFile(handle);
  if (!file.ok()) return std::move(done)(file.status());
  StartRead(std::make_shared<PendingRead>(context, *std::move(file), offset, size, std::move(done)));
}

void FilesystemCore::StartRead(const std::shared_ptr<PendingRead>& read) {
  ++read->attempts;
  if (!read->order.AwaitWrites(read->context.stop)) return std::move(read->done)(ErrnoStatus(EINTR, "read"));
  absl::StatusOr<std::optional<absl::Cord>> at_hand = ReadAtHand(read->context, *read->file, read->offset, read->size);
  if (!at_hand.ok()) return FinishRead(read, at_hand.status());
  if (*at_hand) return FinishRead(read, **std::move(at_hand));
  auto finish = [this, read](absl::StatusOr<absl::Cord> data) {
    read->file->inode->ForgetTold();
    FinishRead(read, std::move(data));
  };
  PendingRead& asked = *read;
  if (deferred_reads_ == nullptr)
    return finish(files_.Read(asked.context, asked.file->handle, asked.offset, asked.size));
  deferred_reads_->StartRead(asked.context, asked.file->handle, asked.offset, asked.size, std::move(finish));
}

void FilesystemCore::FinishRead(const std::shared_ptr<PendingRead>& read, absl::StatusOr<absl::Cord> data) {
  if (!data.ok() || read->attempts == kReadAttempts || !read->order.Overtaken()) {
    return std::move(read->done)(std::move(data));
  }
  reads_again_.Submit(std::make_shared<IoTask>([this, read] { StartRead(read); }));
}

absl::StatusOr<std::optional<absl::Cord>> FilesystemCore::ReadAtHand(const CallContext& context, const OpenFile& file,
                                                                     uint64_t offset, uint32_t size) {
  if (file.read_ahead == nullptr) return ErrnoStatus(EBADF, "read");
  RETURN_IF_ERROR(Settle(context, *file.inode));
  // Of a file that is being written the answer would be there before a write that the kernel sent earlier has arrived.
  const bool content_is_right = file.whole_content && !file.inode->HasWriters() &&
                                !file.inode->ChangedSince(file.opened_at) &&
                                Remaining(options_.attr_timeout, file.opened_at, Now()) > absl::ZeroDuration();
  if (content_is_right) {
    const absl::Cord& content = *file.whole_content;
    return offset >= content.size() ? absl::Cord() : content.Subcord(offset, size);
  }
  file.inode->ForgetTold();
  auto streamed = file.read_ahead->Read(offset, size, context.stop, [&](uint64_t from, uint32_t count) {
    return files_.Read(context, file.handle, from, count);
  });
  if (!streamed) return std::nullopt;
  file.inode->ForgetTold();
  RETURN_IF_ERROR(streamed->status());
  return **std::move(streamed);
}

absl::Status FilesystemCore::WriteBehind(const OpenFile& file, uint64_t offset, absl::Cord data) {
  CallContext context;
  context.caller = file.opener;
  while (!data.empty()) {
    Inode::Change changing(*file.inode);
    const Instant asked_at = Now();
    const absl::StatusOr<Written> written = files_.Write(context, file.handle, offset, data);
    if (!written.ok()) return written.status();
    KeepAfter(changing, *file.inode, written->attributes, asked_at);
    if (written->bytes == 0 || written->bytes > data.size()) return ErrnoStatus(EIO, "write");
    offset += written->bytes;
    data.RemovePrefix(written->bytes);
  }
  return absl::OkStatus();
}

// What a program writes through an append handle goes to the end of the file, wherever that is by then. What it stores
// through a map of the same file belongs where it is.
absl::StatusOr<HandleId> FilesystemCore::HandleForPages(OpenFile& file) {
  if (!file.flags.append) return file.handle;
  if (const HandleId known = file.PageHandle(); known != HandleId::kNone) return known;
  const HandleId opened = handle_ids_.Next();
  CallContext context;
  context.caller = file.opener;
  RETURN_IF_ERROR(files_.Open(context, file.inode->node(), opened, {.write = true}, 0).status());
  const HandleId kept = file.KeepPageHandle(opened);
  if (kept != opened) files_.Release(std::array{opened});
  return kept;
}

absl::StatusOr<uint64_t> FilesystemCore::Write(const CallContext& context, HandleId handle, uint64_t offset,
                                               absl::Cord data, bool from_page_cache) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  CallContext as_whom = context;
  if (from_page_cache) as_whom.caller = Caller{};  // as the kernel itself: suid bits stay
  const uint64_t size = data.size();
  const WriteOrder::Write arrived(file->inode->write_order(), offset, size);
  file->inode->MarkChanged();
  file->inode->ForgetPages();
  if (file->write_queue != nullptr) {
    // What is queued is written with the opener's rights: whether suid bits stay depends on whose they are.
    if (as_whom.caller.uid == file->opener.uid) {
      const WriteQueue::Verdict verdict = file->write_queue->Offer(offset, data, context.stop);
      if (verdict == WriteQueue::Verdict::kQueued) return size;
      if (verdict == WriteQueue::Verdict::kStopped) return ErrnoStatus(EINTR, "write");
    }
    if (!file->write_queue->Drain(context.stop)) return ErrnoStatus(EINTR, "write");
    RETURN_IF_ERROR(file->write_queue->TakeError());
  }
  RETURN_IF_ERROR(Settle(context, *file->inode));
  ASSIGN_OR_RETURN(const HandleId through, from_page_cache ? HandleForPages(*file) : absl::StatusOr<HandleId>(handle));
  Inode::Change changing(*file->inode);
  const Instant asked_at = Now();
  const absl::StatusOr<Written> written = files_.Write(as_whom, through, offset, std::move(data));
  if (!written.ok()) return written.status();
  KeepAfter(changing, *file->inode, written->attributes, asked_at);
  if (written->bytes > size) return ErrnoStatus(EIO, "write");
  if (file->write_queue != nullptr) file->write_queue->NoteDirectWrite(offset, written->bytes);
  return written->bytes;
}

absl::Status FilesystemCore::Flush(const CallContext& context, HandleId handle, LockOwner owner) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  absl::Status status;
  if (file->write_queue != nullptr) {
    if (!file->write_queue->Drain(context.stop)) return ErrnoStatus(EINTR, "close");
    status = file->write_queue->TakeError();
  }
  if (file->inode->RemoveLockOwner(owner) && !FaultPlanted("close_keeps_locks")) {
    const absl::Status unlocked = files_.SetLock(context, handle, owner, LockKind::kRange, LockRange{}, {});
    if (status.ok()) status = unlocked;
  }
  return status;
}

absl::Status FilesystemCore::Fsync(const CallContext& context, HandleId handle, bool data_only) {
  ASSIGN_OR_RETURN(const OpenFilePtr file, FindFile(handle));
  if (file->write_queue != nullptr) {
    if (!file->write_queue->Drain(context.stop)) return ErrnoStatus(EINTR, "fsync");
    RETURN_IF_ERROR(file->write_queue->TakeError());
  }
  RETURN_IF_ERROR(Settle(context, *file->inode));
  const absl::Status status = files_.Fsync(context, handle, data_only);
  file->inode->ForgetTold();
  return status;
}

void FilesystemCore::Release(HandleId handle) {
  const OpenFilePtr file = open_files_.Remove(handle);
  if (file == nullptr) return;
  const std::vector<OpenFile::HeldLock> locks = file->TakeLocks();
  if (!locks.empty()) file->inode->BeginLockRelease();
  if (file->write_queue != nullptr) (void)file->write_queue->Drain({});
  for (const auto& [owner, kind] : locks) {
    (void)files_.SetLock({}, handle, owner, kind, LockRange{}, {});
  }
  if (!locks.empty()) {
    file->inode->RemoveLockHolder();
    file->inode->EndLockRelease();
  }
  file->inode->RemoveHandle(handle);
  if (file->flags.write) file->inode->RemoveWriter();
  files_.Release(std::array{handle});
  if (const HandleId pages = file->PageHandle(); pages != HandleId::kNone) files_.Release(std::array{pages});
}

}  // namespace mirrorfs
