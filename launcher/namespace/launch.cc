#include "launcher/namespace/launch.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/agentmodes/settle_target.h"
#include "launcher/failure.h"
#include "launcher/keeper/agent_query.h"
#include "launcher/keeper/ending_signals.h"
#include "launcher/keeper/exec_keeper_process.h"
#include "launcher/keeper/hand_over.h"
#include "launcher/layers/layer_store.h"
#include "launcher/namespace/fd_passing.h"
#include "launcher/namespace/local_tree.h"
#include "launcher/namespace/own_limits.h"
#include "launcher/namespace/own_namespace.h"
#include "launcher/namespace/program.h"
#include "launcher/namespace/view_mount.h"
#include "launcher/plan/child_commands.h"
#include "launcher/plan/process_facts.h"
#include "launcher/plan/shell_start.h"
#include "launcher/state/run_state.h"
#include "launcher/system/programs.h"
#include "protos/policy/policy_spec.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// A run whose keeper works for it.
struct StartedRun {
  RunState state;
  ExecKeeperConnection keeper;
  ProcessFacts facts;
};

absl::StatusOr<StartedRun> StartRun(ExecPlan& plan, const Invoker& invoker) {
  RETURN_IF_ERROR(SettleTarget(plan.service));
  RETURN_IF_ERROR(FindPrograms(invoker, plan.service));
  ASSIGN_OR_RETURN(plan.service.layer_directory, ChooseLayer(invoker, plan.layer, plan.service.target));
  // Until there is a keeper to clear it away, what is made here must not be left by an interrupt.
  std::optional<EndingSignals> held_back(std::in_place);
  ASSIGN_OR_RETURN(RunState state, TakeRunState(StateBasePath(invoker)));
  plan.service.mountpoint = kMountedDescriptor;
  plan.service.policy_file = state.paths.policy;
  ASSIGN_OR_RETURN(ExecKeeperConnection keeper, StartExecKeeper({.service = plan.service,
                                                                 .run = state.name,
                                                                 .program = absl::StrJoin(plan.command, " "),
                                                                 .launcher_pid = ::getpid()},
                                                                std::move(state.lock)));
  held_back.reset();
  RETURN_IF_ERROR(WaitForKeeper(keeper.word, plan.service.progress));
  StartedRun run{.state = std::move(state), .keeper = std::move(keeper), .facts = {}};
  if (plan.service.StartsAgent()) {
    ASSIGN_OR_RETURN(run.facts, ParseProcessFacts(BytesOfFile(run.keeper.facts)));
  }
  return run;
}

absl::Status WriteFile(const std::string& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (file) return absl::OkStatus();
  return Failure(ExitCode::kFailed, fmt::format("{} cannot be written: {}.", path, ErrnoText(errno)));
}

// Before the view is mounted: it must not be in any of them.
absl::StatusOr<std::vector<LocalTree>> TakeTrees(const ExecPlan& plan, const PolicySpec& policy) {
  ASSIGN_OR_RETURN(const std::vector<std::string> paths, TreesToBind(policy, plan.socket_places));
  std::vector<LocalTree> trees;
  for (const std::string& path : paths) {
    auto tree = LocalTree::Take(path);
    if (tree.ok()) {
      trees.push_back(*std::move(tree));
    } else if (const int error = ToErrno(tree.status()); error != ENOENT && error != ENOTDIR) {
      return Failure(ExitCode::kFailed, fmt::format("{} cannot be taken into the view: {}.", path, ErrnoText(error)));
    }
  }
  return trees;
}

absl::Status AttachTrees(const std::vector<LocalTree>& trees, const UniqueFd& view) {
  for (const LocalTree& tree : trees) {
    const absl::Status attached = tree.AttachIn(view);
    const int error = ToErrno(attached);
    // The view has no such name: a rule says so.
    if (attached.ok() || error == ENOENT || error == ENOTDIR || error == ELOOP) continue;
    return Failure(ExitCode::kUnreachable,
                   fmt::format("{} cannot be mounted in the view: {}.", tree.path(), ErrnoText(error)));
  }
  return absl::OkStatus();
}

absl::Status EnterView(const ExecPlan& plan, StartedRun& run) {
  const StatePaths& paths = run.state.paths;
  const PolicySpec policy = PolicyOf(plan, plan.asks_for_volumes ? run.facts.volumes : std::vector<std::string>());
  RETURN_IF_ERROR(WriteFile(paths.policy, EncodePolicySpec(policy)));
  RETURN_IF_ERROR(EnterOwnNamespace(plan.user_namespace ? NamespaceKind::kUserAndMount : NamespaceKind::kMount));
  ASSIGN_OR_RETURN(const std::vector<LocalTree> trees, TakeTrees(plan, policy));
  {
    ASSIGN_OR_RETURN(const UniqueFd device, MountView({.source = plan.service.target,
                                                       .directory = paths.view,
                                                       .every_user = plan.service.identity == "caller"}));
    RETURN_IF_ERROR(SendDescriptor(run.keeper.fuse, device));
  }
  RETURN_IF_ERROR(WaitForKeeper(run.keeper.word, plan.service.progress));
  ASSIGN_OR_RETURN(const UniqueFd view, OpenView(paths.view));
  RETURN_IF_ERROR(AttachTrees(trees, view));
  return PivotInto(view);
}

absl::Status EnterDirectory(const ExecPlan& plan, const ProcessFacts& facts, const UniqueFd& before) {
  const std::string& directory = plan.container_cwd ? facts.working_directory : plan.working_directory;
  if (directory.empty()) {
    // It has been deleted: the program stands in it as it would without us.
    if (::fchdir(before.get()) == 0) return absl::OkStatus();
  } else if (::chdir(directory.c_str()) == 0) {
    return absl::OkStatus();
  }
  const char* why = plan.view ? "A rule may hide it, or it is not in the container; start in another one, or add "
                                "--container-cwd."
                              : "In mode local it is looked for on this machine.";
  return Failure(ExitCode::kFailed, fmt::format("the working directory {} cannot be entered{}: {}. {}", directory,
                                                plan.view ? " in the view" : "", ErrnoText(errno), why));
}

// `run`: its name; empty if it has none, as nothing is mounted for it.
std::vector<std::string> Variables(const ExecPlan& plan, const ProcessFacts& facts, const std::string& run) {
  EnvironmentChoice choice = plan.environment;
  if (!plan.service.target.empty()) choice.overrides.push_back("MIRRORFS_TARGET=" + plan.service.target);
  if (!run.empty()) choice.overrides.push_back("MIRRORFS_RUN=" + run);
  if (plan.container_cwd) choice.overrides.push_back("PWD=" + facts.working_directory);
  return ChooseEnvironment(choice, plan.own_environment, facts.environment);
}

absl::StatusOr<ProgramStart> PrepareProgram(const ExecPlan& plan, const StartedRun& run) {
  ProgramStart start{.command = plan.command, .environment = Variables(plan, run.facts, run.state.name)};
  if (!plan.is_shell) return start;
  const ShellStart shell = StartOfShell(plan.command.front(), plan.service.target, run.state.paths.shell_rc);
  start.command = shell.command;
  start.environment = ChooseEnvironment({.overrides = shell.variables}, start.environment, {});
  if (!shell.start_file.empty()) RETURN_IF_ERROR(WriteFile(run.state.paths.shell_rc, shell.start_file));
  return start;
}

// All that has to be done before.
absl::StatusOr<ProgramStart> MakeReady(ExecPlan& plan, const Invoker& invoker) {
  const OwnLimits limits;
  const UniqueFd directory(::open(".", O_PATH | O_DIRECTORY | O_CLOEXEC));
  RETURN_IF_ERROR(CheckFuseDevice());
  ASSIGN_OR_RETURN(StartedRun run, StartRun(plan, invoker));
  ASSIGN_OR_RETURN(ProgramStart start, PrepareProgram(plan, run));
  RETURN_IF_ERROR(EnterView(plan, run));
  RETURN_IF_ERROR(EnterDirectory(plan, run.facts, directory));
  return start;
}

// In mode local nothing is mounted, and nothing goes on beside the program: an agent is asked, if at all, and has
// ended.
absl::StatusOr<ProgramStart> MakeReadyWithoutView(ExecPlan& plan, const Invoker& invoker) {
  const OwnLimits limits;
  ProcessFacts facts;
  if (plan.NeedsProcessFacts()) {
    RETURN_IF_ERROR(SettleTarget(plan.service));
    RETURN_IF_ERROR(FindAgent(invoker, plan.service));
    ASSIGN_OR_RETURN(facts, AskAgent(plan.service, invoker));
  }
  if (plan.container_cwd) RETURN_IF_ERROR(EnterDirectory(plan, facts, UniqueFd()));
  return ProgramStart{.command = plan.command, .environment = Variables(plan, facts, ""), .in_view = false};
}

}  // namespace

absl::Status Launch(ExecPlan plan, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const ProgramStart start,
                   plan.view ? MakeReady(plan, invoker) : MakeReadyWithoutView(plan, invoker));
  return BecomeProgram(start);
}

}  // namespace mirrorfs
