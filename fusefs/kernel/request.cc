#include "fusefs/kernel/request.h"

#include <sys/uio.h>

#include <algorithm>
#include <cerrno>

#include "absl/strings/string_view.h"
#include "absl/time/clock.h"
#include "fusefs/kernel/connection.h"
#include "fusefs/kernel/conversions.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr int kMaxGroups = 65536;  // NGROUPS_MAX

void SetOpen(const OpenAnswer& open, fuse_file_info& info) {
  info.fh = ToNumber(open.handle);
  info.keep_cache = open.keep_cache;
}

}  // namespace

Request::Request(fuse_req_t request, FuseOperation operation, StopOn stop_on)
    : request_(request),
      edge_(*static_cast<Edge*>(fuse_req_userdata(request))),
      number_(edge_.next_request.fetch_add(1, std::memory_order_relaxed)),
      stop_on_(stop_on) {
  edge_.counts.Add(operation);
  std::call_once(edge_.agreed, [this] { RaiseKernelReadAhead(edge_.options.mountpoint); });
  const fuse_ctx* caller = fuse_req_ctx(request_);
  context_.caller.uid = caller->uid;
  context_.caller.gid = caller->gid;
  context_.stop = stop_.get_token();
  context_.begun = absl::Now();
  fuse_req_interrupt_func(request_, &Request::OnInterrupt, this);
}

Request::~Request() {
  if (Claim()) fuse_reply_err(request_, EIO);
}

void Request::OnInterrupt(fuse_req_t request, void* self) {
  auto* interrupted = static_cast<Request*>(self);
  interrupted->edge_.interrupts.Watch(interrupted->number_,
                                      {.thread = fuse_req_ctx(request)->pid,
                                       .stop = interrupted->stop_,
                                       .any_signal = interrupted->stop_on_ == StopOn::kAnySignal});
}

bool Request::Claim() {
  if (answered_) return false;
  answered_ = true;
  fuse_req_interrupt_func(request_, nullptr, nullptr);  // waits for one that is being told
  edge_.interrupts.Unwatch(number_);
  return true;
}

CallContext Request::ContextWithGroups() const {
  CallContext context = context_;
  if (!edge_.options.send_caller || context.caller.uid == 0) return context;
  std::vector<gid_t> groups(32);
  int count = fuse_req_getgroups(request_, static_cast<int>(groups.size()), groups.data());
  if (count > static_cast<int>(groups.size())) {
    groups.resize(static_cast<size_t>(std::min(count, kMaxGroups)));
    count = fuse_req_getgroups(request_, static_cast<int>(groups.size()), groups.data());
  }
  groups.resize(static_cast<size_t>(std::clamp(count, 0, static_cast<int>(groups.size()))));
  context.caller.groups.assign(groups.begin(), groups.end());
  return context;
}

uint32_t Request::umask() const { return fuse_req_ctx(request_)->umask; }

bool Request::Failed(const absl::Status& status) {
  if (status.ok()) return false;
  fuse_reply_err(request_, ToErrno(status));
  return true;
}

void Request::Answer(const absl::Status& status) {
  if (Claim()) fuse_reply_err(request_, ToErrno(status));
}

void Request::Answer(const absl::StatusOr<EntryAnswer>& entry) {
  if (!Claim() || Failed(entry.status())) return;
  const fuse_entry_param param = ToEntryParam(*entry);
  const bool delivered = fuse_reply_entry(request_, &param) == 0;
  if (!delivered && entry->node != NodeId::kInvalid) core().Forget(entry->node, 1);
}

void Request::Answer(const absl::StatusOr<AttrAnswer>& attributes) {
  if (!Claim() || Failed(attributes.status())) return;
  const struct stat stat = ToStat(attributes->attributes);
  fuse_reply_attr(request_, &stat, absl::ToDoubleSeconds(attributes->attr_timeout));
}

void Request::Answer(const absl::StatusOr<OpenAnswer>& open, const fuse_file_info& info) {
  if (!Claim() || Failed(open.status())) return;
  fuse_file_info answer = info;
  SetOpen(*open, answer);
  if (fuse_reply_open(request_, &answer) != 0) core().Release(open->handle);
}

void Request::Answer(const absl::StatusOr<CreateAnswer>& created, const fuse_file_info& info) {
  if (!Claim() || Failed(created.status())) return;
  fuse_file_info answer = info;
  SetOpen(created->open, answer);
  const fuse_entry_param param = ToEntryParam(created->entry);
  if (fuse_reply_create(request_, &param, &answer) != 0) {
    core().Release(created->open.handle);
    core().Forget(created->entry.node, 1);
  }
}

void Request::AnswerOpenDir(const absl::StatusOr<HandleId>& handle, const fuse_file_info& info) {
  if (!Claim() || Failed(handle.status())) return;
  fuse_file_info answer = info;
  answer.fh = ToNumber(*handle);
  if (fuse_reply_open(request_, &answer) != 0) core().ReleaseDir(*handle);
}

void Request::AnswerTarget(const absl::StatusOr<std::string>& target) {
  if (!Claim() || Failed(target.status())) return;
  fuse_reply_readlink(request_, target->c_str());
}

void Request::AnswerData(const absl::StatusOr<absl::Cord>& data) {
  if (!Claim() || Failed(data.status())) return;
  std::vector<iovec> parts;
  for (const absl::string_view chunk : data->Chunks()) {
    parts.push_back({.iov_base = const_cast<char*>(chunk.data()), .iov_len = chunk.size()});
  }
  fuse_reply_iov(request_, parts.data(), static_cast<int>(parts.size()));
}

void Request::AnswerWritten(const absl::StatusOr<uint64_t>& count) {
  if (!Claim() || Failed(count.status())) return;
  fuse_reply_write(request_, *count);
}

void Request::AnswerOffset(const absl::StatusOr<uint64_t>& offset) {
  if (!Claim() || Failed(offset.status())) return;
  fuse_reply_lseek(request_, static_cast<off_t>(*offset));
}

void Request::Answer(const absl::StatusOr<FileSystemStatistics>& statistics) {
  if (!Claim() || Failed(statistics.status())) return;
  const struct statvfs statvfs = ToStatvfs(*statistics);
  fuse_reply_statfs(request_, &statvfs);
}

void Request::Answer(const absl::StatusOr<LockRange>& lock) {
  if (!Claim() || Failed(lock.status())) return;
  const struct flock flock = ToFlock(*lock);
  fuse_reply_lock(request_, &flock);
}

void Request::AnswerXattr(const absl::StatusOr<std::string>& value, size_t size) {
  if (!Claim() || Failed(value.status())) return;
  if (size == 0) {
    fuse_reply_xattr(request_, value->size());
  } else if (value->size() > size) {
    fuse_reply_err(request_, ERANGE);
  } else {
    fuse_reply_buf(request_, value->data(), value->size());
  }
}

void Request::AnswerNothing() {
  if (Claim()) fuse_reply_none(request_);
}

bool Request::AnswerNames(const std::vector<char>& buffer) {
  return !Claim() || fuse_reply_buf(request_, buffer.data(), buffer.size()) == 0;
}

}  // namespace mirrorfs
