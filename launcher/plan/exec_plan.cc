#include "launcher/plan/exec_plan.h"

#include <algorithm>
#include <optional>

#include "fmt/format.h"
#include "launcher/config/make_policy.h"
#include "launcher/failure.h"
#include "launcher/plan/kernel_trees.h"
#include "launcher/plan/service_arguments.h"
#include "launcher/plan/target_spec.h"
#include "launcher/system/mount_table.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// With a selector alone it is a pod.
bool HasTarget(const ExecSettings& settings) {
  return !settings.target.value.empty() || !settings.selector.value.empty();
}

absl::Status CheckWords(const ExecArguments& arguments, const ExecSettings& settings) {
  const bool shell = arguments.kind == ExecCommand::kShell;
  const bool has_target = HasTarget(settings);
  if (!has_target && settings.fs.mode.value != FsMode::kLocal) {
    return Failure(ExitCode::kUsage, fmt::format("{0}: the target is missing. Usage: mirrorfs {0} --target TARGET{1}",
                                                 shell ? "shell" : "exec", shell ? "" : " -- PROGRAM [ARGUMENT...]"));
  }
  const bool asks = !settings.env.include.value.empty() || settings.container_cwd.value;
  if (!has_target && asks) {
    return Failure(ExitCode::kUsage, "--env and --container-cwd ask the target's process: write --target TARGET.");
  }
  if (arguments.layer && settings.fs.mode.value == FsMode::kLocal) {
    return Failure(ExitCode::kUsage, fmt::format("--layer: in mode local ({}) nothing goes to a private layer.",
                                                 settings.fs.mode.source));
  }
  if (arguments.layer && arguments.layer->empty()) return Failure(ExitCode::kUsage, "--layer: the name is empty.");
  if (!shell && (arguments.command.empty() || arguments.command.front().empty())) {
    return Failure(ExitCode::kUsage,
                   "exec: the program is missing. Usage: mirrorfs exec --target TARGET -- PROGRAM [ARGUMENT...]");
  }
  return absl::OkStatus();
}

bool IsContainer(const TargetSpec& target) {
  return target.kind == TargetKind::kDocker || target.kind == TargetKind::kPodman ||
         target.kind == TargetKind::kContainerd || target.kind == TargetKind::kCri ||
         target.kind == TargetKind::kCluster;
}

bool TakesVolumes(const ExecSettings& settings, const TargetSpec& target) {
  return IsContainer(target) && settings.fs.mode.value != FsMode::kLocal && settings.fs.auto_mount.value;
}

bool WritesToContainer(const FsSettings& fs) { return fs.mode.value == FsMode::kWrite || !fs.read_write.value.empty(); }

EnvironmentChoice ChooseVariables(const EnvSettings& settings) {
  EnvironmentChoice choice{.include = TextsOf(settings.include),
                           .exclude = TextsOf(settings.exclude),
                           .overrides = {},
                           .unset = TextsOf(settings.unset)};
  for (const auto& [name, value] : settings.set.value) choice.overrides.push_back(fmt::format("{}={}", name, value));
  return choice;
}

// What a daemon that somebody else mounts for is told of the mount. In a view an absolute link leads where it says.
std::vector<std::string> ViewOptions(const MountPlan& service, bool user_namespace) {
  std::vector<std::string> options = {"symlinks=raw"};
  if (service.identity == "caller") options.insert(options.end(), {"allow_other", "default_permissions"});
  if (user_namespace) options.emplace_back("idmap=own");
  return options;
}

absl::Status CheckService(const ExecPlan& plan, const TargetSpec& target) {
  if (plan.user_namespace && plan.service.identity == "caller") {
    return Failure(ExitCode::kNotPermitted,
                   "--as caller: an ordinary user's program is run in a user namespace, where there is only one user. "
                   "Use --as container, the default, or run it with sudo.");
  }
  const bool process = target.NeedsAgent() && target.kind != TargetKind::kDirectory;
  if (!process && (plan.environment.TakesFromTarget() || plan.container_cwd)) {
    return Failure(ExitCode::kUsage,
                   fmt::format("{}: --env and --container-cwd ask the target's process; {}.", plan.service.target,
                               target.NeedsAgent() ? "a directory has none"
                                                   : "an agent that listens already does not tell of it"));
  }
  return absl::OkStatus();
}

absl::Status PlanService(ExecPlan& plan, bool verbose, const Invoker& invoker) {
  ASSIGN_OR_RETURN(plan.service, MakeServicePlan(ServiceArguments(plan.settings, verbose), invoker));
  ASSIGN_OR_RETURN(const TargetSpec target, ParseTarget(plan.service.target, invoker.working_directory));
  plan.service.read_write = WritesToContainer(plan.settings.fs);
  plan.service.mount_options = ViewOptions(plan.service, plan.user_namespace);
  plan.asks_for_volumes = TakesVolumes(plan.settings, target);
  return CheckService(plan, target);
}

std::vector<std::string> ChooseCommand(const ExecArguments& arguments, const ProgramSurroundings& surroundings) {
  if (arguments.kind == ExecCommand::kExec) return arguments.command;
  return {surroundings.shell.empty() ? "/bin/sh" : surroundings.shell};
}

}  // namespace

absl::StatusOr<ExecPlan> MakeExecPlan(const ExecArguments& arguments, const ExecSettings& settings,
                                      const Invoker& invoker, const ProgramSurroundings& surroundings) {
  RETURN_IF_ERROR(CheckWords(arguments, settings));
  ExecPlan plan;
  plan.command = ChooseCommand(arguments, surroundings);
  plan.is_shell = arguments.kind == ExecCommand::kShell;
  plan.user_namespace = !invoker.IsRoot();
  plan.view = settings.fs.mode.value != FsMode::kLocal;
  plan.settings = settings;
  plan.facts = surroundings.facts;
  plan.socket_places = surroundings.socket_places;
  plan.layer = arguments.layer.value_or("");
  plan.environment = ChooseVariables(settings.env);
  plan.own_environment = surroundings.environment;
  plan.container_cwd = settings.container_cwd.value;
  plan.working_directory = surroundings.working_directory;
  if (HasTarget(settings)) RETURN_IF_ERROR(PlanService(plan, arguments.verbose, invoker));
  RETURN_IF_ERROR(TreesToBind(PolicyOf(plan, {}), {}).status());
  return plan;
}

absl::StatusOr<std::optional<MountPlan>> PlanVolumeQuery(const ExecSettings& settings, const Invoker& invoker) {
  if (!HasTarget(settings)) return std::nullopt;
  TargetSpec target{.kind = TargetKind::kCluster};
  if (!settings.target.value.empty()) {
    ASSIGN_OR_RETURN(target, ParseTarget(settings.target.value, invoker.working_directory));
  }
  if (!TakesVolumes(settings, target)) return std::nullopt;
  MountArguments arguments = ServiceArguments(settings, /*verbose=*/false);
  arguments.identity.reset();  // no file is touched
  return MakeServicePlan(arguments, invoker);
}

PolicySpec PolicyOf(const ExecPlan& plan, absl::Span<const std::string> volumes) {
  return MakePolicy(plan.settings, plan.facts, volumes);
}

absl::StatusOr<std::vector<std::string>> TreesToBind(const PolicySpec& policy,
                                                     absl::Span<const std::string> socket_places) {
  ASSIGN_OR_RETURN(const PathPolicy compiled, CompilePolicy(policy));
  if (policy.mode == FsMode::kLocal) return std::vector<std::string>();
  std::vector<std::string> trees(kKernelTrees.begin(), kKernelTrees.end());
  const auto add = [&trees](const std::string& tree) {
    const bool covered =
        std::any_of(trees.begin(), trees.end(), [&](const std::string& other) { return IsWithin(tree, other); });
    if (!covered) trees.push_back(tree);
  };
  for (const std::string& tree : compiled.UniformLocalTrees()) add(tree);
  for (const std::string& place : socket_places) {
    if (compiled.Decide(place).side == PathSide::kLocal && !compiled.MayDifferBelow(place)) add(place);
  }
  return trees;
}

}  // namespace mirrorfs
