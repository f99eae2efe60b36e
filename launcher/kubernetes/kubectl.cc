#include "launcher/kubernetes/kubectl.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/system/captured_command.h"
#include "launcher/system/programs.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr char kVariable[] = "MIRRORFS_KUBECTL";

void AddFlag(std::vector<std::string>& command, std::string_view flag, const std::string& value) {
  if (!value.empty()) command.push_back(fmt::format("--{}={}", flag, value));
}

}  // namespace

absl::StatusOr<std::string> FindKubectl() {
  const char* named = std::getenv(kVariable);
  const bool is_named = named != nullptr && *named != '\0';
  const std::string name = is_named ? named : "kubectl";
  if (name.find('/') == name.npos) {
    if (std::string file = SearchPath(name); !file.empty()) return file;
  } else if (::access(name.c_str(), X_OK) == 0) {
    return std::filesystem::absolute(name).lexically_normal().string();  // the keeper works elsewhere
  }
  if (is_named) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("{} is {}, which is no program that can be run.", kVariable, name));
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("there is no kubectl in $PATH; Kubernetes is reached through it. Install it "
                             "(https://kubernetes.io/docs/tasks/tools), or name it: {}=/path/to/kubectl",
                             kVariable));
}

Kubectl::Kubectl(ClusterAccess access) : access_(std::move(access)) {}

std::vector<std::string> Kubectl::Command(absl::Span<const std::string> words) const {
  std::vector<std::string> command = {access_.kubectl};
  AddFlag(command, "kubeconfig", access_.kubeconfig);
  AddFlag(command, "context", access_.context);
  AddFlag(command, "namespace", access_.name_space);
  AddFlag(command, "as", access_.impersonate);
  for (const std::string& group : access_.impersonate_groups) AddFlag(command, "as-group", group);
  command.insert(command.end(), words.begin(), words.end());
  return command;
}

absl::StatusOr<std::string> Kubectl::Run(absl::Span<const std::string> words, std::string_view input,
                                         absl::Duration limit) const {
  // kubectl translates some messages; they are read here, and shown to people.
  ASSIGN_OR_RETURN(CapturedEnd end, RunCaptured({.program = access_.kubectl,
                                                 .command = Command(words),
                                                 .variables = {"LC_ALL=C.UTF-8"},
                                                 .input = input,
                                                 .limit = limit}));
  if (end.Succeeded()) return std::move(end.output);
  return ExplainKubectl(*this, words, end, limit);
}

std::string Kubectl::Shown(std::string_view words) const {
  std::string text = "kubectl";
  const auto add = [&text](std::string_view flag, std::string_view value) {
    if (!value.empty()) text += fmt::format(" {} {}", flag, value);
  };
  add("--kubeconfig", access_.kubeconfig);
  add("--context", access_.context);
  add("-n", access_.name_space);
  add("--as", access_.impersonate);
  for (const std::string& group : access_.impersonate_groups) add("--as-group", group);
  return text + " " + std::string(words);
}

Kubectl Kubectl::In(const std::string& name_space) const {
  ClusterAccess access = access_;
  if (!name_space.empty()) access.name_space = name_space;
  return Kubectl(std::move(access));
}

std::string Kubectl::WhereText() const {
  if (access_.name_space.empty()) return "in the current namespace";
  return "in namespace " + access_.name_space;
}

}  // namespace mirrorfs
