#include "launcher/commands/agent_command.h"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_list.h"
#include "launcher/agentmodes/settle_target.h"
#include "launcher/commands/agent_install.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/commands/table.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/cluster_lookup.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/plan/cluster_options.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/nearest.h"
#include "launcher/plan/service_arguments.h"
#include "launcher/system/exec_words.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

struct AgentCommandWords {
  std::string agent;   // its name
  MountArguments how;  // of manifest: what it would be an agent for
  ClusterFlags cluster;
  std::string output;
  bool devices = false;
  bool all_namespaces = false;
  bool all = false;
  bool follow = false;
  bool help = false;
};

enum class Parts : uint8_t { kManifest, kList, kLogs, kClean };

absl::Status Parse(Parts part, std::string_view name, absl::Span<const std::string> words,
                   AgentCommandWords& arguments) {
  po::options_description options;
  const bool manifest = part == Parts::kManifest;
  AddClusterOptions(options, manifest ? arguments.how.cluster : arguments.cluster);
  if (manifest) AddTargetFlags(options, arguments.how);
  auto add = options.add_options();
  add("subject", po::value(manifest ? &arguments.how.target : &arguments.agent));
  if (manifest) {
    add("rw,w", po::bool_switch(&arguments.how.read_write));
    add("devices", po::bool_switch(&arguments.devices));
  }
  if (part == Parts::kList) add("output,o", po::value(&arguments.output));
  if (!manifest) add("all-namespaces,A", po::bool_switch(&arguments.all_namespaces));
  if (part == Parts::kClean) add("all", po::bool_switch(&arguments.all));
  add("help,h", po::bool_switch(&arguments.help));
  if (part == Parts::kLogs) add("follow,f", po::bool_switch(&arguments.follow));
  po::positional_options_description positional;
  positional.add("subject", 1);
  return ParseCommandLine(fmt::format("agent {}", name), words, options, positional);
}

absl::StatusOr<Kubectl> KubectlOf(const AgentCommandWords& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(ClusterAccess access, AccessOf(arguments.cluster, invoker.working_directory));
  RETURN_IF_ERROR(SettleAccess(access));
  return Kubectl(std::move(access));
}

absl::Status PrintManifest(const AgentCommandWords& arguments, const Invoker& invoker) {
  if (arguments.how.target.empty()) return Failure(ExitCode::kUsage, "agent manifest: the target is missing.");
  ASSIGN_OR_RETURN(const MountArguments how, WithSettings(arguments.how, CurrentEnvironment(), invoker));
  ASSIGN_OR_RETURN(MountPlan plan, MakeServicePlan(how, invoker));
  plan.read_write = arguments.how.read_write;
  plan.devices = arguments.devices;
  ASSIGN_OR_RETURN(const std::string manifest, ManifestFor(std::move(plan)));
  fmt::print("{}\n", manifest);
  return absl::OkStatus();
}

std::string OrDash(const std::string& text) { return text.empty() ? "-" : text; }

nlohmann::json AsJson(const ListedAgent& agent) {
  return {{"namespace", agent.name_space},
          {"name", agent.name},
          {"mode", agent.mode},
          {"pod", agent.pod},
          {"node", agent.node},
          {"target", agent.target},
          {"state", agent.state},
          {"created", agent.created}};
}

absl::Status PrintAgents(const AgentCommandWords& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kPlainAndJson));
  ASSIGN_OR_RETURN(const Kubectl kubectl, KubectlOf(arguments, invoker));
  ASSIGN_OR_RETURN(const std::vector<ListedAgent> agents, ListAgents(kubectl, arguments.all_namespaces));
  if (format == OutputFormat::kJson) {
    nlohmann::json list = nlohmann::json::array();
    for (const ListedAgent& agent : agents) list.push_back(AsJson(agent));
    fmt::print("{}\n", list.dump(2));
    return absl::OkStatus();
  }
  std::vector<Words> rows = {{"NAMESPACE", "NAME", "MODE", "STATE", "NODE", "TARGET"}};
  for (const ListedAgent& agent : agents) {
    rows.push_back({agent.name_space, agent.name, agent.mode, agent.state, OrDash(agent.node), OrDash(agent.target)});
  }
  fmt::print("{}", FormatTable(rows));
  return absl::OkStatus();
}

absl::StatusOr<ListedAgent> FindAgentNamed(const Kubectl& kubectl, const AgentCommandWords& arguments) {
  ASSIGN_OR_RETURN(const std::vector<ListedAgent> agents, ListAgents(kubectl, arguments.all_namespaces));
  Words names;
  for (const ListedAgent& agent : agents) {
    if (agent.name == arguments.agent) return agent;
    names.push_back(agent.name);
  }
  return Failure(ExitCode::kNoTarget, fmt::format("there is no agent {}{} 'mirrorfs agent ls' shows them.",
                                                  arguments.agent, DidYouMean(arguments.agent, names)));
}

absl::Status PrintLogs(const AgentCommandWords& arguments, const Invoker& invoker) {
  if (arguments.agent.empty()) return Failure(ExitCode::kUsage, "agent logs: the agent's name is missing.");
  ASSIGN_OR_RETURN(const Kubectl kubectl, KubectlOf(arguments, invoker));
  ASSIGN_OR_RETURN(const ListedAgent agent, FindAgentNamed(kubectl, arguments));
  if (agent.pod.empty()) return Failure(ExitCode::kNoTarget, fmt::format("{} has no pod.", agent.name));
  const Kubectl there = kubectl.In(agent.name_space);
  if (!arguments.follow) {
    ASSIGN_OR_RETURN(const std::string text, there.Run(Words{"logs", agent.pod, "-c", agent.container}));
    fmt::print("{}", text);
    return absl::OkStatus();
  }
  const Words command = there.Command(Words{"logs", "-f", agent.pod, "-c", agent.container});
  ::execv(command.front().c_str(), ExecPointers(command).data());
  return LastErrno(command.front());
}

// Agents that somebody uses are left alone: they cannot be told from strays, but strays end by themselves.
absl::Status Clean(const AgentCommandWords& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const Kubectl kubectl, KubectlOf(arguments, invoker));
  ASSIGN_OR_RETURN(const std::vector<ListedAgent> agents, ListAgents(kubectl, arguments.all_namespaces));
  size_t running = 0;
  size_t removed = 0;
  for (const ListedAgent& agent : agents) {
    if (agent.mode != "job") continue;
    if (!arguments.all && !agent.Ended()) {
      ++running;
      continue;
    }
    RETURN_IF_ERROR(DeleteAgent(kubectl, agent));
    fmt::print("removed {}/{}\n", agent.name_space, agent.name);
    ++removed;
  }
  if (removed == 0) fmt::print("nothing to remove\n");
  if (running > 0) {
    fmt::print("{} may be in use, and {} by itself if not; --all removes what is in use, too\n",
               running == 1 ? "1 agent" : fmt::format("{} agents", running), running == 1 ? "ends" : "end");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status RunAgent(absl::Span<const std::string> words, const Invoker& invoker) {
  const std::string name = words.empty() ? "" : words.front();
  const auto run = [&](Parts part, absl::Status (*what)(const AgentCommandWords&, const Invoker&)) {
    AgentCommandWords arguments;
    RETURN_IF_ERROR(Parse(part, name, words.subspan(1), arguments));
    return arguments.help ? PrintHelp("agent") : what(arguments, invoker);
  };
  if (name == "-h" || name == "--help") return PrintHelp("agent");
  if (name == "manifest") return run(Parts::kManifest, PrintManifest);
  if (name == "ls") return run(Parts::kList, PrintAgents);
  if (name == "logs") return run(Parts::kLogs, PrintLogs);
  if (name == "clean") return run(Parts::kClean, Clean);
  if (name == "install") return RunAgentInstall(words.subspan(1), invoker);
  if (name == "uninstall") return RunAgentUninstall(words.subspan(1), invoker);
  constexpr std::string_view kChoices = "manifest, install, uninstall, ls, logs or clean";
  if (name.empty()) return Failure(ExitCode::kUsage, fmt::format("agent: what of it? Write {}.", kChoices));
  const std::array<std::string, 6> known = {"manifest", "install", "uninstall", "ls", "logs", "clean"};
  return Failure(ExitCode::kUsage, fmt::format("agent {}: write {}{}", name, kChoices, DidYouMean(name, known)));
}

}  // namespace mirrorfs
