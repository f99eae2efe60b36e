#include "launcher/plan/exec_arguments.h"

#include <algorithm>
#include <string_view>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/target_spec.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

void AddOwnOptions(po::options_description& options, ExecArguments& arguments) {
  auto add = options.add_options();
  add("layer", po::value<std::string>()->notifier([&](const std::string& value) { arguments.layer = value; }));
  add("dry-run", po::bool_switch(&arguments.dry_run));
  add("verbose,v", po::bool_switch(&arguments.verbose));
  add("help,h", po::bool_switch(&arguments.help));
}

size_t IndexOfSeparator(absl::Span<const std::string> words) {
  return static_cast<size_t>(std::find(words.begin(), words.end(), "--") - words.begin());
}

absl::Status WordWithoutSeparator(std::string_view word, ExecCommand kind) {
  const std::string_view name = kind == ExecCommand::kShell ? "shell" : "exec";
  if (ParseTarget(word, "/").ok()) {
    return Failure(ExitCode::kUsage, fmt::format("{}: the target goes with --target: mirrorfs {} --target {}{}", name,
                                                 name, word, kind == ExecCommand::kShell ? "" : " -- PROGRAM"));
  }
  if (kind == ExecCommand::kShell) {
    return Failure(ExitCode::kUsage, fmt::format("shell: '{}' is a word too many; the shell is the one in $SHELL. "
                                                 "'mirrorfs exec' runs other programs.",
                                                 word));
  }
  return Failure(ExitCode::kUsage,
                 fmt::format("exec: write -- before the program: mirrorfs exec --target TARGET -- {} ...", word));
}

}  // namespace

absl::StatusOr<ExecArguments> ParseExecArguments(absl::Span<const std::string> words, ExecCommand kind) {
  ExecArguments arguments;
  arguments.kind = kind;
  std::vector<std::string> stray;
  po::options_description options;
  AddExecFlags(options, arguments.flags);
  AddOwnOptions(options, arguments);
  options.add_options()("stray", po::value(&stray));
  po::positional_options_description positional;
  positional.add("stray", -1);
  const size_t separator = IndexOfSeparator(words);
  RETURN_IF_ERROR(ParseCommandLine(kind == ExecCommand::kExec ? "exec" : "shell", words.subspan(0, separator), options,
                                   positional));
  if (arguments.help) return arguments;
  if (!stray.empty()) return WordWithoutSeparator(stray.front(), kind);
  if (separator < words.size()) {
    const auto command = words.subspan(separator + 1);
    if (kind == ExecCommand::kShell && !command.empty()) return WordWithoutSeparator(command.front(), kind);
    arguments.command.assign(command.begin(), command.end());
  }
  return arguments;
}

}  // namespace mirrorfs
