#include "launcher/plan/mount_plan.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "fmt/format.h"
#include "launcher/agentmodes/agent_image.h"
#include "launcher/agentmodes/agent_pod_settings.h"
#include "launcher/failure.h"
#include "launcher/plan/duration.h"
#include "launcher/plan/mount_options.h"
#include "launcher/plan/target_spec.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A busy machine needs some time for any call; beyond the longest one --hard says what is meant.
constexpr absl::Duration kShortestDeadline = absl::Milliseconds(100);
constexpr absl::Duration kLongestDeadline = absl::Hours(240);

bool IsId(std::string_view text) {
  uint32_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() && id != UINT32_MAX;
}

absl::StatusOr<std::string> ChooseIdentity(const MountArguments& arguments, const TargetSpec& target, AgentMode mode,
                                           const Invoker& invoker) {
  const bool on_host = mode == AgentMode::kHost || mode == AgentMode::kHostOrExec;
  if (!arguments.identity) return std::string(invoker.IsRoot() && on_host ? "caller" : "container");
  const std::string& word = *arguments.identity;
  RETURN_IF_ERROR(CheckIdentityWord("--as", word));
  RETURN_IF_ERROR(CheckIdentityOf(mode, word));
  if (word == "caller" && !invoker.IsRoot() && on_host && target.NeedsAgent()) {
    return Failure(ExitCode::kNotPermitted,
                   "--as caller: the agent must be root to act for each calling user. Use --as container, the "
                   "default, or run it with sudo.");
  }
  return word;
}

absl::StatusOr<AgentPodSpec> ChooseAgentPod(const MountArguments& arguments, const TargetSpec& target,
                                            const Invoker& invoker) {
  AgentPodSpec spec;
  if (target.kind != TargetKind::kCluster) {
    if (arguments.agent_pod.empty()) return spec;
    return Failure(ExitCode::kUsage,
                   fmt::format("--agent-{} goes with targets in a cluster only, such as pod/NAME; the target is {}.",
                               arguments.agent_pod.begin()->first, target.text));
  }
  RETURN_IF_ERROR(ApplyAgentPodWords(arguments.agent_pod, "--agent-", spec));
  spec.runtime_socket = arguments.runtime_socket;
  if (spec.image.empty()) spec.image = PublishedAgentImage(invoker.executable_directory).value_or("");
  spec.image_is_named = !spec.image.empty();
  if (!spec.image_is_named) spec.image = LoadedAgentImage();
  return spec;
}

absl::StatusOr<bool> ChooseReadWrite(const MountArguments& arguments, const MountOptionList& list) {
  const bool wants_write = arguments.read_write || list.read_write.value_or(false);
  const bool wants_read_only = arguments.read_only || !list.read_write.value_or(true);
  if (wants_write && wants_read_only) {
    return Failure(ExitCode::kUsage, "--rw and read-only are both asked for; say one of them.");
  }
  return wants_write;
}

absl::Status ChooseLayerUse(const MountArguments& arguments, MountPlan& plan) {
  if (arguments.layer && !arguments.private_layer) {
    return Failure(ExitCode::kUsage, "--layer goes with --cow: it names the private layer that takes the changes.");
  }
  if (arguments.layer && arguments.layer->empty()) return Failure(ExitCode::kUsage, "--layer: the name is empty.");
  if (arguments.private_layer && plan.read_write) {
    return Failure(ExitCode::kUsage,
                   "--cow and --rw are both asked for: changes go to a private layer or to the container; say one.");
  }
  if (arguments.private_layer && arguments.read_only) {
    return Failure(ExitCode::kUsage, "--cow and --read-only are both asked for; say one of them.");
  }
  plan.private_layer = arguments.private_layer;
  plan.layer_name = arguments.layer.value_or("");
  return absl::OkStatus();
}

absl::StatusOr<absl::Duration> Deadline(std::string_view name, std::string_view word) {
  ASSIGN_OR_RETURN(const absl::Duration deadline, ParseDuration(name, word));
  if (deadline == absl::ZeroDuration() || (deadline >= kShortestDeadline && deadline <= kLongestDeadline)) {
    return deadline;
  }
  return Failure(ExitCode::kUsage,
                 fmt::format("{} {}: at least 100ms and at most 240h; --hard waits for ever.", name, word));
}

absl::StatusOr<double> ChooseDeadline(const MountArguments& arguments) {
  if (arguments.hard && arguments.deadline) {
    return Failure(ExitCode::kUsage, "--hard waits for ever: it cannot go with --deadline.");
  }
  if (arguments.hard) return 0.0;
  if (!arguments.deadline) return 10.0;
  ASSIGN_OR_RETURN(const absl::Duration deadline, Deadline("--deadline", *arguments.deadline));
  return absl::ToDoubleSeconds(deadline);
}

absl::Status CheckSharing(const MountOptionList& list, std::string_view identity, const Invoker& invoker) {
  if (list.allow_other && identity != "caller" && !list.default_permissions) {
    return Failure(ExitCode::kUsage,
                   fmt::format("-o allow_other with --as {}: every user would have the rights of that one identity. "
                               "Add default_permissions to let the kernel check owners and modes, or use --as caller.",
                               identity));
  }
  const bool special = list.suid.value_or(false) || list.dev.value_or(false);
  if (special && !invoker.IsRoot()) {
    return Failure(ExitCode::kNotPermitted, "-o suid and -o dev are for root only.");
  }
  return absl::OkStatus();
}

absl::Status CheckTls(const MountPlan& plan, const TargetSpec& target) {
  const bool some = !plan.tls_ca.empty() || !plan.tls_certificate.empty() || !plan.tls_key.empty();
  const bool all = !plan.tls_ca.empty() && !plan.tls_certificate.empty() && !plan.tls_key.empty();
  if (some && target.kind != TargetKind::kGrpc) {
    return Failure(ExitCode::kUsage, "--tls-ca, --tls-cert and --tls-key go with grpc:// targets only.");
  }
  if (some && !all) {
    return Failure(ExitCode::kUsage, "--tls-ca, --tls-cert and --tls-key go together: both ends prove who they are.");
  }
  if (!plan.token_file.empty() && target.NeedsAgent()) {
    return Failure(ExitCode::kUsage, "--token-file goes with grpc:// and unix: targets only.");
  }
  return absl::OkStatus();
}

absl::StatusOr<ProgressForm> ChooseProgress(const std::string& word) {
  if (word.empty() || word == "auto") return ProgressForm::kTerminal;
  if (word == "json") return ProgressForm::kJson;
  return Failure(ExitCode::kUsage, fmt::format("--progress {}: write auto or json.", word));
}

std::vector<std::string> DaemonMountOptions(const MountOptionList& list, std::string_view identity) {
  std::vector<std::string> options;
  if (list.allow_other) options.emplace_back("allow_other");
  if (list.default_permissions || list.allow_other || identity == "caller") options.emplace_back("default_permissions");
  if (list.suid.value_or(false)) options.emplace_back("suid");
  if (list.dev.value_or(false)) options.emplace_back("dev");
  if (!list.exec.value_or(true)) options.emplace_back("noexec");
  if (list.acl) options.emplace_back("acl");
  if (list.map_ids) options.emplace_back("idmap=user");
  if (list.raw_symlinks) options.emplace_back("symlinks=raw");
  const auto timeout = [&](std::string_view name, const std::optional<absl::Duration>& value) {
    if (value) options.push_back(fmt::format("{}={}", name, absl::ToDoubleSeconds(*value)));
  };
  timeout("attr_timeout", list.attr_timeout);
  timeout("entry_timeout", list.entry_timeout);
  return options;
}

std::string FilePath(const std::string& path, const Invoker& invoker) {
  return path.empty() ? path : AbsolutePath(path, invoker.working_directory);
}

void CopyFiles(const MountArguments& arguments, const Invoker& invoker, MountPlan& plan) {
  plan.runtime_socket = FilePath(arguments.runtime_socket, invoker);
  plan.tls_ca = FilePath(arguments.tls_ca, invoker);
  plan.tls_certificate = FilePath(arguments.tls_certificate, invoker);
  plan.tls_key = FilePath(arguments.tls_key, invoker);
  plan.token_file = FilePath(arguments.token_file, invoker);
  plan.agent_path = FilePath(arguments.agent_path, invoker);
  plan.daemon_path = FilePath(arguments.daemon_path, invoker);
}

// With what the options say about a target in a cluster.
absl::StatusOr<TargetSpec> FindTarget(const MountArguments& arguments, const Invoker& invoker) {
  const ClusterFlags& flags = arguments.cluster;
  std::string text = arguments.target.empty() && !flags.selector.empty() ? "pod" : arguments.target;
  if (!flags.selector.empty() && FindWorkloadKind(text) != nullptr) text += fmt::format(" -l '{}'", flags.selector);
  ASSIGN_OR_RETURN(TargetSpec target, ParseTarget(text, invoker.working_directory));
  if (target.kind == TargetKind::kCluster) {
    RETURN_IF_ERROR(ApplyClusterFlags(flags, invoker.working_directory, target.cluster));
    target.text = ClusterTargetText(target.cluster);
  } else if (const std::string option = FirstGiven(flags); !option.empty()) {
    return Failure(ExitCode::kUsage,
                   fmt::format("{} goes with targets in a cluster only, such as pod/NAME; the target is {}.", option,
                               target.text));
  }
  return target;
}

// With -l the target may be left out.
MountArguments WithTargetFromSelector(MountArguments arguments) {
  if (!arguments.cluster.selector.empty() && arguments.mountpoint.empty() && !arguments.target.empty()) {
    arguments.mountpoint = std::exchange(arguments.target, "pod");
  }
  return arguments;
}

absl::Status ChooseFollowing(const MountArguments& arguments, MountPlan& plan) {
  if (!arguments.follow) return absl::OkStatus();
  if (!plan.IsInCluster() || plan.workload.kind == "node") {
    return Failure(ExitCode::kUsage, fmt::format("--follow: {} is no pod or workload of a cluster, so there is nothing "
                                                 "that could take its place.",
                                                 plan.target));
  }
  plan.followed = plan.workload;
  return absl::OkStatus();
}

absl::Status CheckWords(const MountArguments& arguments) {
  if (arguments.target.empty() || arguments.mountpoint.empty()) {
    return Failure(ExitCode::kUsage, fmt::format("mount: the {} is missing. Usage: mirrorfs mount [OPTIONS] TARGET DIR",
                                                 arguments.target.empty() ? "target" : "mount point"));
  }
  return absl::OkStatus();
}

}  // namespace

bool MountPlan::AllowsOthers() const {
  return std::find(mount_options.begin(), mount_options.end(), "allow_other") != mount_options.end();
}

absl::Status CheckIdentityWord(std::string_view name, std::string_view word) {
  const size_t colon = word.find(':');
  const bool ids = IsId(word.substr(0, colon)) && (colon == word.npos || IsId(word.substr(colon + 1)));
  if (word == "container" || word == "caller" || ids) return absl::OkStatus();
  return Failure(ExitCode::kUsage, fmt::format("{} {}: write container, caller, UID or UID:GID.", name, word));
}

absl::Status CheckIdentityOf(AgentMode mode, const std::string& identity) {
  if (identity == "container" || (mode != AgentMode::kExec && mode != AgentMode::kShared)) return absl::OkStatus();
  if (mode == AgentMode::kShared) {
    return Failure(ExitCode::kNotPermitted,
                   fmt::format("--as {}: a shared agent gives what kubectl exec would, the rights of the container's "
                               "user. Use --as container.",
                               identity));
  }
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("--as {}: an agent that is put into the container (--agent exec) has the rights of the "
                             "container's user, and no others. Use --as container.",
                             identity));
}

absl::Status CheckDeadlineWord(std::string_view name, std::string_view word) { return Deadline(name, word).status(); }

absl::StatusOr<MountPlan> MakeServicePlan(const MountArguments& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const TargetSpec target, FindTarget(arguments, invoker));
  MountPlan plan;
  plan.target = target.text;
  plan.endpoint = target.endpoint;
  plan.workload = target.cluster.workload;
  plan.cluster = target.cluster.access;
  ASSIGN_OR_RETURN(plan.agent_mode, ChooseAgentMode(arguments.agent_mode, target, invoker));
  ASSIGN_OR_RETURN(plan.agent_pod, ChooseAgentPod(arguments, target, invoker));
  ASSIGN_OR_RETURN(plan.identity, ChooseIdentity(arguments, target, plan.agent_mode, invoker));
  ASSIGN_OR_RETURN(plan.deadline_seconds, ChooseDeadline(arguments));
  RETURN_IF_ERROR(ChooseFollowing(arguments, plan));
  plan.verbose = arguments.verbose;
  ASSIGN_OR_RETURN(plan.progress, ChooseProgress(arguments.progress));
  CopyFiles(arguments, invoker, plan);
  RETURN_IF_ERROR(CheckTls(plan, target));
  return plan;
}

absl::StatusOr<MountPlan> MakeMountPlan(const MountArguments& given, const Invoker& invoker) {
  const MountArguments arguments = WithTargetFromSelector(given);
  RETURN_IF_ERROR(CheckWords(arguments));
  ASSIGN_OR_RETURN(const MountOptionList list, ParseMountOptions(arguments.options));
  ASSIGN_OR_RETURN(MountPlan plan, MakeServicePlan(arguments, invoker));
  plan.mountpoint = AbsolutePath(arguments.mountpoint, invoker.working_directory);
  ASSIGN_OR_RETURN(plan.read_write, ChooseReadWrite(arguments, list));
  RETURN_IF_ERROR(ChooseLayerUse(arguments, plan));
  RETURN_IF_ERROR(CheckSharing(list, plan.identity, invoker));
  plan.devices = (plan.read_write || plan.private_layer) && list.dev.value_or(false);
  plan.nonempty = list.nonempty;
  plan.make_directory = arguments.make_directory;
  plan.foreground = arguments.foreground;
  plan.mount_options = DaemonMountOptions(list, plan.identity);
  return plan;
}

}  // namespace mirrorfs
