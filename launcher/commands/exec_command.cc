#include "launcher/commands/exec_command.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/config/load_settings.h"
#include "launcher/config/program_facts.h"
#include "launcher/namespace/launch.h"
#include "launcher/namespace/program.h"
#include "launcher/plan/exec_plan.h"
#include "launcher/plan/exec_plan_text.h"
#include "launcher/system/socket_places.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

ProgramSurroundings CurrentSurroundings(const ExecArguments& arguments, const ExecSettings& settings,
                                        const Environment& environment, const Invoker& invoker) {
  ProgramSurroundings surroundings{.working_directory = invoker.working_directory,
                                   .shell = ValueOf(environment, "SHELL"),
                                   .environment = {},
                                   .facts = {},
                                   .socket_places = FindSocketPlaces(environment, invoker)};
  const std::string program = arguments.command.empty() ? surroundings.shell : arguments.command.front();
  // A program that starts in the container's directory does not need this one.
  const std::string& directory = settings.container_cwd.value ? std::string() : invoker.working_directory;
  surroundings.facts = FindProgramFacts(program, environment, directory);
  for (char** entry = environ; *entry != nullptr; ++entry) surroundings.environment.emplace_back(*entry);
  return surroundings;
}

// What is missing here is missing in the view.
std::vector<std::string> ExistingTrees(const std::vector<std::string>& trees) {
  std::vector<std::string> existing;
  for (const std::string& tree : trees) {
    struct stat attributes;
    if (::lstat(tree.c_str(), &attributes) == 0) existing.push_back(tree);
  }
  return existing;
}

absl::Status PrintPlan(const ExecPlan& plan) {
  ASSIGN_OR_RETURN(const std::vector<std::string> trees, TreesToBind(PolicyOf(plan, {}), plan.socket_places));
  fmt::print("{}", DescribeExecPlan(plan, ExistingTrees(trees)));
  return absl::OkStatus();
}

}  // namespace

absl::Status RunExec(absl::Span<const std::string> words, ExecCommand kind, const Invoker& invoker) {
  ReserveStandardDescriptors();
  ASSIGN_OR_RETURN(const ExecArguments arguments, ParseExecArguments(words, kind));
  if (arguments.help) return PrintHelp(kind == ExecCommand::kExec ? "exec" : "shell");
  const Environment environment = CurrentEnvironment();
  ASSIGN_OR_RETURN(const LoadedSettings loaded, LoadSettings(arguments.flags, environment, invoker.working_directory));
  for (const std::string& warning : loaded.warnings) fmt::print(stderr, "mirrorfs: {}\n", warning);
  ASSIGN_OR_RETURN(const ExecPlan plan,
                   MakeExecPlan(arguments, loaded.settings, invoker,
                                CurrentSurroundings(arguments, loaded.settings, environment, invoker)));
  if (arguments.dry_run) return PrintPlan(plan);
  return Launch(plan, invoker);
}

}  // namespace mirrorfs
