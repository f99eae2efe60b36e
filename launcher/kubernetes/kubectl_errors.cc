#include "launcher/kubernetes/kubectl_errors.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/json_lines.h"
#include "launcher/keeper/child_end.h"
#include "launcher/kubernetes/exec_protocol.h"
#include "launcher/printable.h"
#include "launcher/split_text.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr int kOldestMinor = 27;  // of kubectl 1.N
constexpr absl::Duration kAskLimit = absl::Seconds(10);

// "E1127 01:46:57.123456   4711 memcache.go:265] ...": what kubectl's libraries log.
bool IsLogLine(std::string_view line) {
  return line.size() > 5 && std::string_view("IWEF").find(line[0]) != std::string_view::npos &&
         std::all_of(line.begin() + 1, line.begin() + 5, [](unsigned char c) { return std::isdigit(c); });
}

bool Contains(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

bool ContainsAny(std::string_view text, absl::Span<const std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) { return Contains(text, part); });
}

// The text between two others; nothing if they are not there.
std::optional<std::string> Between(std::string_view text, std::string_view before, std::string_view after) {
  const size_t begin = text.find(before);
  if (begin == text.npos) return std::nullopt;
  text.remove_prefix(begin + before.size());
  const size_t end = text.find(after);
  if (end == text.npos) return std::nullopt;
  return std::string(text.substr(0, end));
}

std::string InContext(const Kubectl& kubectl) {
  return kubectl.access().context.empty() ? "of the current context" : "of context " + kubectl.access().context;
}

// Texts that kubectl and the library below it have for an API server that cannot be reached.
constexpr std::array<std::string_view, 18> kUnreachable = {"Unable to connect to the server",
                                                           "The connection to the server",
                                                           "connection refused",
                                                           "no such host",
                                                           "no route to host",
                                                           "network is unreachable",
                                                           "i/o timeout",
                                                           "TLS handshake timeout",
                                                           "context deadline exceeded",
                                                           "Client.Timeout exceeded",
                                                           "x509:",
                                                           "proxyconnect",
                                                           "connection reset by peer",
                                                           "Error from server (Timeout)",
                                                           "Error from server (ServiceUnavailable)",
                                                           "Error from server (TooManyRequests)",
                                                           "unexpected EOF",
                                                           "the server is currently unable to handle the request"};
constexpr std::array<std::string_view, 7> kLoggedOut = {"Unauthorized",           "You must be logged in to the server",
                                                        "provide credentials",    "getting credentials",
                                                        "no Auth Provider found", "token has expired",
                                                        "failed to refresh token"};
constexpr std::array<std::string_view, 5> kNoContext = {
    "no context exists with the name", "context was not found for specified context", "current-context must exist",
    "does not exist in the kubeconfig", "no such context"};
// Admission policies, and webhooks.
constexpr std::array<std::string_view, 2> kDenied = {"denied request: ", "denied the request"};
constexpr std::array<std::string_view, 4> kTooOld = {"unknown flag", "unknown shorthand flag", "unknown command",
                                                     "unable to match a printer"};

absl::Status Unreachable(const Kubectl& kubectl, std::string_view cause) {
  if (Contains(cause, "localhost:8080")) return NoCluster(kubectl);
  return Failure(ExitCode::kUnreachable,
                 fmt::format("the cluster {} cannot be reached: {}. Is it running, and is this the right context? Try: "
                             "{}",
                             InContext(kubectl), cause, kubectl.Shown("cluster-info")));
}

absl::Status LoggedOut(const Kubectl& kubectl, std::string_view cause) {
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("the cluster {} does not accept your login, which may have expired: {}. Log in again as "
                             "you do for kubectl, then try: {}",
                             InContext(kubectl), cause, kubectl.Shown("auth whoami")));
}

absl::Status Refused(const Kubectl& kubectl, std::string_view cause) {
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("the cluster {} refuses: {}. If that is about the agent's pod, use --agent exec, which "
                             "makes none, or --agent-namespace; else ask whoever has made that rule. What agent you "
                             "may have: mirrorfs doctor --target TARGET",
                             InContext(kubectl), cause));
}

// `User "jane" cannot get resource "pods" in API group "" in the namespace "shop"`, or something else that an admission
// plugin has against it.
absl::Status Forbidden(const Kubectl& kubectl, std::string_view cause) {
  const auto verb = Between(cause, " cannot ", " resource \"");
  const auto resource = Between(cause, " resource \"", "\"");
  if (!verb || !resource) return Refused(kubectl, cause);
  const std::string user = Between(cause, "User \"", "\"").value_or("?");
  const std::string group = Between(cause, "in API group \"", "\"").value_or("");
  const std::string full = group.empty() ? *resource : *resource + "." + group;
  const auto name_space = Between(cause, "in the namespace \"", "\"");
  const std::string where = name_space ? "in namespace " + *name_space : "in the whole cluster";
  return Failure(ExitCode::kNotPermitted,
                 fmt::format("you ({}) may not {} {} {}. Ask for a {} with the verb \"{}\" on \"{}\"; what you may do: "
                             "{}",
                             user, *verb, full, where, name_space ? "Role" : "ClusterRole", *verb, full,
                             kubectl.Shown("auth can-i --list")));
}

absl::Status NoContext(const Kubectl& kubectl, std::string_view cause) {
  const std::string& context = kubectl.access().context;
  if (context.empty()) return NoCluster(kubectl);
  return Failure(ExitCode::kUsage,
                 fmt::format("--context {}: {}. Contexts are listed by: kubectl config get-contexts", context, cause));
}

absl::Status KubeconfigWrong(const Kubectl& kubectl, std::string_view cause) {
  const std::string& file = kubectl.access().kubeconfig;
  return Failure(ExitCode::kUsage, fmt::format("the kubeconfig{} cannot be used: {}. Look at it with: {}",
                                               file.empty() ? "" : " " + file, cause, kubectl.Shown("config view")));
}

bool IsAboutKubeconfig(std::string_view errors) {
  return Contains(errors, "error loading config file") || Contains(errors, "error: stat ") ||
         Contains(errors, "invalid configuration");
}

// "1.18.3"; empty if it cannot be told.
std::string ClientVersion(const Kubectl& kubectl) {
  const auto end = RunCaptured({.program = kubectl.access().kubectl,
                                .command = {kubectl.access().kubectl, "version", "--client", "-o", "json"},
                                .variables = {},
                                .input = {},
                                .limit = kAskLimit});
  if (!end.ok()) return {};
  const auto told = FromLine(end->output);
  if (!told || !told->contains("clientVersion")) return {};
  const std::string version = TextField((*told)["clientVersion"], "gitVersion");
  return version.starts_with('v') ? version.substr(1) : version;
}

bool IsTooOld(const std::string& version) {
  const std::vector<std::string_view> parts = SplitText(version, '.');
  int minor = 0;
  return parts.size() > 1 && parts[0] == "1" && absl::SimpleAtoi(std::string(parts[1]), &minor) && minor < kOldestMinor;
}

absl::Status TooOld(const Kubectl& kubectl, const std::string& version) {
  return Failure(ExitCode::kUnreachable,
                 fmt::format("{} is version {}: mirrorfs needs 1.{} or newer. Name another one with MIRRORFS_KUBECTL.",
                             kubectl.access().kubectl, version, kOldestMinor));
}

}  // namespace

absl::Status CheckKubectlVersion(const Kubectl& kubectl, std::string_view version) {
  SkipPrefix(version, "v");
  return IsTooOld(std::string(version)) ? TooOld(kubectl, std::string(version)) : absl::OkStatus();
}

std::string CauseIn(std::string_view errors) {
  std::string cause;
  std::string_view warning;
  for (std::string_view line : SplitText(errors, '\n')) {
    while (line.ends_with(' ') || line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    if (line.starts_with("Warning:")) warning = line.substr(std::min(line.find(' ') + 1, line.size()));
    if (IsLogLine(line) || line.starts_with("Warning:") || line.starts_with("See 'kubectl")) continue;
    if (line.starts_with("error: ")) line.remove_prefix(7);
    if (line.starts_with("Error from server")) line.remove_prefix(std::min(line.find(": "), line.size() - 2) + 2);
    if (!cause.empty()) cause += "; ";
    cause += line;
  }
  while (cause.ends_with('.')) cause.pop_back();
  // With --warnings-as-errors the cause is the warning, and the error only counts.
  if (cause.ends_with("received") && !warning.empty()) cause = warning;
  return Printable(cause.empty() ? "kubectl does not say why" : cause);
}

absl::Status NoCluster(const Kubectl& kubectl) {
  return Failure(ExitCode::kUnreachable,
                 fmt::format("kubectl has no cluster to talk to: no context is chosen. Choose one ({}; kubectl config "
                             "use-context NAME), or give --context or --kubeconfig.",
                             kubectl.Shown("config get-contexts")));
}

absl::Status ExplainKubectlText(const Kubectl& kubectl, std::string_view what, std::string_view errors) {
  const std::string cause = CauseIn(errors);
  if (Contains(errors, "Error from server (NotFound)")) {
    return Failure(ExitCode::kNoTarget, fmt::format("{}. What there is: {}", cause, kubectl.Shown("get all")));
  }
  if (Contains(errors, "Error from server (Forbidden)")) return Forbidden(kubectl, cause);
  if (ContainsAny(errors, kDenied)) return Refused(kubectl, cause);
  if (ContainsAny(errors, kNoContext) || (cause.starts_with("context \"") && cause.ends_with("does not exist"))) {
    return NoContext(kubectl, cause);
  }
  if (IsAboutKubeconfig(errors)) return KubeconfigWrong(kubectl, cause);
  if (ContainsAny(errors, kLoggedOut)) return LoggedOut(kubectl, cause);
  if (ContainsAny(errors, kUnreachable)) return Unreachable(kubectl, cause);
  if (const auto type = Between(errors, "doesn't have a resource type \"", "\"")) {
    return Failure(ExitCode::kNoTarget, fmt::format("the cluster {} has no resource type {}. It has: {}",
                                                    InContext(kubectl), *type, kubectl.Shown("api-resources")));
  }
  return Failure(ExitCode::kFailed, fmt::format("kubectl {} failed: {}. Does kubectl work here by itself? Try: {}",
                                                what, cause, kubectl.Shown("get pods")));
}

absl::Status ExplainExec(const Kubectl& kubectl, std::string_view what, std::string_view errors) {
  const absl::Status why = ExplainKubectlText(kubectl, what, errors);
  if (!MayBarSpdy(errors)) return why;
  return Failure(ExitCodeOf(why),
                 fmt::format("{}. Neither SPDY nor WebSocket gets through to the cluster, or WebSocket "
                             "does and takes a right that you lack (get pods/exec, besides create).",
                             MessageOf(why)));
}

absl::Status ExplainKubectl(const Kubectl& kubectl, absl::Span<const std::string> words, const CapturedEnd& end,
                            absl::Duration limit) {
  const std::string what = absl::StrJoin(words.subspan(0, 2), " ");
  if (end.timed_out) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("kubectl {} was not done after {} and was ended. Does the cluster {} answer? Try: {}",
                               what, absl::FormatDuration(limit), InContext(kubectl), kubectl.Shown("cluster-info")));
  }
  if (end.errors.empty()) {
    return Failure(ExitCode::kFailed, fmt::format("kubectl {} {} without a word.", what, DescribeEnd(end.wait_status)));
  }
  if (ContainsAny(end.errors, kTooOld)) {
    RETURN_IF_ERROR(CheckKubectlVersion(kubectl, ClientVersion(kubectl)));
  }
  return ExplainKubectlText(kubectl, what, end.errors);
}

}  // namespace mirrorfs
