#include "launcher/commands/config_command.h"

#include <array>
#include <cstdio>

#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/commands/settings_report.h"
#include "launcher/config/config_schema.h"
#include "launcher/config/load_settings.h"
#include "launcher/config/make_policy.h"
#include "launcher/config/program_facts.h"
#include "launcher/failure.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/nearest.h"
#include "launcher/plan/target_spec.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

using Words = absl::Span<const std::string>;

struct ConfigArguments {
  ExecFlags flags;
  std::string output;
  bool help = false;
};

// Each action takes what has a meaning for it. The file may be named without -f, too.
absl::StatusOr<ConfigArguments> ParseArguments(std::string_view action, Words words) {
  ConfigArguments arguments;
  po::options_description options;
  po::positional_options_description positional;
  options.add_options()("help,h", po::bool_switch(&arguments.help));
  if (action != "schema") {
    AddExecFlags(options, arguments.flags);
    positional.add("config-file", 1);
  }
  if (action == "show") options.add_options()("output,o", po::value(&arguments.output));
  RETURN_IF_ERROR(ParseCommandLine("config", words, options, positional));
  return arguments;
}

// Loaded, and judged as a whole: with patterns that cannot be used nothing could be started.
absl::StatusOr<LoadedSettings> LoadAndCheck(const ExecFlags& flags, const Invoker& invoker) {
  const Environment environment = CurrentEnvironment();
  ASSIGN_OR_RETURN(LoadedSettings loaded, LoadSettings(flags, environment, invoker.working_directory));
  const ProgramFacts facts = FindProgramFacts("", environment, invoker.working_directory);
  RETURN_IF_ERROR(CompilePolicy(MakePolicy(loaded.settings, facts, {})).status());
  const Sourced<std::string>& target = loaded.settings.target;
  const absl::Status parsed = ParseTarget(target.value, invoker.working_directory).status();
  if (!target.value.empty() && !parsed.ok()) {
    loaded.warnings.push_back(fmt::format("{}: {}", target.source, MessageOf(parsed)));
  }
  return loaded;
}

void PrintWarnings(const LoadedSettings& loaded) {
  for (const std::string& warning : loaded.warnings) fmt::print(stderr, "mirrorfs: warning: {}\n", warning);
}

absl::Status Show(const ConfigArguments& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kPlainAndJson));
  ASSIGN_OR_RETURN(const LoadedSettings loaded, LoadAndCheck(arguments.flags, invoker));
  PrintWarnings(loaded);
  fmt::print("{}", format == OutputFormat::kJson ? SettingsJson(loaded).dump(2) + "\n" : SettingsTable(loaded));
  return absl::OkStatus();
}

absl::Status Check(const ConfigArguments& arguments, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const LoadedSettings loaded, LoadAndCheck(arguments.flags, invoker));
  PrintWarnings(loaded);
  if (loaded.files.empty()) {
    fmt::print("There is no configuration file. Flags, environment and defaults are fine.\n");
  } else {
    fmt::print("Fine: {}\n", fmt::join(loaded.files, ", "));
  }
  return absl::OkStatus();
}

absl::Status PrintSchema() {
  fmt::print("{}\n", ConfigSchema().dump(2));
  return absl::OkStatus();
}

absl::Status UnknownAction(const std::string& word) {
  const std::array<std::string, 3> actions = {"show", "check", "schema"};
  return Failure(ExitCode::kUsage, fmt::format("config: there is no '{}'{} Write config show, check or schema.", word,
                                               DidYouMean(word, actions)));
}

}  // namespace

absl::Status RunConfig(Words words, const Invoker& invoker) {
  if (words.empty()) return Failure(ExitCode::kUsage, "config: write config show, check or schema.");
  const std::string& action = words.front();
  if (action == "-h" || action == "--help") return PrintHelp("config");
  if (action != "show" && action != "check" && action != "schema") return UnknownAction(action);
  ASSIGN_OR_RETURN(const ConfigArguments arguments, ParseArguments(action, words.subspan(1)));
  if (arguments.help) return PrintHelp("config");
  if (action == "show") return Show(arguments, invoker);
  if (action == "check") return Check(arguments, invoker);
  return PrintSchema();
}

}  // namespace mirrorfs
