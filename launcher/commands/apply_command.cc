#include "launcher/commands/apply_command.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/layers/layer_store.h"
#include "launcher/layers/layer_tool.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/service_arguments.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct ApplyArguments {
  std::vector<std::string> words;  // the layer, if it is one, and paths
  std::string layer;
  std::vector<std::string> paths;
  bool force = false;
  bool help = false;
  MountArguments how;
};

absl::Status Parse(absl::Span<const std::string> words, ApplyArguments& arguments) {
  po::options_description options;
  auto add = options.add_options();
  add("words", po::value(&arguments.words));
  add("force,f", po::bool_switch(&arguments.force));
  add("help,h", po::bool_switch(&arguments.help));
  AddTargetFlags(options, arguments.how);
  po::positional_options_description positional;
  positional.add("words", -1);
  RETURN_IF_ERROR(ParseCommandLine("apply", words, options, positional));
  for (const std::string& word : arguments.words) {
    if (!word.empty() && word.front() == '/') {
      arguments.paths.push_back(word);
    } else if (arguments.layer.empty() && arguments.paths.empty()) {
      arguments.layer = word;
    } else {
      return Failure(ExitCode::kUsage,
                     fmt::format("apply: '{}' is no path in the container: paths begin with '/'.", word));
    }
  }
  return absl::OkStatus();
}

struct Tally {
  int applied = 0;
  int refused = 0;
  int failed = 0;
};

void Report(const nlohmann::json& message, Tally& tally) {
  if (TextField(message, "event") != "change") return;
  const std::string result = TextField(message, "result");
  const std::string path = TextField(message, "path");
  const std::string change = TextField(message, "change");
  if (result == "applied" || result == "already") {
    ++tally.applied;
    fmt::print("{} {}{}\n", change, path, result == "already" ? " (was so already)" : "");
    return;
  }
  ++(result == "refused" ? tally.refused : tally.failed);
  fmt::print("! {} {}: {}\n", change, path, TextField(message, "message"));
}

}  // namespace

absl::Status RunApply(absl::Span<const std::string> words, const Invoker& invoker) {
  ApplyArguments arguments;
  RETURN_IF_ERROR(Parse(words, arguments));
  if (arguments.help) return PrintHelp("apply");
  ASSIGN_OR_RETURN(const KnownLayer known, FindLayer(invoker, arguments.layer));
  if (known.in_use) {
    return Failure(ExitCode::kBusy,
                   fmt::format("layer {}: it is in use by a mount or a run; end that first.", known.name));
  }
  arguments.how.target = known.info.target;
  ASSIGN_OR_RETURN(arguments.how, WithSettings(std::move(arguments.how), CurrentEnvironment(), invoker));
  ASSIGN_OR_RETURN(MountPlan plan, MakeServicePlan(arguments.how, invoker));
  plan.read_write = true;
  std::vector<std::string> todo = {"--layer-work", "apply"};
  if (arguments.force) todo.emplace_back("--force");
  for (const std::string& path : arguments.paths) todo.insert(todo.end(), {"--path", path});
  Tally tally;
  RETURN_IF_ERROR(RunLayerTool({.plan = std::move(plan), .layer_directory = known.directory, .words = std::move(todo)},
                               invoker, [&tally](const nlohmann::json& message) { Report(message, tally); }));
  std::fflush(stdout);
  const std::string rest = SettleLayer(known.directory);
  if (tally.refused + tally.failed == 0) {
    fmt::print("Applied {} {} to {}.\n", tally.applied, tally.applied == 1 ? "change" : "changes", known.info.target);
    if (!rest.empty()) fmt::print("{}\n", rest);
    return absl::OkStatus();
  }
  return Failure(ExitCode::kFailed,
                 fmt::format("{} of {} changes of layer {} were not applied and are kept{}.",
                             tally.refused + tally.failed, tally.applied + tally.refused + tally.failed, known.name,
                             tally.refused > 0 ? "; --force applies them over what the container has now" : ""));
}

}  // namespace mirrorfs
