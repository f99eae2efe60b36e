#include "launcher/agentmodes/pod_agent.h"

#include <endian.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "boost/asio/post.hpp"
#include "fmt/format.h"
#include "launcher/agentmodes/port_forward.h"
#include "launcher/agentmodes/receive_exactly.h"
#include "launcher/agentmodes/relay_transport.h"
#include "launcher/agentmodes/rights.h"
#include "launcher/agentmodes/target_state.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/container_name.h"
#include "launcher/kubernetes/exec_protocol.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/printable.h"
#include "launcher/system/captured_command.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// The agent says within that time where it listens, or that it does not.
constexpr absl::Duration kPatience = absl::Seconds(30);
constexpr absl::Duration kFactsPatience = absl::Seconds(20);
constexpr absl::Duration kStateLimit = absl::Seconds(3);
constexpr absl::Duration kCheckLimit = absl::Seconds(30);
constexpr absl::Duration kFollowAgain = absl::Seconds(1);
// After a stream was made it is looked whether the target is there, but not more often than this.
constexpr absl::Duration kLookDelay = absl::Seconds(2);
constexpr absl::Duration kLookInterval = absl::Seconds(10);
constexpr uint64_t kMostFacts = 16 << 20;
constexpr char kOutOfMemory[] = "the agent ran out of memory: raise its --agent-limit memory=SIZE.";

bool RanOutOfMemory(const absl::StatusOr<PodState>& state) {
  return state.ok() && state->exit_code.has_value() && state->detail == "OOMKilled";
}

}  // namespace

// Streams to the one port of the agent that serves files.
class PodAgent::PodCarrier : public Carrier {
 public:
  PodCarrier(TlsBridge& bridge, Transport& transport, int port, std::function<void()> carries)
      : bridge_(bridge), transport_(transport), port_(port), carries_(std::move(carries)) {}

  absl::Status Carry(UniqueFd connection) override {
    carries_();
    CarryTo(port_, std::move(connection));
    return absl::OkStatus();
  }

  void CarryTo(int port, UniqueFd connection) {
    auto plain = std::make_shared<UniqueFd>(std::move(connection));
    boost::asio::post(bridge_.context(), [this, port, plain] {
      // Without a way into the pod the connection is closed, and whoever made it makes another one.
      transport_.Connect(port, [this, plain](absl::StatusOr<UniqueFd> transport, Transport::Stalled stalled) {
        if (transport.ok()) return bridge_.Join(std::move(*plain), *std::move(transport), {}, std::move(stalled));
        fmt::print(stderr, "mirrorfs-tunnel: {}\n", MessageOf(transport.status()));
        plain->reset();
      });
    });
  }

 private:
  TlsBridge& bridge_;
  Transport& transport_;
  const int port_;
  const std::function<void()> carries_;
};

PodAgent::PodAgent(EventLoop& loop, const Kubectl& kubectl, PodTarget target)
    : loop_(loop), kubectl_(kubectl), target_(std::move(target)), container_(ContainerName(target_)) {}

Carrier& PodAgent::Streams() { return *carrier_; }

absl::StatusOr<std::unique_ptr<PodAgent>> PodAgent::Start(EventLoop& loop, const Kubectl& kubectl,
                                                          PodAgentOptions options) {
  std::unique_ptr<PodAgent> agent(new PodAgent(loop, kubectl, options.task.target));
  if (!options.expected_container.empty() && options.expected_container != agent->Container()) {
    return TargetHasEnded(agent->target_);
  }
  RETURN_IF_ERROR(agent->Begin(std::move(options)));
  return agent;
}

absl::Status PodAgent::Begin(PodAgentOptions options) {
  ASSIGN_OR_RETURN(const KeyAndCertificate authority, MakeAuthority("mirrorfs mount"));
  ASSIGN_OR_RETURN(const KeyAndCertificate own, MakeClientCertificate(authority, "mirrorfs client"));
  AgentPodTask& task = options.task;
  task.name = NewAgentName();
  task.client_ca = authority.certificate;
  task.token_sha256 = Sha256Hex(options.token);
  ASSIGN_OR_RETURN(pod_, AgentPod::Create(kubectl_, options.mode, options.spec, task));
  RETURN_IF_ERROR(pod_->WaitUntilStarted(options.progress, options.given_up));
  RETURN_IF_ERROR(Hear(options.own_version));
  ASSIGN_OR_RETURN(bridge_, TlsBridge::Start(own, words_.certificate()));
  ASSIGN_OR_RETURN(transport_, MakeTransport());
  carrier_ = std::make_unique<PodCarrier>(*bridge_, *transport_, words_.port(), [this] { OnStream(); });
  if (options.asks_for_facts) RETURN_IF_ERROR(FetchFacts(options.token));
  options.progress("attached", target_.said);
  return absl::OkStatus();
}

// Follows its log until it listens.
absl::Status PodAgent::Hear(const std::string& own_version) {
  ASSIGN_OR_RETURN(Conversation log, Conversation::Start(pod_->Command({"logs", "-f", "-c", pod_->container()}), {}));
  log_.emplace(std::move(log));
  while (!words_.ready()) {
    const absl::StatusOr<std::string> line = log_->ReadLine(kPatience);
    if (!line.ok()) return WhyEnded();
    words_.Hear(*line);
  }
  return words_.CheckVersion(own_version);
}

// Of an agent that did not come to listen: its own words, if there are any.
absl::Status PodAgent::WhyEnded() {
  const absl::StatusOr<PodState> state = pod_->State();
  const bool ended = state.ok() && state->exit_code.has_value();
  const ExitCode code =
      ended && *state->exit_code != 0 ? static_cast<ExitCode>(*state->exit_code) : ExitCode::kUnreachable;
  if (RanOutOfMemory(state)) return Failure(ExitCode::kUnreachable, kOutOfMemory);
  if (words_.complaint().find("exec format error") != std::string::npos) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("the agent's image is for another architecture than that of node {}{}: name one that is "
                               "for it, or for several, with --agent-image.",
                               target_.node, target_.architecture.empty() ? "" : ", " + target_.architecture));
  }
  if (!words_.complaint().empty()) {
    return Failure(code, fmt::format("the agent says: {}", Printable(words_.complaint())));
  }
  const std::string errors = log_->TakeErrors();
  if (errors.find("(Forbidden)") != std::string::npos) return ExplainKubectlText(pod_->kubectl(), "logs", errors);
  return Failure(code, fmt::format("the agent's log cannot be read, or says nothing: {}",
                                   errors.empty() ? "it has ended." : Printable(errors)));
}

absl::StatusOr<std::unique_ptr<Transport>> PodAgent::MakeTransport() {
  if (Can(pod_->kubectl(), kForwardRight)) {
    return std::make_unique<PortForwardTransport>(
        bridge_->context(), PortForwardOptions{.command = pod_->Command({"port-forward", "--address", "127.0.0.1"})});
  }
  if (!Can(pod_->kubectl(), kExecRight)) {
    return Failure(ExitCode::kNotPermitted,
                   fmt::format("the agent runs, but cannot be talked to: that takes the right to {}, or to {}, {}.",
                               ToText(kForwardRight), ToText(kExecRight), pod_->kubectl().WhereText()));
  }
  std::vector<std::string> command = pod_->Command({"exec", "-i", "-c", pod_->container()});
  command.insert(command.end(), {"--", "/mirrorfs-agent"});
  ASSIGN_OR_RETURN(std::string protocol, FindExecProtocol(command));
  command.emplace_back("relay");
  return std::make_unique<RelayTransport>(bridge_->context(), std::move(command), std::move(protocol));
}

// `agent`: argv that runs it in its pod.
absl::StatusOr<std::string> PodAgent::FindExecProtocol(std::vector<std::string> agent) const {
  agent.emplace_back("--version");
  std::string errors;
  for (const char* protocol : {kOverSpdy, kOverWebSocket}) {
    ASSIGN_OR_RETURN(
        const CapturedEnd end,
        RunCaptured(
            {.program = agent.front(), .command = agent, .variables = {protocol}, .input = {}, .limit = kCheckLimit}));
    if (end.Succeeded()) return protocol;
    errors = end.errors;
    if (!MayBarSpdy(errors)) break;
  }
  return ExplainExec(pod_->kubectl(), "exec of the agent", errors);
}

absl::Status PodAgent::FetchFacts(const std::string& token) {
  std::array<int, 2> ends;
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) return LastErrno("socketpair");
  const UniqueFd ours(ends[0]);
  carrier_->CarryTo(words_.facts_port(), UniqueFd(ends[1]));
  const timeval limit = absl::ToTimeval(kFactsPatience);
  ::setsockopt(ours.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::send(ours.get(), token.data(), token.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(token.size())) {
    return LastErrno("the token");
  }
  ASSIGN_OR_RETURN(const std::string head, ReceiveExactly(ours.get(), sizeof(uint64_t)));
  uint64_t size = 0;
  std::memcpy(&size, head.data(), sizeof size);
  size = be64toh(size);
  if (size > kMostFacts)
    return Failure(ExitCode::kUnreachable, "the agent tells more of the process than there can be.");
  ASSIGN_OR_RETURN(facts_, ReceiveExactly(ours.get(), size));
  return absl::OkStatus();
}

void PodAgent::Watch(std::function<void()> lost) {
  lost_ = std::move(lost);
  looked_ = absl::Now();
  loop_.Watch(log_->stream(), POLLIN, [this] { OnLog(); });
}

void PodAgent::OnLog() {
  while (true) {
    const absl::StatusOr<std::string> line = log_->ReadLine(absl::ZeroDuration());
    if (absl::IsDeadlineExceeded(line.status())) break;
    if (!line.ok()) return OnLogEnded();
    words_.Hear(*line);
    if (!words_.complaint().empty()) fmt::print(stderr, "mirrorfs-agent: {}\n", Printable(*line));
  }
  if (words_.target_gone()) BeLost();
}

// The log ends with the agent, but also when the way to it breaks: an API server that starts anew ends no agent.
void PodAgent::OnLogEnded() {
  loop_.Unwatch(log_->stream());
  const absl::StatusOr<PodState> state = pod_->State(kStateLimit);
  const bool gone = ExitCodeOf(state.status()) == ExitCode::kNoTarget;
  if (RanOutOfMemory(state)) fmt::print(stderr, "mirrorfs-tunnel: {}\n", kOutOfMemory);
  if (gone || (state.ok() && state->step != PodStep::kStarted) || TargetIsGone()) return BeLost();
  timer_ = loop_.After(kFollowAgain, [this] { FollowAgain(); });
}

// New streams may come after others that have broken, as when the node is gone: its agent's log then just stands still.
void PodAgent::OnStream() {
  if (!lost_ || absl::Now() - looked_ < kLookInterval) return;
  looked_ = absl::Now();
  look_timer_ = loop_.After(kLookDelay, [this] {
    if (TargetIsGone()) BeLost();
  });
}

bool PodAgent::TargetIsGone() const {
  if (target_.pod.empty()) return false;
  return ExitCodeOf(CheckTarget(kubectl_, target_, kStateLimit)) == ExitCode::kNoTarget;
}

void PodAgent::FollowAgain() {
  absl::StatusOr<Conversation> log = Conversation::Start(
      pod_->Command({"logs", "-f", "--since", fmt::format("{}s", 2 * absl::ToInt64Seconds(kFollowAgain)), "-c",
                     pod_->container()}),
      {});
  if (!log.ok()) {
    timer_ = loop_.After(kFollowAgain, [this] { FollowAgain(); });
    return;
  }
  log_.emplace(*std::move(log));
  loop_.Watch(log_->stream(), POLLIN, [this] { OnLog(); });
}

void PodAgent::BeLost() {
  loop_.Unwatch(log_->stream());
  if (lost_) std::exchange(lost_, nullptr)();
}

absl::Status PodAgent::CheckContainer() const {
  if (target_.pod.empty()) return absl::OkStatus();  // a node is looked for by whoever starts the next agent
  return words_.target_gone() ? TargetHasEnded(target_) : CheckTarget(kubectl_, target_, kCheckLimit);
}

PodAgent::~PodAgent() {
  loop_.Cancel(timer_);
  loop_.Cancel(look_timer_);
  if (log_) loop_.Unwatch(log_->stream());
  if (bridge_) bridge_->Stop();
}

}  // namespace mirrorfs
