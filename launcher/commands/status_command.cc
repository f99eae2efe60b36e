#include "launcher/commands/status_command.h"

#include <cstdio>
#include <vector>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/commands/table.h"
#include "launcher/plan/command_line.h"
#include "launcher/state/known_mounts.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

std::string Since(const MountRecord& record) {
  return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixSeconds(record.since), absl::UTCTimeZone());
}

const char* Mode(const MountRecord& record) {
  if (!record.layer.empty()) return "cow";
  return record.read_write ? "rw" : "ro";
}

std::string Deadline(const MountRecord& record) {
  return record.deadline_seconds == 0 ? "none" : fmt::format("{}s", record.deadline_seconds);
}

std::string Pid(const ProcessIdentity& process) { return process.pid == 0 ? "-" : std::to_string(process.pid); }

nlohmann::json AsJson(const std::vector<KnownMount>& mounts) {
  nlohmann::json list = nlohmann::json::array();
  for (const KnownMount& mount : mounts) {
    const MountRecord& record = mount.record;
    list.push_back({{"target", record.target},
                    {"container", record.container},
                    {"mountpoint", record.mountpoint},
                    {"mode", Mode(record)},
                    {"layer", record.layer},
                    {"identity", record.identity},
                    {"options", record.options},
                    {"deadline", Deadline(record)},
                    {"state", ToWord(mount.state)},
                    {"since", Since(record)},
                    {"pid", record.keeper.pid},
                    {"agent_pid", record.agent.pid},
                    {"daemon_pid", record.daemon.pid},
                    {"log", mount.paths.log}});
  }
  return list;
}

std::string AsTable(const std::vector<KnownMount>& mounts, bool wide) {
  if (mounts.empty()) return "Nothing is mounted.\n";
  std::vector<std::vector<std::string>> rows = {{"TARGET", "MOUNTPOINT", "PID", "MODE", "AS", "STATE", "SINCE"}};
  if (wide) rows[0].insert(rows[0].end(), {"CONTAINER", "AGENT", "DAEMON", "DEADLINE", "OPTIONS", "LOG"});
  for (const KnownMount& mount : mounts) {
    const MountRecord& record = mount.record;
    rows.push_back({record.target, record.mountpoint, Pid(record.keeper), Mode(record), record.identity,
                    ToWord(mount.state), Since(record)});
    if (wide) {
      rows.back().insert(rows.back().end(),
                         {record.container.empty() ? "-" : record.container, Pid(record.agent), Pid(record.daemon),
                          Deadline(record), record.options.empty() ? "-" : record.options, mount.paths.log});
    }
  }
  return FormatTable(rows);
}

}  // namespace

absl::Status RunStatus(absl::Span<const std::string> words, const Invoker& invoker) {
  std::string output;
  bool help = false;
  po::options_description options;
  options.add_options()("output,o", po::value(&output))("help,h", po::bool_switch(&help));
  RETURN_IF_ERROR(ParseCommandLine("status", words, options, {}));
  if (help) return PrintHelp("status");
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(output, OutputFormats::kAll));
  const std::vector<KnownMount> mounts = ListMounts(StateBasePath(invoker));
  if (format == OutputFormat::kJson) {
    fmt::print("{}\n", AsJson(mounts).dump(2, ' ', false, nlohmann::json::error_handler_t::replace));
  } else {
    fmt::print("{}", AsTable(mounts, format == OutputFormat::kWide));
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
