#include "launcher/commands/agent_install.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_image.h"
#include "launcher/agentmodes/shared_install.h"
#include "launcher/commands/help.h"
#include "launcher/failure.h"
#include "launcher/plan/cluster_options.h"
#include "launcher/plan/cluster_target.h"
#include "launcher/plan/command_line.h"
#include "launcher/system/exec_words.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;
using Words = std::vector<std::string>;

struct InstallWords {
  ClusterFlags cluster;
  std::string name_space;
  std::string chart;
  std::string image;
  bool help = false;
};

// Where `make install` puts it; and beside a build in the source tree.
std::string FindChart(const Invoker& invoker) {
  for (const char* place : {"/../share/mirrorfs/charts/mirrorfs-agent", "/../../../charts/mirrorfs-agent"}) {
    const std::string chart = invoker.executable_directory + place;
    if (::access((chart + "/Chart.yaml").c_str(), R_OK) == 0) {
      return std::filesystem::path(chart).lexically_normal().string();
    }
  }
  return {};
}

absl::StatusOr<std::string> FindHelm() {
  std::string helm = SearchPath("helm");
  if (!helm.empty()) return helm;
  return Failure(
      ExitCode::kUnreachable,
      "there is no helm in $PATH; the shared agents are a chart. Install it (https://helm.sh/docs/intro/install), "
      "or have somebody who has it install the chart in share/mirrorfs/charts/mirrorfs-agent.");
}

std::string ImageFor(const InstallWords& words, const Invoker& invoker) {
  if (!words.image.empty()) return words.image;
  const char* variable = std::getenv("MIRRORFS_AGENT_IMAGE");
  if (variable != nullptr && *variable != '\0') return variable;
  return PublishedAgentImage(invoker.executable_directory).value_or("");
}

absl::StatusOr<InstallWords> Parse(std::string_view name, absl::Span<const std::string> words) {
  InstallWords given;
  po::options_description options;
  AddAccessOptions(options, given.cluster);
  auto add = options.add_options();
  add("namespace,n", po::value(&given.name_space));
  add("agent-namespace", po::value(&given.name_space));
  if (name == "install") {
    add("chart", po::value(&given.chart));
    add("agent-image", po::value(&given.image));
  }
  add("help,h", po::bool_switch(&given.help));
  RETURN_IF_ERROR(ParseCommandLine(fmt::format("agent {}", name), words, options, {}));
  return given;
}

absl::StatusOr<AgentInstallation> Settle(const InstallWords& given, Words more, const Invoker& invoker) {
  AgentInstallation installation;
  ASSIGN_OR_RETURN(installation.helm, FindHelm());
  ASSIGN_OR_RETURN(installation.access, AccessOf(given.cluster, invoker.working_directory));
  installation.access.name_space = given.name_space;
  installation.chart = given.chart.empty() ? FindChart(invoker) : given.chart;
  installation.image = ImageFor(given, invoker);
  installation.more_words = std::move(more);
  return installation;
}

// Of the words after a lone --.
Words TakeHelmWords(absl::Span<const std::string>& words) {
  const auto mark = std::find(words.begin(), words.end(), "--");
  if (mark == words.end()) return {};
  Words more(mark + 1, words.end());
  words = words.subspan(0, static_cast<size_t>(mark - words.begin()));
  return more;
}

absl::Status Become(const Words& command) {
  ::execv(command.front().c_str(), ExecPointers(command).data());
  return LastErrno(command.front());
}

Words HelmCommand(const AgentInstallation& installation, const Words& words) {
  const ClusterAccess& access = installation.access;
  Words command = {installation.helm};
  command.insert(command.end(), words.begin(), words.end());
  const std::string& name_space = access.name_space;
  command.insert(command.end(), {"--namespace", name_space.empty() ? kSharedNamespace : name_space});
  const auto add = [&command](const char* flag, const std::string& value) {
    if (!value.empty()) command.insert(command.end(), {flag, value});
  };
  add("--kubeconfig", access.kubeconfig);
  add("--kube-context", access.context);
  add("--kube-as-user", access.impersonate);
  for (const std::string& group : access.impersonate_groups) add("--kube-as-group", group);
  return command;
}

void AddImage(Words& command, const std::string& image) {
  const size_t digest = image.find('@');
  const size_t tag = image.find(':', image.rfind('/') == image.npos ? 0 : image.rfind('/'));
  command.insert(command.end(), {"--set-string", "image.repository=" + image.substr(0, std::min(digest, tag))});
  if (digest != image.npos) {
    command.insert(command.end(), {"--set-string", "image.digest=" + image.substr(digest + 1)});
  } else if (tag != image.npos) {
    command.insert(command.end(), {"--set-string", "image.tag=" + image.substr(tag + 1)});
  }
}

}  // namespace

Words HelmInstallCommand(const AgentInstallation& installation) {
  Words command = HelmCommand(installation, {"upgrade", "--install", kSharedName, installation.chart});
  command.insert(command.end(), {"--create-namespace", "--wait", "--timeout", "3m"});
  if (!installation.image.empty()) AddImage(command, installation.image);
  command.insert(command.end(), installation.more_words.begin(), installation.more_words.end());
  return command;
}

Words HelmUninstallCommand(const AgentInstallation& installation) {
  Words command = HelmCommand(installation, {"uninstall", kSharedName});
  command.emplace_back("--wait");
  command.insert(command.end(), installation.more_words.begin(), installation.more_words.end());
  return command;
}

absl::Status RunAgentInstall(absl::Span<const std::string> words, const Invoker& invoker) {
  Words more = TakeHelmWords(words);
  ASSIGN_OR_RETURN(const InstallWords given, Parse("install", words));
  if (given.help) return PrintHelp("agent");
  ASSIGN_OR_RETURN(const AgentInstallation installation, Settle(given, std::move(more), invoker));
  if (!installation.chart.empty()) return Become(HelmInstallCommand(installation));
  return Failure(ExitCode::kUsage,
                 "agent install: the chart is not where this mirrorfs was installed: name it with --chart.");
}

absl::Status RunAgentUninstall(absl::Span<const std::string> words, const Invoker& invoker) {
  Words more = TakeHelmWords(words);
  ASSIGN_OR_RETURN(const InstallWords given, Parse("uninstall", words));
  if (given.help) return PrintHelp("agent");
  ASSIGN_OR_RETURN(const AgentInstallation installation, Settle(given, std::move(more), invoker));
  return Become(HelmUninstallCommand(installation));
}

}  // namespace mirrorfs
