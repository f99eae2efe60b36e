// An agent in a pod of its own on the target's node, or beside the target in its pod.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_POD_AGENT_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_POD_AGENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "launcher/agentmodes/agent_pod.h"
#include "launcher/agentmodes/agent_words.h"
#include "launcher/agentmodes/tls_bridge.h"
#include "launcher/agentmodes/transport.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/tunnel/conversation.h"
#include "launcher/tunnel/remote_agent.h"
#include "protos/certificates/certificates.h"

namespace mirrorfs {

struct PodAgentOptions {
  AgentMode mode = AgentMode::kJob;  // kJob or kEphemeral
  AgentPodSpec spec;
  AgentPodTask task;  // name, authority and hash are filled in here
  std::string token;  // what the daemon shows; see MakeToken
  std::string own_version;
  bool asks_for_facts = false;
  std::string expected_container;                         // what Container() must be; empty: whatever there is
  std::function<bool()> given_up = [] { return false; };  // asked while it starts
  PodProgress progress;
};

class PodAgent : public RemoteAgent {
 public:
  // Makes the pod, waits until the agent in it listens, and makes sure that it is the one that was started: it has the
  // key to the certificate that the cluster says is in its log. Fails with a message for a person.
  static absl::StatusOr<std::unique_ptr<PodAgent>> Start(EventLoop& loop, const Kubectl& kubectl,
                                                         PodAgentOptions options);
  ~PodAgent() override;

  const std::string& Container() const override { return container_; }
  const std::string& Facts() const override { return facts_; }
  std::string Pod() const override { return pod_->Place(); }
  Carrier& Streams() override;
  void Watch(std::function<void()> lost) override;
  absl::Status CheckContainer() const override;

 private:
  class PodCarrier;

  PodAgent(EventLoop& loop, const Kubectl& kubectl, PodTarget target);

  absl::Status Begin(PodAgentOptions options);
  absl::Status Hear(const std::string& own_version);
  absl::Status WhyEnded();
  absl::StatusOr<std::unique_ptr<Transport>> MakeTransport();
  absl::StatusOr<std::string> FindExecProtocol(std::vector<std::string> agent) const;
  absl::Status FetchFacts(const std::string& token);
  void OnLog();
  void OnLogEnded();
  void FollowAgain();
  void OnStream();
  bool TargetIsGone() const;
  void BeLost();

  EventLoop& loop_;
  const Kubectl kubectl_;
  const PodTarget target_;
  const std::string container_;
  std::unique_ptr<AgentPod> pod_;
  std::optional<Conversation> log_;
  EventLoop::TimerId timer_ = EventLoop::TimerId::kNone;
  EventLoop::TimerId look_timer_ = EventLoop::TimerId::kNone;
  absl::Time looked_;
  AgentWords words_;
  std::unique_ptr<TlsBridge> bridge_;  // outlives what runs in its thread
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<PodCarrier> carrier_;
  std::string facts_;
  std::function<void()> lost_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_POD_AGENT_H_
