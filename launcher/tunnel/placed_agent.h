// An agent that is put into the container itself, by somebody who may run programs there and nothing else.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_PLACED_AGENT_H_
#define MIRRORFS_LAUNCHER_TUNNEL_PLACED_AGENT_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/keeper/event_loop.h"
#include "launcher/tunnel/container_runner.h"
#include "launcher/tunnel/conversation.h"
#include "launcher/tunnel/exec_carrier.h"
#include "launcher/tunnel/placement_script.h"
#include "launcher/tunnel/remote_agent.h"

namespace mirrorfs {

struct PlacementOptions {
  std::string target;      // for messages
  std::string agent_path;  // the binary for this machine's architecture; PATH-MACHINE is the one for another
  // What the agent is to be besides who and where: "--rw", how long it stays should it not hear that its stdin has
  // ended, and the like.
  std::vector<std::string> agent_arguments;
  bool asks_for_facts = false;
  // What RemoteAgent::Container must be; empty: whatever there is.
  std::string expected_container;
  // Likewise: what it must not be, as that one has ended; empty: it may be any.
  std::string left_container;
  // How far it has come: "placed" (into a directory), "started", "attached".
  std::function<void(std::string_view step, std::string_view detail)> progress = [](std::string_view,
                                                                                    std::string_view) {};
};

class PlacedAgent : public RemoteAgent {
 public:
  // Returns when it listens. What it says later goes to this process's stderr. Fails with a message for a person:
  // kNoTarget also if the container is not the expected one.
  static absl::StatusOr<std::unique_ptr<PlacedAgent>> Start(EventLoop& loop, std::unique_ptr<ContainerRunner> runner,
                                                            const PlacementOptions& options);
  // Whether one could be put there: runs the script that finds a place, and gives its directory in the container.
  // Nothing stays of it. Fails as Start does.
  static absl::StatusOr<std::string> TryPlace(std::unique_ptr<ContainerRunner> runner, const PlacementOptions& options);
  ~PlacedAgent() override;  // it removes what was put into the container, and ends

  const std::string& Container() const override { return container_; }
  const std::string& Facts() const override { return facts_; }
  Carrier& Streams() override { return *carrier_; }
  void Watch(std::function<void()> lost) override;
  absl::Status CheckContainer() const override;

 private:
  PlacedAgent(EventLoop& loop, std::unique_ptr<ContainerRunner> runner, std::string found)
      : loop_(loop), runner_(std::move(runner)), found_(std::move(found)) {}

  static absl::StatusOr<std::unique_ptr<PlacedAgent>> Find(EventLoop& loop, std::unique_ptr<ContainerRunner> runner,
                                                           const PlacementOptions& options);
  absl::Status Begin(const PlacementOptions& options);
  absl::StatusOr<std::string> StartScript(const PlacementOptions& options);
  absl::StatusOr<Place> FindPlace(const PlacementOptions& options);
  absl::StatusOr<std::string> Copy(const PlacementOptions& options);
  absl::Status Hear(const PlacementOptions& options);
  absl::Status Explain(const absl::Status& why, const PlacementOptions& options);
  absl::Status ExplainEnd(int wait_status, const std::string& said, const PlacementOptions& options);
  void OnErrors();
  void OnLost();

  EventLoop& loop_;
  std::unique_ptr<ContainerRunner> runner_;
  const std::string found_;  // as the runner names it
  std::string container_;    // with what the container itself has told
  std::string facts_;
  std::optional<Conversation> agent_;
  std::unique_ptr<ExecCarrier> carrier_;
  std::function<void()> lost_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_PLACED_AGENT_H_
