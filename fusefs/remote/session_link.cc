#include "fusefs/remote/session_link.h"

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "fusefs/remote/deadline.h"
#include "protos/shared/errno_status.h"
#include "protos/wire/boot_clock.h"
#include "protos/wire/convert_attributes.h"
#include "protos/wire/convert_files.h"
#include "protos/wire/protocol_version.h"
#include "spdlog/spdlog.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kLongestFirstWait = absl::Seconds(10);
constexpr std::chrono::milliseconds kStopInterval{50};  // how soon a waiting thread sees that it is to stop
constexpr int kPerReclaim = 1024;                       // nodes or handles; agents take no more than 512 KiB at once
constexpr int kMostGroups = 65536;                      // NGROUPS_MAX
constexpr uint32_t kLeastTransfer = 4096;
constexpr uint32_t kMostTransfer = 4u << 20;

v1::IdentityKind PackIdentity(SessionIdentity identity) {
  switch (identity) {
    case SessionIdentity::kContainer:
      return v1::IDENTITY_CONTAINER;
    case SessionIdentity::kCaller:
      return v1::IDENTITY_CALLER;
    case SessionIdentity::kFixed:
      return v1::IDENTITY_FIXED;
  }
  return v1::IDENTITY_UNSPECIFIED;
}

// What the agent has said, with the errno that it said.
absl::Status Refused(const v1::AttachReply& reply) {
  absl::Status with_errno = ErrnoStatus(reply.header().error() > 0 ? reply.header().error() : EIO);
  const std::string message = reply.message().empty() ? fmt::format("the agent refuses: error {}", ToErrno(with_errno))
                                                      : reply.message().substr(0, 1000);
  absl::Status status(with_errno.code(), message);
  with_errno.ForEachPayload([&](absl::string_view url, const absl::Cord& value) { status.SetPayload(url, value); });
  return status;
}

absl::Status CheckLimits(const v1::AttachReply& reply) {
  for (uint32_t limit : {reply.max_read(), reply.max_write(), reply.max_page()}) {
    if (limit < kLeastTransfer || limit > kMostTransfer)
      return absl::InternalError("the agent names impossible limits");
  }
  if (reply.identity_groups_size() > kMostGroups) return absl::InternalError("the agent names impossibly many groups");
  if (reply.lease_ms() == 0) return absl::InternalError("the agent gives no lease");
  return absl::OkStatus();
}

}  // namespace

absl::Status SessionLink::Begin() {
  const absl::Time deadline = absl::Now() + std::min(options_.deadline, kLongestFirstWait);
  // Through a tunnel the agent is known to be there, and a busy machine may be slow to connect; else nobody to connect
  // to is an answer.
  const bool through_tunnel = options_.silence_limit > absl::ZeroDuration();
  ASSIGN_OR_RETURN(const v1::AttachReply reply,
                   Attach(deadline, {}, /*wait_for_agent=*/through_tunnel, /*again=*/false));
  return Take(reply);
}

absl::StatusOr<v1::AttachReply> SessionLink::Attach(absl::Time deadline, const std::stop_token& stop,
                                                    bool wait_for_agent, bool again) {
  v1::AttachRequest request;
  request.set_protocol(kProtocolVersion);
  request.set_client_version(MIRRORFS_VERSION);
  request.set_target(options_.target);
  request.set_identity(PackIdentity(options_.identity));
  request.set_uid(options_.uid);
  request.set_gid(options_.gid);
  request.set_read_write(options_.read_write);
  request.set_devices(options_.devices);
  request.set_token(options_.token);
  v1::AttachReply reply;
  BoundedContext context(deadline, stop, channels_.Present()->GivenUp());
  context.Get().set_wait_for_ready(wait_for_agent);
  counters_.Sent(Method::kAttach, again);
  const grpc::Status status = channels_.Present()->Stub().Attach(&context.Get(), request, &reply);
  if (status.error_code() == grpc::StatusCode::UNIMPLEMENTED) {
    return absl::UnavailableError(fmt::format("{}: what answers there is not a mirrorfs agent of protocol {}",
                                              options_.endpoint, kProtocolVersion));
  }
  if (!status.ok()) {
    return absl::UnavailableError(
        fmt::format("{}: no answer from the agent: {}", options_.endpoint, status.error_message()));
  }
  HeardOf();
  if (reply.header().error() != 0) return Refused(reply);
  if (reply.protocol() != kProtocolVersion) {
    return absl::FailedPreconditionError(fmt::format(
        "mirrorfs {} speaks protocol {}, the agent (version {}) speaks protocol {}: install the same version "
        "on both sides",
        MIRRORFS_VERSION, kProtocolVersion, reply.agent_version().substr(0, 100), reply.protocol()));
  }
  SetAgentClock(reply.agent_clock_ns());
  return reply;
}

absl::Status SessionLink::Take(const v1::AttachReply& reply) {
  RETURN_IF_ERROR(CheckLimits(reply));
  if (options_.read_write && !reply.read_write()) return absl::InternalError("the agent gives a read-only session");
  ASSIGN_OR_RETURN(facts_.root, Unpack(reply.root()));
  if (facts_.root.node != NodeId::kRoot || facts_.root.attributes.type != FileType::kDirectory) {
    return absl::InternalError("the agent's root is not a directory");
  }
  root_identity_ = facts_.root.identity;
  facts_.target = reply.target().substr(0, 1000);
  facts_.agent_version = reply.agent_version().substr(0, 100);
  facts_.identity_uid = reply.identity_uid();
  facts_.identity_gid = reply.identity_gid();
  facts_.identity_groups.assign(reply.identity_groups().begin(), reply.identity_groups().end());
  facts_.max_read = reply.max_read();
  facts_.max_write = reply.max_write();
  facts_.max_page = reply.max_page();
  lease_ = absl::Milliseconds(reply.lease_ms());
  MutexLock lock(mutex_);
  session_ = {reply.session(), Generation::kFirst};
  last_generation_ = Generation::kFirst;
  return absl::OkStatus();
}

absl::StatusOr<SessionLink::Session> SessionLink::Present(absl::Time deadline, const std::stop_token& stop) {
  MutexLock lock(mutex_);
  while (renewing_) {
    if (stop.stop_requested()) return ErrnoStatus(EINTR, "waiting for the agent");
    if (absl::Now() >= deadline) return ErrnoStatus(ETIMEDOUT, "waiting for the agent");
    lock.WaitUntil(changed_, std::chrono::steady_clock::now() + kStopInterval);
  }
  return session_;
}

absl::Status SessionLink::Renew(Generation lost, absl::Time deadline, const std::stop_token& stop) {
  ASSIGN_OR_RETURN(Session present, Present(deadline, stop));
  if (present.generation != lost) return absl::OkStatus();
  {
    MutexLock lock(mutex_);
    // Another thread may have begun, or even finished, in between: the caller tries again with what is there then.
    if (renewing_ || session_.generation != lost) return absl::OkStatus();
    renewing_ = true;
  }
  const absl::Cleanup over = [this] {
    {
      MutexLock lock(mutex_);
      renewing_ = false;
    }
    changed_.notify_all();
  };
  return MakeNew(deadline, stop);
}

absl::Status SessionLink::MakeNew(absl::Time deadline, const std::stop_token& stop) {
  absl::StatusOr<v1::AttachReply> reply = Attach(deadline, stop, /*wait_for_agent=*/true, /*again=*/true);
  if (!reply.ok()) {
    // A refusal is final for this call; what is there cannot serve us.
    if (HasErrno(reply.status())) return ErrnoStatus(EHOSTDOWN, std::string(reply.status().message()));
    return reply.status();
  }
  ASSIGN_OR_RETURN(const Entry root, CheckRoot(*reply));
  const bool moves = root.identity != root_identity_;
  Generation next;
  {
    MutexLock lock(mutex_);
    next = last_generation_ = Next(last_generation_);
  }
  if (moves) {
    RETURN_IF_ERROR(Move(reply->session(), next, deadline, stop));
    root_identity_ = root.identity;
    spdlog::warn("{}: the agent serves another container now; files of the former one are stale", options_.endpoint);
  } else {
    RETURN_IF_ERROR(HandOver(reply->session(), next, deadline, stop));
    spdlog::warn("{}: the session with the agent was lost; a new one has taken over its files", options_.endpoint);
  }
  MutexLock lock(mutex_);
  session_ = {reply->session(), next};
  return absl::OkStatus();
}

absl::StatusOr<Entry> SessionLink::CheckRoot(const v1::AttachReply& reply) const {
  absl::StatusOr<Entry> root = Unpack(reply.root());
  const bool fits = root.ok() && root->node == NodeId::kRoot && root->attributes.type == FileType::kDirectory &&
                    reply.read_write() == options_.read_write;
  if (fits && (options_.follow || root->identity == root_identity_)) return root;
  return ErrnoStatus(EHOSTDOWN, "the agent serves another container now");
}

absl::Status SessionLink::Move(uint64_t session, Generation next, absl::Time deadline, const std::stop_token& stop) {
  handles_.Abandon(next);
  nodes_from_ = std::max(nodes_from_, nodes_.Abandon(next));
  v1::ReclaimRequest request;
  request.mutable_header()->set_session(session);
  return Reclaim(request, deadline, stop);
}

absl::Status SessionLink::HandOver(uint64_t session, Generation next, absl::Time deadline,
                                   const std::stop_token& stop) {
  v1::ReclaimRequest request;
  request.mutable_header()->set_session(session);
  for (const LedgerNode& node : nodes_.Snapshot(next)) {
    v1::ReclaimNode& packed = *request.add_nodes();
    packed.set_node(ToNumber(node.node));
    packed.set_parent(ToNumber(node.parent));
    packed.set_name(node.name);
    packed.set_identity(node.identity);
    packed.set_count(node.count);
    if (request.nodes_size() == kPerReclaim) RETURN_IF_ERROR(Reclaim(request, deadline, stop));
  }
  for (const LedgerHandle& handle : handles_.Snapshot(next)) {
    v1::ReclaimHandle& packed = *request.add_handles();
    packed.set_handle(ToNumber(handle.handle));
    packed.set_node(ToNumber(handle.node));
    Pack(handle.flags, *packed.mutable_flags());
    if (request.handles_size() == kPerReclaim) RETURN_IF_ERROR(Reclaim(request, deadline, stop));
  }
  return Reclaim(request, deadline, stop);
}

absl::Status SessionLink::Reclaim(v1::ReclaimRequest& request, absl::Time deadline, const std::stop_token& stop) {
  v1::ReclaimReply reply;
  BoundedContext context(deadline, stop, channels_.Present()->GivenUp());
  if (nodes_from_ != NodeId::kRoot) request.set_nodes_from(ToNumber(nodes_from_));
  counters_.Sent(Method::kReclaim, false);
  const grpc::Status status = channels_.Present()->Stub().Reclaim(&context.Get(), request, &reply);
  if (!status.ok()) return absl::UnavailableError(status.error_message());
  if (reply.header().error() != 0) return ErrnoStatus(EHOSTDOWN, "handing the files over to a new agent");
  for (uint64_t handle : reply.lost_handles()) handles_.Lost(HandleId{handle});
  request.clear_nodes();
  request.clear_handles();
  return absl::OkStatus();
}

void SessionLink::SetAgentClock(uint64_t agent_clock_ns) {
  // The agent has read its clock before we read ours, so the offset is too small by the way back: limits come early.
  agent_clock_offset_.store(static_cast<int64_t>(agent_clock_ns - BootClockNs()), std::memory_order_relaxed);
}

uint64_t SessionLink::OnAgentClock(absl::Time when) const {
  if (when == absl::InfiniteFuture()) return 0;
  const int64_t left = absl::ToInt64Nanoseconds(when - absl::Now());
  const int64_t offset = agent_clock_offset_.load(std::memory_order_relaxed);
  return std::max<uint64_t>(BootClockNs() + static_cast<uint64_t>(left + offset), 1);
}

}  // namespace mirrorfs
