#include "launcher/commands/completion_command.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <vector>

#include "fmt/format.h"
#include "launcher/commands/help.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/cluster_lookup.h"
#include "launcher/kubernetes/inventory.h"
#include "launcher/plan/cluster_target.h"
#include "launcher/split_text.h"
#include "launcher/system/runtime_list.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Nobody waits longer for a key to have an effect.
constexpr absl::Duration kLimit = absl::Seconds(5);

enum class Rest : uint8_t { kFiles = 0, kNoSpace = 2, kNothing = 4, kDirectories = 16 };

struct Completions {
  std::vector<std::string> words;
  Rest rest = Rest::kNothing;
};

// Options that take a value, as far as something can be said about it.
constexpr std::array<std::string_view, 14> kWithValue = {
    "--mountpoint", "-n", "--namespace", "--context", "-t",           "--target",  "-c",
    "--container",  "-l", "--selector",  "-o",        "--kubeconfig", "--kube-as", "--layer"};
constexpr std::array<std::string_view, 6> kRuntimeWords = {"docker/", "podman/", "containerd/", "cri/", "pid/", "dir:"};

// What comes before the word, taken apart as far as it matters here.
struct Line {
  std::string command;
  std::vector<std::string> arguments;  // that are no options
  std::string option;                  // whose value the word is
  std::string target;                  // of --target
  ClusterFlags cluster;
};

void TakeValue(const std::string& option, const std::string& value, Line& line) {
  if (option == "-n" || option == "--namespace") line.cluster.name_space = value;
  if (option == "--context") line.cluster.context = value;
  if (option == "--kubeconfig") line.cluster.kubeconfig = value;
  if (option == "--kube-as") line.cluster.impersonate = value;
  if (option == "-t" || option == "--target") line.target = value;
}

Line TakeApart(absl::Span<const std::string> words) {
  Line line;
  for (const std::string& word : words) {
    const size_t equals = word.starts_with("--") ? word.find('=') : word.npos;
    if (!line.option.empty()) {
      TakeValue(line.option, word, line);
      line.option.clear();
    } else if (equals != word.npos) {
      TakeValue(word.substr(0, equals), word.substr(equals + 1), line);
    } else if (word.size() > 1 && word.front() == '-') {
      if (std::find(kWithValue.begin(), kWithValue.end(), word) != kWithValue.end()) line.option = word;
    } else if (line.command.empty()) {
      line.command = word;
    } else {
      line.arguments.push_back(word);
    }
  }
  return line;
}

std::vector<std::string> LinesOf(const ClusterAccess& access, absl::Span<const std::string> words) {
  const auto text = Kubectl(access).Run(words, "", kLimit);
  if (!text.ok()) return {};
  const std::vector<std::string_view> lines = SplitText(*text, '\n');
  return {lines.begin(), lines.end()};
}

// Without "pod/" before them.
std::vector<std::string> NamesOf(const ClusterAccess& access, std::string_view resource) {
  std::vector<std::string> names = LinesOf(access, {{"get", std::string(resource), "-o", "name"}});
  for (std::string& name : names) name.erase(0, name.find('/') + 1);
  return names;
}

Completions TargetKinds() {
  Completions completions{.words = {}, .rest = Rest::kNoSpace};
  for (const WorkloadKind& kind : WorkloadKinds()) completions.words.push_back(std::string(kind.name) + "/");
  for (const std::string_view word : kRuntimeWords) completions.words.emplace_back(word);
  return completions;
}

std::vector<std::string> ContainersOf(const ClusterAccess& access, const WorkloadKind& kind, const std::string& name) {
  const auto inventory = TakeInventory(Kubectl(access), {.kinds = {&kind}});
  std::vector<std::string> names;
  if (!inventory.ok()) return names;
  for (const InventoryItem& item : inventory->items) {
    if (item.name != name) continue;
    for (const PodContainer& container : item.containers) names.push_back(container.name);
  }
  return names;
}

Completions Targets(const ClusterAccess& access, std::string_view word) {
  const size_t slash = word.find('/');
  if (slash == word.npos) return word.starts_with("dir:") ? Completions{.rest = Rest::kFiles} : TargetKinds();
  const std::string kind_word(word.substr(0, slash));
  Completions completions;
  if (const WorkloadKind* kind = FindWorkloadKind(kind_word); kind != nullptr) {
    for (const std::string& name : NamesOf(access, kind->resource)) completions.words.push_back(kind_word + "/" + name);
  } else if (kind_word == "docker" || kind_word == "podman") {
    const auto containers = ListContainers(kind_word);
    if (!containers.ok()) return completions;
    for (const auto& container : *containers) completions.words.push_back(kind_word + "/" + container.name);
  }
  return completions;
}

// The options that the help tells of.
Completions Options(std::string_view command) {
  std::set<std::string> found;
  const std::string help = HelpText(command);
  for (size_t at = help.find("--"); at != help.npos; at = help.find("--", at + 2)) {
    const size_t end = help.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
    if (end != at + 2 && at > 0 && help[at - 1] == ' ') found.insert(help.substr(at, end - at));
  }
  return {.words = {found.begin(), found.end()}, .rest = Rest::kNothing};
}

Completions Values(const Line& line, const ClusterAccess& access, std::string_view word) {
  const std::string& option = line.option;
  if (option == "-n" || option == "--namespace") return {.words = NamesOf(access, "namespaces")};
  if (option == "--context") return {.words = LinesOf(access, {{"config", "get-contexts", "-o", "name"}})};
  if (option == "-t" || option == "--target") return Targets(access, word);
  if (option == "--kubeconfig") return {.words = {}, .rest = Rest::kFiles};
  if (option == "--mountpoint") return {.words = {}, .rest = Rest::kDirectories};
  if (option == "-o" && line.command == "doctor") return {.words = {"json"}};
  if (option == "-o" && line.command == "ls") return {.words = {"wide", "json", "name"}};
  if (option != "-c" && option != "--container") return {};
  const std::string target = line.target.empty() && !line.arguments.empty() ? line.arguments[0] : line.target;
  const size_t slash = target.find('/');
  const WorkloadKind* kind = FindWorkloadKind(target.substr(0, slash));
  if (slash == target.npos || kind == nullptr) return {};
  return {.words = ContainersOf(access, *kind, target.substr(slash + 1))};
}

Completions Arguments(const Line& line, const ClusterAccess& access, std::string_view word) {
  const size_t count = line.arguments.size();
  if (line.command == "mount" && count == 0) return Targets(access, word);
  if (line.command == "mount" && count == 1) return {.words = {}, .rest = Rest::kDirectories};
  if (line.command == "umount" || line.command == "stats" || line.command == "logs")
    return {.words = {}, .rest = Rest::kDirectories};
  if (line.command == "doctor") return {};
  if (line.command == "help" && count == 0) return {.words = CommandNames()};
  if (line.command == "completion" && count == 0) return {.words = {"bash", "zsh", "fish"}};
  if (line.command == "config" && count == 0) return {.words = {"show", "check", "schema"}};
  if (line.command == "ls" && count == 0) {
    Completions completions{.words = {"docker", "podman"}};
    for (const WorkloadKind& kind : WorkloadKinds()) completions.words.emplace_back(kind.name);
    return completions;
  }
  return {.words = {}, .rest = Rest::kFiles};
}

Completions Complete(absl::Span<const std::string> words, const Invoker& invoker) {
  const std::string word = words.empty() ? "" : words.back();
  const Line line = TakeApart(words.empty() ? words : words.subspan(0, words.size() - 1));
  if (line.command.empty()) return {.words = CommandNames()};
  auto access = AccessOf(line.cluster, invoker.working_directory);
  if (!access.ok()) return {};
  if (const auto kubectl = FindKubectl(); kubectl.ok()) access->kubectl = *kubectl;
  if (!line.option.empty()) return Values(line, *access, word);
  if (word.starts_with("-")) return Options(line.command);
  return Arguments(line, *access, word);
}

}  // namespace

absl::Status PrintCompletionScript(absl::Span<const std::string> words) {
  if (words.size() == 1 && (words[0] == "-h" || words[0] == "--help")) return PrintHelp("completion");
  const std::string_view script = words.size() == 1 ? CompletionScript(words[0]) : std::string_view();
  if (script.empty()) {
    return Failure(ExitCode::kUsage, "completion: write mirrorfs completion bash, zsh or fish.");
  }
  fmt::print("{}", script);
  return absl::OkStatus();
}

absl::Status PrintCompletions(absl::Span<const std::string> words, const Invoker& invoker) {
  const Completions completions = Complete(words, invoker);
  const std::string begun = words.empty() ? "" : words.back();
  for (const std::string& word : completions.words) {
    if (word.starts_with(begun)) fmt::print("{}\n", word);
  }
  fmt::print(":{}\n", static_cast<int>(completions.rest));
  return absl::OkStatus();
}

}  // namespace mirrorfs
