#include "launcher/commands/logs_command.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/failure.h"
#include "launcher/logs/mount_log.h"
#include "launcher/own_name.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/duration.h"
#include "launcher/state/named_mount.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

// How often new lines are looked for.
constexpr absl::Duration kInterval = absl::Milliseconds(200);

struct LogsArguments {
  std::string mount;  // empty: all
  std::string since;
  bool follow = false;
  bool help = false;
};

absl::Status Parse(absl::Span<const std::string> words, LogsArguments& arguments) {
  po::options_description options;
  auto add = options.add_options();
  add("mount", po::value(&arguments.mount));
  add("since", po::value(&arguments.since));
  add("follow,f", po::bool_switch(&arguments.follow));
  add("help,h", po::bool_switch(&arguments.help));
  po::positional_options_description positional;
  positional.add("mount", 1);
  return ParseCommandLine("logs", words, options, positional);
}

// A length of time before now, or a time.
absl::StatusOr<absl::Time> SinceOf(const std::string& word) {
  if (word.empty()) return absl::InfinitePast();
  absl::Time time;
  if (absl::ParseTime(absl::RFC3339_full, word, &time, nullptr)) return time;
  const auto length = ParseDuration("--since", word);
  if (length.ok()) return absl::Now() - *length;
  return Failure(ExitCode::kUsage,
                 fmt::format("--since: '{}' is neither a length of time, such as 10s or 2m, nor a time, "
                             "such as 2026-11-27T10:00:00Z.",
                             word));
}

// All logs that are looked at.
class Logs {
 public:
  Logs(std::string base, absl::Time since, bool follow) : base_(std::move(base)), since_(since), follow_(follow) {}

  void Add(const StatePaths& paths) {
    const bool known =
        std::any_of(logs_.begin(), logs_.end(), [&](const auto& log) { return log->directory() == paths.directory; });
    if (known) return;
    if (auto log = MountLog::Open(paths)) logs_.push_back(std::move(log));
  }

  void AddAll() {
    for (const std::string& id : ListIds(base_)) Add(PathsOfId(base_, id));
  }

  // What is new in any of them, by time; those that have ended are let go.
  void Print() {
    std::vector<std::pair<absl::Time, std::string>> lines;
    for (const auto& log : logs_) {
      // Asked before: what is written until the end is read after it.
      const bool ended = log->Ended();
      std::string trouble;
      for (const LogLine& line : log->Read(since_, follow_, trouble)) {
        lines.emplace_back(line.time, ToText(line, log->name()));
      }
      if (!trouble.empty()) fmt::print(stderr, "{}: {}\n", OwnName(), trouble);
      if (ended) ended_.push_back(log.get());
    }
    std::stable_sort(lines.begin(), lines.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [time, text] : lines) fmt::print("{}\n", text);
    std::fflush(stdout);
    std::erase_if(logs_, [&](const auto& log) { return std::ranges::find(ended_, log.get()) != ended_.end(); });
    ended_.clear();
  }

  bool Empty() const { return logs_.empty(); }

 private:
  const std::string base_;
  const absl::Time since_;
  const bool follow_;
  std::vector<std::unique_ptr<MountLog>> logs_;
  std::vector<const MountLog*> ended_;
};

}  // namespace

absl::Status RunLogs(absl::Span<const std::string> words, const Invoker& invoker) {
  LogsArguments arguments;
  RETURN_IF_ERROR(Parse(words, arguments));
  if (arguments.help) return PrintHelp("logs");
  ASSIGN_OR_RETURN(const absl::Time since, SinceOf(arguments.since));
  const bool all = arguments.mount.empty();
  Logs logs(StateBasePath(invoker), since, arguments.follow);
  if (!all) {
    ASSIGN_OR_RETURN(const KnownMount mount, FindNamedMount(arguments.mount, invoker));
    logs.Add(mount.paths);
  }
  do {
    if (all) logs.AddAll();
    logs.Print();
    if (arguments.follow) absl::SleepFor(kInterval);
  } while (arguments.follow && (all || !logs.Empty()) && std::ferror(stdout) == 0);
  return absl::OkStatus();
}

}  // namespace mirrorfs
