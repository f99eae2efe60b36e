#include "launcher/commands/explain_command.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "launcher/agentmodes/settle_target.h"
#include "launcher/commands/explanation.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/config/load_settings.h"
#include "launcher/config/make_policy.h"
#include "launcher/config/program_facts.h"
#include "launcher/failure.h"
#include "launcher/keeper/agent_query.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/exec_plan.h"
#include "launcher/plan/target_spec.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct ExplainArguments {
  ExecFlags flags;
  std::vector<std::string> paths;
  std::string program;  // for the rule about the program's own file
  std::string output;
  bool help = false;
};

absl::StatusOr<ExplainArguments> ParseArguments(absl::Span<const std::string> words) {
  ExplainArguments arguments;
  po::options_description options;
  AddExecFlags(options, arguments.flags);
  auto add = options.add_options();
  add("path", po::value(&arguments.paths));
  add("program", po::value(&arguments.program));
  add("output,o", po::value(&arguments.output));
  add("help,h", po::bool_switch(&arguments.help));
  po::positional_options_description positional;
  positional.add("path", -1);
  RETURN_IF_ERROR(ParseCommandLine("explain", words, options, positional));
  return arguments;
}

struct Question {
  ExecSettings settings;
  ProgramFacts facts;
  std::vector<std::string> paths;  // absolute
};

absl::StatusOr<Question> QuestionOf(const ExplainArguments& arguments, const Invoker& invoker) {
  const Environment environment = CurrentEnvironment();
  ASSIGN_OR_RETURN(LoadedSettings loaded, LoadSettings(arguments.flags, environment, invoker.working_directory));
  for (const std::string& warning : loaded.warnings) fmt::print(stderr, "mirrorfs: warning: {}\n", warning);
  Question question{.settings = std::move(loaded.settings),
                    .facts = FindProgramFacts(arguments.program, environment, invoker.working_directory),
                    .paths = {}};
  if (question.settings.container_cwd.value) question.facts.working_directory.clear();
  for (const std::string& path : arguments.paths) {
    question.paths.push_back(AbsolutePath(path, invoker.working_directory));
  }
  return question;
}

void Print(const std::vector<Explanation>& explanations, OutputFormat format) {
  nlohmann::ordered_json all = nlohmann::ordered_json::array();
  for (const Explanation& explanation : explanations) {
    if (format == OutputFormat::kJson) {
      all.push_back(ExplanationJson(explanation));
    } else {
      fmt::print("{}", ExplanationText(explanation));
    }
  }
  if (format == OutputFormat::kJson) fmt::print("{}\n", all.dump(2));
}

// Asks an agent, if there is one to be asked. Nothing: the target is not named, or has no volumes that could be known.
absl::StatusOr<std::optional<std::vector<std::string>>> VolumesOfTarget(const Question& question,
                                                                        const Invoker& invoker) {
  if (question.settings.target.value.empty() && question.settings.selector.value.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(std::optional<MountPlan> query, PlanVolumeQuery(question.settings, invoker));
  if (!query) return std::vector<std::string>();
  RETURN_IF_ERROR(SettleTarget(*query));
  RETURN_IF_ERROR(FindAgent(invoker, *query));
  ASSIGN_OR_RETURN(ProcessFacts facts, AskAgent(*query, invoker));
  return std::move(facts.volumes);
}

bool AnyIfNoVolume(const std::vector<Explanation>& explanations) {
  return std::any_of(explanations.begin(), explanations.end(),
                     [](const Explanation& explanation) { return explanation.if_no_volume; });
}

std::vector<Explanation> ExplainAll(const PathPolicy& policy, const std::vector<std::string>& paths, Volumes volumes) {
  std::vector<Explanation> explanations;
  explanations.reserve(paths.size());
  for (const std::string& path : paths) explanations.push_back(Explain(policy, path, volumes));
  return explanations;
}

// No agent is asked for what the policy alone decides.
absl::Status AnswerAndPrint(const Question& question, OutputFormat format, const Invoker& invoker) {
  ASSIGN_OR_RETURN(PathPolicy policy, CompilePolicy(MakePolicy(question.settings, question.facts, {})));
  const Volumes volumes = question.settings.fs.auto_mount.value ? Volumes::kUnknown : Volumes::kKnown;
  std::vector<Explanation> explanations = ExplainAll(policy, question.paths, volumes);
  if (AnyIfNoVolume(explanations)) {
    ASSIGN_OR_RETURN(const auto known, VolumesOfTarget(question, invoker));
    if (known) {
      ASSIGN_OR_RETURN(policy, CompilePolicy(MakePolicy(question.settings, question.facts, *known)));
      explanations = ExplainAll(policy, question.paths, Volumes::kKnown);
    }
  }
  Print(explanations, format);
  return absl::OkStatus();
}

}  // namespace

absl::Status RunExplain(absl::Span<const std::string> words, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const ExplainArguments arguments, ParseArguments(words));
  if (arguments.help) return PrintHelp("explain");
  if (arguments.paths.empty()) {
    return Failure(ExitCode::kUsage, "explain: a path is missing. Usage: mirrorfs explain [OPTIONS] PATH...");
  }
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kPlainAndJson));
  ASSIGN_OR_RETURN(const Question question, QuestionOf(arguments, invoker));
  return AnswerAndPrint(question, format, invoker);
}

}  // namespace mirrorfs
