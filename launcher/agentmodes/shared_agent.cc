#include "launcher/agentmodes/shared_agent.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <future>
#include <utility>

#include "boost/asio/post.hpp"
#include "fmt/format.h"
#include "launcher/agentmodes/caller_token.h"
#include "launcher/agentmodes/port_forward.h"
#include "launcher/agentmodes/receive_exactly.h"
#include "launcher/agentmodes/rights.h"
#include "launcher/agentmodes/target_state.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/container_name.h"
#include "launcher/printable.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kAnswerLimit = absl::Seconds(90);
constexpr absl::Duration kAliveInterval = absl::Seconds(10);
constexpr int kMostUnanswered = 3;
constexpr absl::Duration kCheckLimit = absl::Seconds(30);

// The answer to one preface: heard in the bridge's thread, waited for in another.
class Answer {
 public:
  void Hear(std::string_view line) {
    auto answer = ParsePrefaceAnswer(line);
    if (!answer.ok()) return Fail("its answer is not understood");
    Settle(*std::move(answer));
  }
  void Fail(std::string_view why) {
    const std::string_view dot = why.ends_with('.') ? "" : ".";
    Settle(Failure(ExitCode::kUnreachable, fmt::format("the shared agent cannot be talked to: {}{}", why, dot)));
  }
  absl::StatusOr<PrefaceAnswer> Wait(absl::Duration limit) {
    if (future_.wait_for(absl::ToChronoNanoseconds(limit)) != std::future_status::ready) {
      return Failure(ExitCode::kUnreachable, "the shared agent does not answer.");
    }
    return future_.get();
  }

 private:
  void Settle(absl::StatusOr<PrefaceAnswer> answer) {
    if (!std::exchange(settled_, true)) promise_.set_value(std::move(answer));
  }

  bool settled_ = false;  // of the bridge's thread
  std::promise<absl::StatusOr<PrefaceAnswer>> promise_;
  std::future<absl::StatusOr<PrefaceAnswer>> future_ = promise_.get_future();
};

ExitCode ExitOf(PrefaceCode code) {
  switch (code) {
    case PrefaceCode::kNoTarget:
      return ExitCode::kNoTarget;
    case PrefaceCode::kUnauthenticated:
    case PrefaceCode::kForbidden:
      return ExitCode::kNotPermitted;
    default:
      return ExitCode::kUnreachable;
  }
}

absl::Status Refusal(const PrefaceAnswer& answer) {
  return Failure(ExitOf(answer.code), fmt::format("the shared agent says: {}", Printable(answer.message)));
}

}  // namespace

// Streams that show a ticket.
class SharedAgent::TicketCarrier : public Carrier {
 public:
  TicketCarrier(const SharedAgent& agent, TicketKeeper& tickets) : agent_(agent), tickets_(tickets) {}

  absl::Status Carry(UniqueFd connection) override {
    PrefaceRequest request;
    request.ticket = tickets_.Current();
    agent_.CarryWith(std::move(connection), {.line = EncodePreface(request),
                                             .accept = [this](std::string_view line) { return Accept(line); },
                                             .failed = Complain});
    return absl::OkStatus();
  }

 private:
  static void Complain(std::string_view why) {
    fmt::print(stderr, "mirrorfs-tunnel: a stream to the shared agent: {}\n", why);
  }

  bool Accept(std::string_view line) {
    const auto answer = ParsePrefaceAnswer(line);
    if (answer.ok() && answer->code == PrefaceCode::kOk) return true;
    Complain(answer.ok() ? MessageOf(Refusal(*answer)) : "its answer is not understood");
    if (answer.ok() && answer->code == PrefaceCode::kUnauthenticated) tickets_.Refused();
    return false;
  }

  const SharedAgent& agent_;
  TicketKeeper& tickets_;
};

SharedAgent::SharedAgent(EventLoop& loop, const Kubectl& kubectl, PodTarget target, bool read_write)
    : loop_(loop),
      kubectl_(kubectl),
      target_(std::move(target)),
      read_write_(read_write),
      container_(ContainerName(target_)) {}

Carrier& SharedAgent::Streams() { return *carrier_; }

absl::StatusOr<std::unique_ptr<SharedAgent>> SharedAgent::Start(EventLoop& loop, const Kubectl& kubectl,
                                                                SharedAgentOptions options) {
  std::unique_ptr<SharedAgent> agent(new SharedAgent(loop, kubectl, options.task.target, options.task.read_write));
  if (!options.expected_container.empty() && options.expected_container != agent->Container()) {
    return TargetHasEnded(agent->target_);
  }
  RETURN_IF_ERROR(agent->Begin(options));
  return agent;
}

absl::Status SharedAgent::Begin(const SharedAgentOptions& options) {
  ASSIGN_OR_RETURN(install_, FindSharedInstall(kubectl_, options.name_space));
  ASSIGN_OR_RETURN(const std::string pod, FindSharedPod(kubectl_, install_, target_.node));
  ASSIGN_OR_RETURN(bridge_, TlsBridge::Start(std::nullopt, install_.certificate));
  transport_ = std::make_unique<PortForwardTransport>(
      bridge_->context(),
      PortForwardOptions{
          .command =
              kubectl_.In(install_.name_space).Command({"port-forward", "--address", "127.0.0.1", "pod/" + pod})});
  ASSIGN_OR_RETURN(Entered entered, Explain(Enter(options.asks_for_facts)));
  watch_ = std::move(entered.stream);
  facts_ = std::move(entered.facts);
  tickets_ = std::make_unique<TicketKeeper>(std::move(entered.ticket), [this]() -> absl::StatusOr<Ticket> {
    ASSIGN_OR_RETURN(Entered again, Enter(/*asks_for_facts=*/false));
    return std::move(again.ticket);
  });
  carrier_ = std::make_unique<TicketCarrier>(*this, *tickets_);
  return absl::OkStatus();
}

// Asked only when it has failed: a mount that works does not wait for it.
absl::StatusOr<SharedAgent::Entered> SharedAgent::Explain(absl::StatusOr<Entered> entered) const {
  const Kubectl at_agents = kubectl_.In(install_.name_space);
  if (ExitCodeOf(entered.status()) != ExitCode::kUnreachable || Can(at_agents, kForwardRight)) return entered;
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("the shared agent cannot be talked to: that takes the right to {} {}.",
                             ToText(kForwardRight), at_agents.WhereText()));
}

// With the token. Blocks; from any thread.
absl::StatusOr<SharedAgent::Entered> SharedAgent::Enter(bool asks_for_facts) const {
  PrefaceRequest request{.stream = PrefaceStream::kWatch,
                         .ticket = {},
                         .token = {},
                         .name_space = target_.name_space,
                         .pod = target_.pod,
                         .pod_uid = target_.uid,
                         .container = target_.container,
                         .container_id = target_.container_id,
                         .read_write = read_write_,
                         .wants_facts = asks_for_facts};
  ASSIGN_OR_RETURN(request.token, FindCallerToken(kubectl_));
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return LastErrno("socketpair");
  Entered entered{.stream = UniqueFd(ends[0]), .ticket = {}, .facts = {}};
  const auto answer = std::make_shared<Answer>();
  CarryWith(UniqueFd(ends[1]), {.line = EncodePreface(request),
                                .accept =
                                    [answer](std::string_view line) {
                                      answer->Hear(line);
                                      return true;  // what is refused has an end soon
                                    },
                                .failed = [answer](std::string_view why) { answer->Fail(why); }});
  ASSIGN_OR_RETURN(const PrefaceAnswer heard, answer->Wait(kAnswerLimit));
  if (heard.code != PrefaceCode::kOk) return Refusal(heard);
  entered.ticket = {.text = heard.ticket, .life = heard.ticket_life};
  ASSIGN_OR_RETURN(entered.facts, ReceiveExactly(entered.stream.get(), heard.facts_bytes));
  return entered;
}

void SharedAgent::CarryWith(UniqueFd connection, TlsBridge::Preface preface) const {
  auto plain = std::make_shared<UniqueFd>(std::move(connection));
  boost::asio::post(bridge_->context(), [this, plain, preface = std::move(preface)] {
    transport_->Connect(install_.port,
                        [this, plain, preface](absl::StatusOr<UniqueFd> transport, Transport::Stalled stalled) {
                          if (transport.ok())
                            return bridge_->Join(std::move(*plain), *std::move(transport), preface, std::move(stalled));
                          // Whoever made the connection makes another one.
                          preface.failed(MessageOf(transport.status()));
                          plain->reset();
                        });
  });
}

void SharedAgent::Watch(std::function<void()> lost) {
  lost_ = std::move(lost);
  loop_.Watch(watch_.get(), POLLIN, [this] { OnWatch(); });
  SayAlive();
}

void SharedAgent::OnWatch() {
  std::array<char, 512> bytes;
  const ssize_t count = ::recv(watch_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return BeLost();
  unanswered_ = 0;
  heard_.append(bytes.data(), static_cast<size_t>(count));
  for (size_t end = heard_.find('\n'); end != heard_.npos; end = heard_.find('\n')) {
    target_gone_ |= std::string_view(heard_).substr(0, end) == kTargetGone;
    heard_.erase(0, end + 1);
  }
  if (target_gone_ || heard_.size() > bytes.size()) BeLost();
}

// A connection that has come to nothing somewhere on its way is silent, and so is the agent to one that is.
void SharedAgent::SayAlive() {
  if (unanswered_++ == kMostUnanswered) return BeLost();
  const std::string line = std::string(kHeartbeat) + "\n";
  if (::send(watch_.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0 && errno != EAGAIN)
    return BeLost();
  timer_ = loop_.After(kAliveInterval, [this] { SayAlive(); });
}

void SharedAgent::BeLost() {
  loop_.Cancel(timer_);
  loop_.Unwatch(watch_.get());
  if (lost_) std::exchange(lost_, nullptr)();
}

absl::Status SharedAgent::CheckContainer() const {
  return target_gone_ ? TargetHasEnded(target_) : CheckTarget(kubectl_, target_, kCheckLimit);
}

SharedAgent::~SharedAgent() {
  loop_.Cancel(timer_);
  if (watch_) loop_.Unwatch(watch_.get());
  tickets_.reset();
  if (bridge_) bridge_->Stop();
}

}  // namespace mirrorfs
