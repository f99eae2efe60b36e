#include "launcher/plan/child_commands.h"

#include <cmath>

#include "absl/strings/str_join.h"
#include "fmt/format.h"

namespace mirrorfs {
namespace {

// What lies between the daemon and an agent elsewhere may come to a standstill without a word.
constexpr char kSilenceLimit[] = "2s";

void AddIfGiven(std::vector<std::string>& command, const char* option, const std::string& value) {
  if (value.empty()) return;
  command.emplace_back(option);
  command.push_back(value);
}

}  // namespace

std::vector<std::string> AgentCommand(const MountPlan& plan, const std::string& socket, int ready_fd, int facts_fd) {
  std::vector<std::string> command = {"mirrorfs-agent", "--target", plan.target, "--listen", "unix:" + socket};
  const std::vector<std::string> mode = AgentModeArguments(plan);
  command.insert(command.end(), mode.begin(), mode.end());
  command.insert(command.end(), {"--identities", AgentIdentities(plan)});
  AddIfGiven(command, "--runtime-socket", plan.runtime_socket);
  command.insert(command.end(), {"--ready-fd", std::to_string(ready_fd)});
  if (facts_fd >= 0) command.insert(command.end(), {"--process-facts-fd", std::to_string(facts_fd)});
  command.insert(command.end(), {"--ttl", fmt::format("{}s", kAgentIdleSeconds)});
  return command;
}

std::vector<std::string> AgentModeArguments(const MountPlan& plan) {
  std::vector<std::string> arguments;
  if (plan.read_write) arguments.emplace_back("--rw");
  if (plan.devices && plan.read_write) arguments.emplace_back("--devices");
  if (plan.verbose) arguments.emplace_back("-v");
  return arguments;
}

std::string AgentIdentities(const MountPlan& plan) {
  return plan.identity == "container" || plan.identity == "caller" ? plan.identity : "fixed";
}

std::string TunnelTokenFile(const std::string& socket) { return socket + ".token"; }

std::vector<std::string> TunnelCommand(const MountPlan& plan, const std::string& socket,
                                       const TunnelDescriptors& descriptors, const TunnelContainers& containers) {
  std::vector<std::string> command = {kTunnelName, "--target", plan.target, "--listen", socket};
  command.insert(command.end(), {"--ready-fd", std::to_string(descriptors.ready_fd)});
  command.insert(command.end(), {"--plan-fd", std::to_string(descriptors.plan_fd)});
  if (descriptors.facts_fd >= 0) {
    command.insert(command.end(), {"--process-facts-fd", std::to_string(descriptors.facts_fd)});
  }
  AddIfGiven(command, "--expect-container", containers.expected);
  AddIfGiven(command, "--left-container", containers.left);
  return command;
}

std::vector<std::string> EndedAgentCommand(const MountPlan& plan, const std::string& socket) {
  return {"mirrorfs-agent", "--target", "ended:" + plan.target, "--listen", "unix:" + socket, "--exit-with-parent"};
}

std::vector<std::string> DaemonCommand(const MountPlan& plan, const std::string& endpoint, int control_fd) {
  std::vector<std::string> command = {"mirrorfsd", "--endpoint", endpoint,     "--mountpoint", plan.mountpoint,
                                      "--source",  plan.target,  "--identity", plan.identity};
  if (plan.read_write) command.emplace_back("--rw");
  if (plan.devices) command.emplace_back("--devices");
  if (IsRemote(plan.agent_mode)) command.insert(command.end(), {"--silence-limit", kSilenceLimit});
  if (plan.Follows()) command.emplace_back("--follow");
  if (plan.verbose) command.emplace_back("-v");
  command.insert(command.end(), {"--deadline", fmt::format("{}ms", std::llround(plan.deadline_seconds * 1000))});
  AddIfGiven(command, "--tls-ca", plan.tls_ca);
  AddIfGiven(command, "--tls-cert", plan.tls_certificate);
  AddIfGiven(command, "--tls-key", plan.tls_key);
  constexpr std::string_view kSocket = "unix:";
  AddIfGiven(command, "--token-file",
             HasPod(plan.agent_mode) ? TunnelTokenFile(endpoint.substr(kSocket.size())) : plan.token_file);
  AddIfGiven(command, "--policy", plan.policy_file);
  AddIfGiven(command, "--layer", plan.layer_directory);
  AddIfGiven(command, "-o", absl::StrJoin(plan.mount_options, ","));
  command.insert(command.end(), {"--control-fd", std::to_string(control_fd)});
  return command;
}

}  // namespace mirrorfs
