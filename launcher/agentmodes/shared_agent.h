// An agent that the cluster's administrator has installed on the target's node for everybody (charts/mirrorfs-agent).
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_SHARED_AGENT_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_SHARED_AGENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/agentmodes/shared_install.h"
#include "launcher/agentmodes/ticket_keeper.h"
#include "launcher/agentmodes/tls_bridge.h"
#include "launcher/agentmodes/transport.h"
#include "launcher/keeper/event_loop.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/tunnel/remote_agent.h"
#include "protos/preface/preface.h"

namespace mirrorfs {

struct SharedAgentOptions {
  AgentPodTask task;       // its target, and whether files are to be changed
  std::string name_space;  // of the shared agents; empty: the usual one
  bool asks_for_facts = false;
  std::string expected_container;  // what Container() must be; empty: whatever there is
};

class SharedAgent : public RemoteAgent {
 public:
  // Finds the node's agent and proves to it who the user is: the token leaves this machine only to who has the key to
  // the certificate that the chart has published. Fails with a message for a person.
  static absl::StatusOr<std::unique_ptr<SharedAgent>> Start(EventLoop& loop, const Kubectl& kubectl,
                                                            SharedAgentOptions options);
  ~SharedAgent() override;

  const std::string& Container() const override { return container_; }
  const std::string& Facts() const override { return facts_; }
  Carrier& Streams() override;
  void Watch(std::function<void()> lost) override;
  absl::Status CheckContainer() const override;

 private:
  class TicketCarrier;
  struct Entered {
    UniqueFd stream;  // of the kind that watches
    Ticket ticket;
    std::string facts;
  };

  SharedAgent(EventLoop& loop, const Kubectl& kubectl, PodTarget target, bool read_write);

  absl::Status Begin(const SharedAgentOptions& options);
  absl::StatusOr<Entered> Enter(bool asks_for_facts) const;
  absl::StatusOr<Entered> Explain(absl::StatusOr<Entered> entered) const;
  void CarryWith(UniqueFd connection, TlsBridge::Preface preface) const;
  void OnWatch();
  void SayAlive();
  void BeLost();

  EventLoop& loop_;
  const Kubectl kubectl_;
  const PodTarget target_;
  const bool read_write_;
  const std::string container_;
  SharedInstall install_;
  std::unique_ptr<TlsBridge> bridge_;  // outlives what runs in its thread
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<TicketKeeper> tickets_;
  std::unique_ptr<TicketCarrier> carrier_;
  UniqueFd watch_;
  std::string heard_;
  int unanswered_ = 0;
  bool target_gone_ = false;
  EventLoop::TimerId timer_ = EventLoop::TimerId::kNone;
  std::string facts_;
  std::function<void()> lost_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_SHARED_AGENT_H_
