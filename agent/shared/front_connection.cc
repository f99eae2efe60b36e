#include "agent/shared/front_connection.h"

#include <utility>

#include "absl/time/clock.h"
#include "agent/shared/audit.h"
#include "boost/asio/post.hpp"
#include "boost/asio/read_until.hpp"
#include "boost/asio/write.hpp"
#include "fmt/format.h"
#include "protos/preface/preface.h"

namespace mirrorfs {
namespace {

namespace asio = boost::asio;
using Error = boost::system::error_code;

constexpr size_t kBufferSize = 64 << 10;
constexpr std::chrono::seconds kPrefaceLimit{10};
constexpr std::chrono::seconds kAnswerLimit{60};
// A watching client says that it lives three times as often.
constexpr std::chrono::seconds kSilenceLimit{60};
constexpr size_t kDrained = 4 << 10;
constexpr size_t kMostQueued = 64 << 10;

}  // namespace

FrontConnection::FrontConnection(std::shared_ptr<FrontState> state, asio::ssl::context& tls,
                                 asio::ip::tcp::socket socket)
    : state_(std::move(state)),
      client_(std::move(socket), tls),
      agent_socket_(state_->context),
      timer_(state_->context),
      line_(kMostPrefaceRequest + 1) {
  ++state_->pending;
}

FrontConnection::~FrontConnection() {
  NoLongerPending();
  if (slot_) --state_->metrics.connections;
}

void FrontConnection::Begin() {
  Error ignored;
  client_.next_layer().set_option(asio::ip::tcp::no_delay(true), ignored);
  client_.next_layer().set_option(asio::socket_base::keep_alive(true), ignored);
  Limit(kPrefaceLimit);
  client_.async_handshake(asio::ssl::stream_base::server, [self = shared_from_this()](const Error& failed) {
    if (failed) return self->Close();
    self->ReadPreface();
  });
}

void FrontConnection::ReadPreface() {
  asio::async_read_until(client_, line_, '\n', [self = shared_from_this()](const Error& failed, size_t size) {
    if (failed && failed != asio::error::not_found) return self->Close();
    self->asked_ = true;
    if (failed) return self->Refuse(PrefaceCode::kBadRequest, "the preface is too long");
    std::string line(static_cast<const char*>(self->line_.data().data()), size - 1);
    self->line_.consume(size);
    // A client waits for the answer before it says more.
    if (self->line_.size() > 0) return self->Refuse(PrefaceCode::kBadRequest, "the preface has more than one line");
    self->OnPreface(line);
  });
}

void FrontConnection::OnPreface(const std::string& line) {
  Limit(kAnswerLimit);
  absl::StatusOr<PrefaceRequest> request = ParsePrefaceRequest(line);
  if (!request.ok()) return Refuse(PrefaceCode::kBadRequest, std::string(request.status().message()));
  request_ = *request;
  request_.token.clear();
  request_.ticket.clear();
  by_ticket_ = !request->ticket.empty();
  if (!by_ticket_) return Ask(*std::move(request));
  const std::optional<AgentKey> key = state_->tickets.Find(request->ticket);
  if (!key) return Refuse(PrefaceCode::kUnauthenticated, "the ticket is over");
  caller_.name = key->user;
  request_.container_id = key->container_id;
  request_.read_write = key->read_write;
  LetIn(*key, "");
}

void FrontConnection::Ask(PrefaceRequest request) {
  asio::post(state_->asking, [self = shared_from_this(), request = std::move(request)]() mutable {
    Verdict verdict = self->state_->authorizer.Decide(request);
    asio::io_context& context = self->state_->context;
    asio::post(context, [self = std::move(self), verdict = std::move(verdict)]() mutable {
      self->OnVerdict(std::move(verdict));
    });
  });
}

void FrontConnection::OnVerdict(Verdict verdict) {
  caller_ = std::move(verdict.caller);
  if (verdict.code != PrefaceCode::kOk) return Refuse(verdict.code, std::move(verdict.message));
  const AgentKey key{.user = caller_.name, .container_id = request_.container_id, .read_write = request_.read_write};
  absl::StatusOr<std::string> ticket = state_->tickets.Issue(key);
  if (!ticket.ok()) return Refuse(PrefaceCode::kUnavailable, std::string(ticket.status().message()));
  LetIn(key, *std::move(ticket));
}

void FrontConnection::LetIn(const AgentKey& key, std::string ticket) {
  if (!client_.next_layer().is_open()) return;  // its time was over
  slot_ = state_->connections.Take(key.user);
  if (!slot_) {
    return Refuse(PrefaceCode::kQuota,
                  fmt::format("you ({}) have {} streams to this node's agent, or all users together have as many as "
                              "they may (the chart's values quota.connectionsPerUser and quota.connections)",
                              key.user, state_->connections.per_user()));
  }
  ++state_->metrics.connections;
  absl::StatusOr<AgentTable::Use> agent = state_->agents.Get(key);
  if (!agent.ok()) {
    const bool quota = absl::IsResourceExhausted(agent.status());
    return Refuse(quota ? PrefaceCode::kQuota : PrefaceCode::kUnavailable, std::string(agent.status().message()));
  }
  agent_ = *std::move(agent);
  agent_->WhenReady([self = shared_from_this(), ticket = std::move(ticket)](const absl::Status& status) mutable {
    self->OnReady(status, std::move(ticket));
  });
}

void FrontConnection::OnReady(const absl::Status& status, std::string ticket) {
  if (!client_.next_layer().is_open()) return;
  if (!status.ok()) return Refuse(PrefaceCode::kUnavailable, std::string(status.message()));
  agent_->AddListener(weak_from_this());
  if (request_.stream == PrefaceStream::kWatch) {
    Welcome(std::move(ticket));
    if (agent_->target_gone()) OnTargetGone();
    return Watch();
  }
  agent_socket_.async_connect(
      agent_->socket(), [self = shared_from_this(), ticket = std::move(ticket)](const Error& failed) mutable {
        if (failed) return self->Refuse(PrefaceCode::kUnavailable, "the container's agent does not answer");
        self->Welcome(std::move(ticket));
      });
}

void FrontConnection::Welcome(std::string ticket) {
  NoLongerPending();
  timer_.cancel();
  Note(PrefaceCode::kOk, "");
  const std::string facts = request_.wants_facts ? agent_->facts() : "";
  const PrefaceAnswer answer{
      .ticket = std::move(ticket), .ticket_life = state_->tickets.life(), .facts_bytes = facts.size()};
  Send(EncodePreface(answer) + "\n" + facts);
}

void FrontConnection::Refuse(PrefaceCode code, std::string message) {
  if (!client_.next_layer().is_open()) return;
  Limit(kPrefaceLimit);
  Note(code, message);
  Send(EncodePreface(PrefaceAnswer{.code = code, .message = std::move(message)}) + "\n", /*then_close=*/true);
}

// One write at a time; relaying begins when the answer is out.
void FrontConnection::Send(std::string text, bool then_close) {
  close_after_ |= then_close;
  if (!outgoing_.empty()) {
    if (queued_.size() > kMostQueued) return Close();
    queued_ += text;
    return;
  }
  outgoing_ = std::move(text);
  asio::async_write(client_, asio::buffer(outgoing_), [self = shared_from_this()](const Error& failed, size_t) {
    self->outgoing_.clear();
    if (failed) return self->Close();
    if (self->close_after_ && self->queued_.empty()) return self->Drain();
    if (!self->queued_.empty()) return self->Send(std::exchange(self->queued_, {}));
    if (self->request_.stream == PrefaceStream::kFiles && self->up_.empty()) self->Relay();
  });
}

// The caller ends what was refused: were this end to do it, what he has sent meanwhile would take the answer with it.
void FrontConnection::Drain() {
  line_.consume(line_.size());
  client_.async_read_some(line_.prepare(kDrained), [self = shared_from_this()](const Error& failed, size_t) {
    failed ? self->Close() : self->Drain();
  });
}

void FrontConnection::Relay() {
  up_.resize(kBufferSize);
  down_.resize(kBufferSize);
  ReadClient();
  ReadAgent();
}

void FrontConnection::ReadClient() {
  client_.async_read_some(asio::buffer(up_), [self = shared_from_this()](const Error& failed, size_t size) {
    if (failed) return self->Close();
    self->state_->metrics.bytes_from_clients += size;
    asio::async_write(self->agent_socket_, asio::buffer(self->up_, size), [self](const Error& broken, size_t) {
      if (broken) return self->Close();
      self->ReadClient();
    });
  });
}

void FrontConnection::ReadAgent() {
  agent_socket_.async_read_some(asio::buffer(down_), [self = shared_from_this()](const Error& failed, size_t size) {
    if (failed) return self->Close();
    self->state_->metrics.bytes_to_clients += size;
    asio::async_write(self->client_, asio::buffer(self->down_, size), [self](const Error& broken, size_t) {
      if (broken) return self->Close();
      self->ReadAgent();
    });
  });
}

void FrontConnection::Watch() {
  Limit(kSilenceLimit);
  asio::async_read_until(client_, line_, '\n', [self = shared_from_this()](const Error& failed, size_t size) {
    if (failed) return self->Close();
    self->line_.consume(size);
    self->Send(std::string(kHeartbeat) + "\n");
    self->Watch();
  });
}

void FrontConnection::OnTargetGone() {
  if (request_.stream == PrefaceStream::kWatch && client_.next_layer().is_open()) Send(std::string(kTargetGone) + "\n");
}

void FrontConnection::OnAgentEnded() { Close(); }

// Where the answer is given, and so once. What shows a ticket that counts is another stream of an attach that was
// noted.
void FrontConnection::Note(PrefaceCode code, std::string message) {
  if (std::exchange(noted_, true) || (by_ticket_ && code == PrefaceCode::kOk)) return;
  ++state_->metrics.attaches[code];
  state_->audit(AuditLine(absl::Now(), state_->options.node, request_,
                          {.code = code, .message = std::move(message), .caller = std::move(caller_)}));
}

void FrontConnection::Limit(std::chrono::seconds limit) {
  timer_.expires_after(limit);
  timer_.async_wait([self = shared_from_this()](const Error& cancelled) {
    if (!cancelled) self->Close();
  });
}

void FrontConnection::NoLongerPending() {
  if (std::exchange(pending_, false)) --state_->pending;
}

void FrontConnection::Close() {
  if (asked_) Note(PrefaceCode::kUnavailable, "the stream has ended before there was an answer");
  Error ignored;
  timer_.cancel();
  client_.next_layer().close(ignored);
  agent_socket_.close(ignored);
}

}  // namespace mirrorfs
