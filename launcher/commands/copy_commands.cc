#include "launcher/commands/copy_commands.h"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/layers/layer_tool.h"
#include "launcher/plan/cluster_options.h"
#include "launcher/plan/command_line.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/remote_path.h"
#include "launcher/plan/service_arguments.h"
#include "launcher/plan/target_spec.h"
#include "launcher/printable.h"
#include "launcher/system/child_process.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

namespace po = boost::program_options;

struct CopyArguments {
  std::vector<std::string> words;
  bool help = false;
  bool verbose = false;
  MountArguments how;
};

absl::Status Parse(std::string_view command, absl::Span<const std::string> words, CopyArguments& arguments) {
  po::options_description options;
  auto add = options.add_options();
  add("words", po::value(&arguments.words));
  add("verbose,v", po::bool_switch(&arguments.verbose));
  add("help,h", po::bool_switch(&arguments.help));
  AddTargetFlags(options, arguments.how);
  AddClusterOptions(options, arguments.how.cluster);
  po::positional_options_description positional;
  positional.add("words", -1);
  return ParseCommandLine(command, words, options, positional);
}

// What could not be copied.
struct Tally {
  int failed = 0;
  uint64_t files = 0;
  uint64_t bytes = 0;
};

void Report(const nlohmann::json& message, Tally& tally) {
  const std::string event = TextField(message, "event");
  if (event == "copied") {
    tally.files += message.value("files", uint64_t{0});
    tally.bytes += message.value("bytes", uint64_t{0});
    return;
  }
  if (event != "failed_path" && event != "skipped") return;
  const bool failed = event == "failed_path";
  tally.failed += failed ? 1 : 0;
  fmt::print(stderr, "mirrorfs: {}: {}{}\n", Printable(TextField(message, "path")),
             failed ? "" : "left out: ", TextField(message, "why"));
}

enum class Direction : uint8_t { kGet, kPut, kCat };

// One run of mirrorfsd on a target. `local`: the path here; of kCat empty, as it goes to standard output.
absl::Status Transfer(const MountArguments& how, Direction direction, const RemotePath& remote,
                      const std::string& local, const Invoker& invoker, Tally& tally) {
  MountArguments arguments = how;
  arguments.target = remote.target;
  ASSIGN_OR_RETURN(arguments, WithSettings(std::move(arguments), CurrentEnvironment(), invoker));
  ASSIGN_OR_RETURN(MountPlan plan, MakeServicePlan(arguments, invoker));
  plan.read_write = direction == Direction::kPut;
  const char* word = direction == Direction::kGet ? "get" : direction == Direction::kPut ? "put" : "cat";
  std::vector<std::string> words = {"--transfer", word, "--remote-path", remote.path};
  if (direction == Direction::kCat) {
    words.insert(words.end(), {"--output-fd", std::to_string(kToolOutput)});
  } else {
    words.insert(words.end(), {"--local-path", local});
  }
  const absl::Status done = RunLayerTool({.plan = std::move(plan),
                                          .layer_directory = {},
                                          .words = std::move(words),
                                          .output = direction == Direction::kCat ? STDOUT_FILENO : -1},
                                         invoker, [&tally](const nlohmann::json& message) { Report(message, tally); });
  const std::string message = MessageOf(done);
  return message.starts_with(remote.path + ":") ? Failure(ExitCodeOf(done), remote.target + ":" + message) : done;
}

// Slashes and dots at the end mean something (cp's "DIR/."), so only the beginning is changed.
std::string LocalPath(const std::string& path, const Invoker& invoker) {
  return path.starts_with('/') ? path : invoker.working_directory + "/" + path;
}

absl::Status Download(const CopyArguments& arguments, const RemotePath& from, const std::string& to,
                      const Invoker& invoker, Tally& tally) {
  return Transfer(arguments.how, Direction::kGet, from, LocalPath(to, invoker), invoker, tally);
}

absl::Status CopyOne(const CopyArguments& arguments, const std::string& source, const std::string& destination,
                     const Invoker& invoker, Tally& tally) {
  const std::optional<RemotePath> from = ParseRemotePath(source);
  const std::optional<RemotePath> to = ParseRemotePath(destination);
  if (from && to) {
    return Failure(ExitCode::kUsage, "cp: both are in a target: copy to this machine first.");
  }
  if (from) return Download(arguments, *from, destination, invoker, tally);
  if (!to) {
    return Failure(ExitCode::kUsage,
                   fmt::format("cp: neither {} nor {} is in a target; write TARGET:/PATH.", source, destination));
  }
  return Transfer(arguments.how, Direction::kPut, *to, LocalPath(source, invoker), invoker, tally);
}

absl::Status Outcome(const CopyArguments& arguments, const Tally& tally) {
  if (arguments.verbose) fmt::print(stderr, "{} files, {} bytes\n", tally.files, tally.bytes);
  if (tally.failed == 0) return absl::OkStatus();
  return Failure(ExitCode::kFailed, fmt::format("{} of the files could not be copied.", tally.failed));
}

// A temporary directory that goes with it.
class Scratch {
 public:
  static absl::StatusOr<std::unique_ptr<Scratch>> Make() {
    const char* base = std::getenv("TMPDIR");
    std::string path = std::string(base != nullptr && *base == '/' ? base : "/tmp") + "/mirrorfs-diff-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr) return LastErrno(path);
    return std::make_unique<Scratch>(std::move(path));
  }
  explicit Scratch(std::string path) : path_(std::move(path)) {}
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;

  const std::string& path() const { return path_; }

 private:
  const std::string path_;
};

// "docker/web" as the name of a directory.
std::string DirectoryName(std::string target) {
  std::replace(target.begin(), target.end(), '/', '-');
  return target;
}

}  // namespace

absl::Status RunCopy(absl::Span<const std::string> words, const Invoker& invoker) {
  CopyArguments arguments;
  RETURN_IF_ERROR(Parse("cp", words, arguments));
  if (arguments.help) return PrintHelp("cp");
  if (arguments.words.size() < 2) {
    return Failure(ExitCode::kUsage, "cp: write what and where to: mirrorfs cp TARGET:/PATH PATH, or the other way.");
  }
  Tally tally;
  for (size_t i = 0; i + 1 < arguments.words.size(); ++i) {
    RETURN_IF_ERROR(CopyOne(arguments, arguments.words[i], arguments.words.back(), invoker, tally));
  }
  return Outcome(arguments, tally);
}

absl::Status RunCat(absl::Span<const std::string> words, const Invoker& invoker) {
  CopyArguments arguments;
  RETURN_IF_ERROR(Parse("cat", words, arguments));
  if (arguments.help) return PrintHelp("cat");
  if (arguments.words.empty()) return Failure(ExitCode::kUsage, "cat: of which file? Write TARGET:/PATH.");
  Tally tally;
  for (const std::string& word : arguments.words) {
    const std::optional<RemotePath> file = ParseRemotePath(word);
    if (!file) return Failure(ExitCode::kUsage, fmt::format("cat: {}: that is no TARGET:/PATH.", word));
    RETURN_IF_ERROR(Transfer(arguments.how, Direction::kCat, *file, "", invoker, tally));
  }
  return absl::OkStatus();
}

bool AsksToCompare(absl::Span<const std::string> words) {
  // A layer's name has no slash; values of options (-n shop) may stand between the targets.
  return std::count_if(words.begin(), words.end(), [](const std::string& word) {
           return !word.starts_with('-') && !word.starts_with('/') && LooksLikeTarget(word);
         }) >= 2;
}

absl::Status RunCompare(absl::Span<const std::string> words, const Invoker& invoker) {
  CopyArguments arguments;
  RETURN_IF_ERROR(Parse("diff", words, arguments));
  if (arguments.words.size() != 3 || !arguments.words[2].starts_with('/')) {
    return Failure(ExitCode::kUsage, "diff: to compare two targets write mirrorfs diff TARGET TARGET /PATH.");
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<Scratch> scratch, Scratch::Make());
  const std::string name = std::filesystem::path(AbsolutePath(arguments.words[2], "/")).filename().string();
  std::array<std::string, 2> sides = {DirectoryName(arguments.words[0]), DirectoryName(arguments.words[1])};
  if (sides[0] == sides[1]) sides = {"1-" + sides[0], "2-" + sides[1]};
  Tally tally;
  for (size_t i = 0; i < sides.size(); ++i) {
    const std::string directory = scratch->path() + "/" + sides[i];
    std::filesystem::create_directory(directory);
    const std::string target = directory + (name.empty() ? "" : "/" + name);
    RETURN_IF_ERROR(Download(arguments, {arguments.words[i], AbsolutePath(arguments.words[2], "/") + "/."}, target,
                             invoker, tally));
    if (!name.empty()) sides[i] += "/" + name;
  }
  ASSIGN_OR_RETURN(const pid_t pid, StartChild({.program = "/usr/bin/env",
                                                .command = {"env", "-C", scratch->path(), "diff", "-r", "-u",
                                                            "--no-dereference", "--", sides[0], sides[1]},
                                                .output = STDOUT_FILENO,
                                                .descriptors = {}}));
  const int status = Reap(pid);
  RETURN_IF_ERROR(Outcome(arguments, tally));
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return absl::OkStatus();
  return Failure(ExitCode::kFailed,
                 fmt::format("{} and {} differ in {}.", arguments.words[0], arguments.words[1], arguments.words[2]));
}

}  // namespace mirrorfs
