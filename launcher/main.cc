// The command `mirrorfs`.
#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/agent_command.h"
#include "launcher/commands/apply_command.h"
#include "launcher/commands/completion_command.h"
#include "launcher/commands/config_command.h"
#include "launcher/commands/copy_commands.h"
#include "launcher/commands/doctor_command.h"
#include "launcher/commands/exec_command.h"
#include "launcher/commands/explain_command.h"
#include "launcher/commands/help.h"
#include "launcher/commands/layer_commands.h"
#include "launcher/commands/logs_command.h"
#include "launcher/commands/ls_command.h"
#include "launcher/commands/mount_command.h"
#include "launcher/commands/stats_command.h"
#include "launcher/commands/status_command.h"
#include "launcher/commands/umount_command.h"
#include "launcher/failure.h"
#include "launcher/keeper/exec_keeper_process.h"
#include "launcher/keeper/keeper_process.h"
#include "launcher/own_name.h"
#include "launcher/plan/child_commands.h"
#include "launcher/plan/target_spec.h"
#include "launcher/tunnel/tunnel_process.h"

namespace mirrorfs {
namespace {

using Words = absl::Span<const std::string>;

absl::Status PrintVersion() {
  fmt::print("mirrorfs {}\n", MIRRORFS_VERSION);
  return absl::OkStatus();
}

absl::Status RunCommand(Words words, const Invoker& invoker) {
  if (words.empty()) {
    const absl::Status printed = PrintHelp("");
    return printed.ok() ? Failure(ExitCode::kUsage, "a command is missing.") : printed;
  }
  const std::string_view command = words.front();
  const Words rest = words.subspan(1);
  if (command == "mount") return RunMount(rest, MountCaller::kPerson, invoker);
  if (command == "exec") return RunExec(rest, ExecCommand::kExec, invoker);
  if (command == "shell") return RunExec(rest, ExecCommand::kShell, invoker);
  if (command == "umount" || command == "unmount") return RunUmount(rest, invoker);
  if (command == "status") return RunStatus(rest, invoker);
  if (command == "stats") return RunStats(rest, invoker);
  if (command == "explain") return RunExplain(rest, invoker);
  if (command == "completion") return PrintCompletionScript(rest);
  if (command == kCompletionCommand) return PrintCompletions(rest, invoker);
  if (command == "doctor") return RunDoctor(rest, invoker);
  if (command == "logs") return RunLogs(rest, invoker);
  if (command == "ls") return RunLs(rest, invoker);
  if (command == "agent") return RunAgent(rest, invoker);
  if (command == "config") return RunConfig(rest, invoker);
  if (command == "layers") return RunLayers(rest, invoker);
  if (command == "diff") return AsksToCompare(rest) ? RunCompare(rest, invoker) : RunDiff(rest, invoker);
  if (command == "cp") return RunCopy(rest, invoker);
  if (command == "cat") return RunCat(rest, invoker);
  if (command == "apply") return RunApply(rest, invoker);
  if (command == "discard") return RunDiscard(rest, invoker);
  if (command == "version" || command == "--version") return PrintVersion();
  if (command == "help") return PrintHelp(rest.empty() ? "" : std::string_view(rest.front()));
  if (command == "-h" || command == "--help") return PrintHelp("");
  // As mount.fuse3 calls it: mirrorfs TARGET DIR -o OPTIONS.
  if (LooksLikeTarget(command)) return RunMount(words, MountCaller::kMountHelper, invoker);
  return UnknownCommand(command);
}

// One program under several names.
absl::Status Run(std::string_view name, Words words) {
  if (name == kKeeperName) return RunKeeperProcess();
  if (name == kExecKeeperName) return RunExecKeeperProcess();
  if (name == kTunnelName) return RunTunnelProcess(words);
  const Invoker invoker = CurrentInvoker();
  if (name == kPluginCompletionName) return PrintCompletions(words, invoker);
  if (name.starts_with("mount.")) return RunMount(words, MountCaller::kMountHelper, invoker);
  return RunCommand(words, invoker);
}

}  // namespace
}  // namespace mirrorfs

int main(int argc, char** argv) {
  const std::string name = argc > 0 ? std::filesystem::path(argv[0]).filename().string() : "mirrorfs";
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const absl::Status status = mirrorfs::Run(name, words);
  if (!status.ok()) {
    fmt::print(stderr, "{}: {}\n", mirrorfs::OwnName(), mirrorfs::InOwnName(mirrorfs::MessageOf(status)));
  }
  return static_cast<int>(mirrorfs::ExitCodeOf(status));
}
