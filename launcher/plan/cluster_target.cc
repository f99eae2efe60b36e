#include "launcher/plan/cluster_target.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr char kForms[] = "Write TYPE/NAME or TYPE/NAME/container/CONTAINER, as in pod/web-0 or deployment/web.";

absl::Status Wrong(std::string_view text, std::string_view why) {
  return Failure(ExitCode::kUsage, fmt::format("target '{}': {}. {}", text, why, kForms));
}

// An option with one text, under its names.
struct TextOption {
  std::string_view short_name;
  std::string_view long_name;
  std::string ClusterFlags::*text;
};

constexpr std::array kTextOptions = {
    TextOption{"-c", "--container", &ClusterFlags::container},  TextOption{"-l", "--selector", &ClusterFlags::selector},
    TextOption{"-n", "--namespace", &ClusterFlags::name_space}, TextOption{"", "--context", &ClusterFlags::context},
    TextOption{"", "--kubeconfig", &ClusterFlags::kubeconfig},  TextOption{"", "--kube-as", &ClusterFlags::impersonate},
};
constexpr std::string_view kGroupOption = "--kube-as-group";

// Words between spaces. Nothing if a quote is not closed.
std::optional<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool quoted = false;
  bool begun = false;
  for (const char c : text) {
    if (c == '\'') {
      quoted = !quoted;
      begun = true;
    } else if (c == ' ' && !quoted) {
      if (begun) words.push_back(std::exchange(word, {}));
      begun = false;
    } else {
      word += c;
      begun = true;
    }
  }
  if (quoted) return std::nullopt;
  if (begun) words.push_back(word);
  return words;
}

std::string Quoted(const std::string& word) { return word.find(' ') == word.npos ? word : fmt::format("'{}'", word); }

// As Kubernetes has names: letters, digits, '-', '.'; nothing that could be read as a path or an option.
bool IsName(std::string_view name) {
  return !name.empty() && name.front() != '-' && name.front() != '.' &&
         std::all_of(name.begin(), name.end(),
                     [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == ':'; });
}

std::string_view KindWord(std::string_view text) { return text.substr(0, std::min(text.find('/'), text.find(' '))); }

// The first word of the text.
absl::Status ParseObject(std::string_view text, std::string_view word, WorkloadTarget& workload) {
  const WorkloadKind* kind = FindWorkloadKind(KindWord(word));
  workload.kind = kind->name;
  const size_t slash = word.find('/');
  if (slash == word.npos) return absl::OkStatus();
  std::string_view rest = word.substr(slash + 1);
  const std::string_view name = rest.substr(0, rest.find('/'));
  if (!IsName(name)) return Wrong(text, fmt::format("'{}' is not the name of a {}", name, kind->name));
  workload.name = name;
  rest.remove_prefix(name.size());
  if (rest.empty()) return absl::OkStatus();
  if (!rest.starts_with("/container/")) {
    return Wrong(text,
                 fmt::format("'{}' is not expected after the name; a container is named by /container/NAME", rest));
  }
  rest.remove_prefix(std::string_view("/container/").size());
  if (!IsName(rest)) return Wrong(text, fmt::format("'{}' is not the name of a container", rest));
  workload.container = rest;
  return absl::OkStatus();
}

absl::StatusOr<ClusterFlags> ParseOptions(std::string_view text, absl::Span<const std::string> words) {
  ClusterFlags flags;
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string& name = words[i];
    if (i + 1 == words.size()) return Wrong(text, fmt::format("{} is not expected, or its value is missing", name));
    const std::string& value = words[i + 1];
    const auto option = std::find_if(kTextOptions.begin(), kTextOptions.end(), [&name](const TextOption& known) {
      return name == known.short_name || name == known.long_name;
    });
    if (name == kGroupOption) {
      flags.impersonate_groups.push_back(value);
    } else if (option == kTextOptions.end()) {
      return Wrong(text, fmt::format("'{}' is not expected after the target", name));
    } else {
      flags.*(option->text) = value;
    }
  }
  return flags;
}

absl::Status CheckWhich(std::string_view text, const WorkloadTarget& workload) {
  if (!workload.selector.empty() && !workload.name.empty()) {
    return Wrong(
        text, fmt::format("{}/{} and -l {} are both given; say one", workload.kind, workload.name, workload.selector));
  }
  if (!workload.selector.empty() && workload.kind != "pod") {
    return Wrong(text,
                 fmt::format("-l chooses among pods, not among objects of kind {}; leave that out", workload.kind));
  }
  if (workload.selector.empty() && workload.name.empty()) return Wrong(text, "the name is missing");
  if (workload.kind == "node" && !workload.container.empty()) return Wrong(text, "a node has no containers");
  return absl::OkStatus();
}

void TakeOver(const std::string& given, std::string& value) {
  if (!given.empty()) value = given;
}

absl::Status ApplyAccess(const ClusterFlags& flags, std::string_view working_directory, ClusterAccess& access) {
  TakeOver(flags.name_space, access.name_space);
  TakeOver(flags.context, access.context);
  if (!flags.kubeconfig.empty()) {
    access.kubeconfig = (std::filesystem::path(working_directory) / flags.kubeconfig).lexically_normal().string();
  }
  TakeOver(flags.impersonate, access.impersonate);
  if (!flags.impersonate_groups.empty()) access.impersonate_groups = flags.impersonate_groups;
  for (const std::string* word : {&access.name_space, &access.context, &access.kubeconfig, &access.impersonate}) {
    if (word->find('\'') != word->npos) {
      return Failure(ExitCode::kUsage, fmt::format("{}: a quote is not possible in it.", *word));
    }
  }
  return absl::OkStatus();
}

}  // namespace

bool IsClusterTarget(std::string_view text) {
  const std::string_view kind = KindWord(text);
  return FindWorkloadKind(kind) != nullptr && kind.size() < text.size();
}

absl::StatusOr<ClusterTarget> ParseClusterTarget(std::string_view text, std::string_view working_directory) {
  const auto words = SplitWords(text);
  if (!words) return Wrong(text, "a quote is not closed");
  ClusterTarget target;
  RETURN_IF_ERROR(ParseObject(text, words->front(), target.workload));
  ASSIGN_OR_RETURN(const ClusterFlags flags, ParseOptions(text, absl::MakeSpan(*words).subspan(1)));
  RETURN_IF_ERROR(ApplyClusterFlags(flags, working_directory, target));
  return target;
}

std::string ClusterTargetText(const ClusterTarget& target) {
  const auto& [workload, access] = target;
  std::string text = workload.kind;
  if (!workload.name.empty()) text += "/" + workload.name;
  if (!workload.name.empty() && !workload.container.empty()) text += "/container/" + workload.container;
  const auto add = [&text](std::string_view option, const std::string& value) {
    if (!value.empty()) text += fmt::format(" {} {}", option, Quoted(value));
  };
  add("-l", workload.selector);
  if (workload.name.empty()) add("-c", workload.container);
  add("-n", access.name_space);
  add("--context", access.context);
  add("--kubeconfig", access.kubeconfig);
  add("--kube-as", access.impersonate);
  for (const std::string& group : access.impersonate_groups) add(kGroupOption, group);
  return text;
}

absl::Status ApplyClusterFlags(const ClusterFlags& flags, std::string_view working_directory, ClusterTarget& target) {
  WorkloadTarget& workload = target.workload;
  if (!flags.container.empty() && !workload.container.empty() && flags.container != workload.container) {
    return Failure(ExitCode::kUsage, fmt::format("two containers are named: {} by the target and {} by -c; say one.",
                                                 workload.container, flags.container));
  }
  if (!flags.container.empty() && !IsName(flags.container)) {
    return Failure(ExitCode::kUsage, fmt::format("-c {}: that is not the name of a container.", flags.container));
  }
  TakeOver(flags.container, workload.container);
  TakeOver(flags.selector, workload.selector);
  RETURN_IF_ERROR(CheckWhich(ClusterTargetText(target), workload));
  return ApplyAccess(flags, working_directory, target.access);
}

absl::StatusOr<ClusterAccess> AccessOf(const ClusterFlags& flags, std::string_view working_directory) {
  ClusterAccess access;
  RETURN_IF_ERROR(ApplyAccess(flags, working_directory, access));
  return access;
}

std::string FirstGiven(const ClusterFlags& flags) {
  for (const TextOption& option : kTextOptions) {
    if (!(flags.*(option.text)).empty()) return std::string(option.long_name);
  }
  return flags.impersonate_groups.empty() ? std::string() : std::string(kGroupOption);
}

}  // namespace mirrorfs
