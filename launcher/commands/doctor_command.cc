#include "launcher/commands/doctor_command.h"

#include <algorithm>
#include <cstdio>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/doctor/machine_checks.h"
#include "launcher/doctor/target_checks.h"
#include "launcher/own_name.h"
#include "launcher/plan/cluster_options.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/service_arguments.h"
#include "launcher/printable.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct DoctorArguments {
  MountArguments how;
  std::string mountpoint;
  std::string output;
  bool help = false;
};

absl::Status Parse(absl::Span<const std::string> words, DoctorArguments& arguments) {
  po::options_description options;
  AddTargetFlags(options, arguments.how);
  AddClusterOptions(options, arguments.how.cluster);
  auto add = options.add_options();
  add("target,t", po::value(&arguments.how.target));
  add("mountpoint", po::value(&arguments.mountpoint));
  add("output,o", po::value(&arguments.output));
  add("help,h", po::bool_switch(&arguments.help));
  return ParseCommandLine("doctor", words, options, {});
}

nlohmann::ordered_json AsJson(const std::vector<Check>& checks) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Check& check : checks) {
    list.push_back({{"check", check.subject},
                    {"result", ToWord(check.result)},
                    {"text", InOwnName(check.text)},
                    {"exit_code", static_cast<int>(check.code)}});
  }
  return list;
}

void CheckAll(const DoctorArguments& arguments, const Invoker& invoker, MountPlan plan, const CheckReport& report) {
  const bool has_target = !plan.target.empty();
  CheckMachine(invoker, plan, report);
  if (!arguments.mountpoint.empty()) CheckMountPoint(invoker, arguments.mountpoint, report);
  if (has_target && !plan.IsInCluster()) return CheckOtherTarget(plan, invoker, report);
  const bool reached = CheckCluster(plan.cluster, has_target, report);
  if (reached && has_target) CheckClusterTarget(plan, report);
}

absl::StatusOr<MountPlan> PlanOf(const DoctorArguments& arguments, const Invoker& invoker) {
  MountArguments how = arguments.how;
  if (how.target.empty() && !how.cluster.selector.empty()) how.target = "pod";
  if (!how.target.empty()) {
    ASSIGN_OR_RETURN(how, WithSettings(std::move(how), CurrentEnvironment(), invoker));
    return MakeServicePlan(how, invoker);
  }
  MountPlan plan;
  plan.agent_path = arguments.how.agent_path;
  plan.daemon_path = arguments.how.daemon_path;
  ASSIGN_OR_RETURN(plan.cluster, AccessOf(arguments.how.cluster, invoker.working_directory));
  return plan;
}

}  // namespace

absl::Status RunDoctor(absl::Span<const std::string> words, const Invoker& invoker) {
  DoctorArguments arguments;
  RETURN_IF_ERROR(Parse(words, arguments));
  if (arguments.help) return PrintHelp("doctor");
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(arguments.output, OutputFormats::kPlainAndJson));
  ASSIGN_OR_RETURN(MountPlan plan, PlanOf(arguments, invoker));
  std::vector<Check> checks;
  CheckAll(arguments, invoker, std::move(plan), [&](const Check& check) {
    checks.push_back(check);
    if (format == OutputFormat::kJson) return;
    fmt::print("{:<8} {:<17} {}\n", ToWord(check.result), check.subject, Printable(InOwnName(check.text)));
    std::fflush(stdout);  // others may take their time
  });
  if (format == OutputFormat::kJson) {
    fmt::print("{}\n", AsJson(checks).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  }
  const auto failed = std::find_if(checks.begin(), checks.end(),
                                   [](const Check& check) { return check.result == CheckResult::kFailed; });
  if (failed == checks.end()) return absl::OkStatus();
  return Failure(failed->code, fmt::format("no mount can work: {}", failed->subject));
}

}  // namespace mirrorfs
