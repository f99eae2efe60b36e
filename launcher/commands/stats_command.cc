#include "launcher/commands/stats_command.h"

#include <cstdio>
#include <vector>

#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/commands/output_format.h"
#include "launcher/commands/table.h"
#include "launcher/control_client.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/plan/command_line.h"
#include "launcher/state/named_mount.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

constexpr absl::Duration kAnswerLimit = absl::Seconds(5);

std::string Number(const nlohmann::json& object, const char* name) { return std::to_string(NumberField(object, name)); }

std::string CallTable(const nlohmann::json& calls) {
  std::vector<std::vector<std::string>> rows = {{"CALL", "COUNT", "ERRORS", "RETRIES", "SENT", "RECEIVED"}};
  for (const auto& [method, count] : calls.items()) {
    rows.push_back({method, Number(count, "calls"), Number(count, "errors"), Number(count, "retries"),
                    Number(count, "bytes_sent"), Number(count, "bytes_received")});
  }
  return FormatTable(rows);
}

std::string RequestTable(const nlohmann::json& requests) {
  std::vector<std::vector<std::string>> rows = {{"REQUEST", "COUNT"}};
  for (const auto& [name, count] : requests.items()) {
    rows.push_back({name, count.is_number() ? std::to_string(count.get<uint64_t>()) : "?"});
  }
  return FormatTable(rows);
}

std::string AsText(const nlohmann::json& stats) {
  const auto part = [&](const char* name) { return stats.value(name, nlohmann::json::object()); };
  return fmt::format("{} calls to the agent, {} requests from the kernel, {} MiB of memory, up {} s\n\n{}\n{}",
                     NumberField(stats, "total_calls"), NumberField(stats, "total_requests"),
                     NumberField(stats, "memory_bytes") >> 20, NumberField(stats, "uptime_seconds"),
                     CallTable(part("calls")), RequestTable(part("requests")));
}

}  // namespace

absl::Status RunStats(absl::Span<const std::string> words, const Invoker& invoker) {
  std::string directory;
  std::string output;
  bool help = false;
  po::options_description options;
  auto add = options.add_options();
  add("mountpoint", po::value(&directory));
  add("output,o", po::value(&output));
  add("help,h", po::bool_switch(&help));
  po::positional_options_description positional;
  positional.add("mountpoint", 1);
  RETURN_IF_ERROR(ParseCommandLine("stats", words, options, positional));
  if (help) return PrintHelp("stats");
  if (directory.empty()) {
    return Failure(ExitCode::kUsage, "stats: the mount point is missing. Usage: mirrorfs stats DIR [-o json]");
  }
  ASSIGN_OR_RETURN(const OutputFormat format, ParseOutputFormat(output, OutputFormats::kPlainAndJson));
  ASSIGN_OR_RETURN(const KnownMount mount, FindNamedMount(directory, invoker));
  ASSIGN_OR_RETURN(const auto answer, AskKeeper(mount.paths.control_socket, {{"request", "stats"}}, kAnswerLimit));
  const nlohmann::json stats = answer.value("stats", nlohmann::json::object());
  fmt::print("{}", format == OutputFormat::kJson ? stats.dump(2) + "\n" : AsText(stats));
  return absl::OkStatus();
}

}  // namespace mirrorfs
