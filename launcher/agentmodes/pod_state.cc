#include "launcher/agentmodes/pod_state.h"

#include <algorithm>
#include <array>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/json_path.h"

namespace mirrorfs {
namespace {

using Json = nlohmann::json;

const Json& StatusOf(const Json& pod, std::string_view container) {
  for (const char* list : {"containerStatuses", "ephemeralContainerStatuses"}) {
    for (const Json& status : ListAt(pod, {"status", list})) {
      if (TextAt(status, {"name"}) == container) return status;
    }
  }
  return FieldAt(pod, {"no such container"});
}

bool IsOneOf(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

absl::Status ImageFailure(const std::string& image, const std::string& reason, const std::string& message) {
  if (reason == "ErrImageNeverPull") {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("the agent's image {} is not on the node, and --agent-pull-policy Never forbids to "
                               "pull it. Load it there, or let it be pulled: --agent-pull-policy IfNotPresent.",
                               image));
  }
  return Failure(ExitCode::kUnreachable,
                 fmt::format("the agent's image {} cannot be pulled ({}): {} Name another one with --agent-image, or a "
                             "secret for its registry with --agent-pull-secret; --agent exec needs no image.",
                             image, reason, message.empty() ? "no more is said." : message));
}

// What a container waits for that will not come.
absl::Status WaitingFailure(const std::string& image, const std::string& reason, const std::string& message) {
  if (IsOneOf(reason, {"ImagePullBackOff", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable",
                       "ImageInspectError"})) {
    return ImageFailure(image, reason, message);
  }
  if (IsOneOf(reason,
              {"CreateContainerConfigError", "CreateContainerError", "RunContainerError", "CrashLoopBackOff"})) {
    return Failure(ExitCode::kUnreachable,
                   fmt::format("the agent's container cannot be started ({}): {}", reason, message));
  }
  return absl::OkStatus();
}

std::string Unschedulable(const Json& pod) {
  for (const Json& condition : ListAt(pod, {"status", "conditions"})) {
    if (TextAt(condition, {"type"}) == "PodScheduled" && TextAt(condition, {"status"}) == "False") {
      return TextAt(condition, {"message"});
    }
  }
  return {};
}

PodState OfContainer(const Json& pod, const Json& status) {
  PodState state{
      .step = PodStep::kPulling, .node = TextAt(pod, {"spec", "nodeName"}), .detail = TextAt(status, {"image"})};
  const Json& ended = FieldAt(status, {"state", "terminated"});
  if (FieldAt(status, {"state", "running"}).is_object()) state.step = PodStep::kStarted;
  if (ended.is_object()) {
    state.step = PodStep::kEnded;
    const Json& code = FieldAt(ended, {"exitCode"});
    state.exit_code = code.is_number_integer() ? code.get<int>() : 1;
    state.detail = TextAt(ended, {"reason"});
  }
  const std::string reason = TextAt(status, {"state", "waiting", "reason"});
  const std::string message = TextAt(status, {"state", "waiting", "message"});
  if (!reason.empty()) state.waits_for = message.empty() ? reason : fmt::format("{}: {}", reason, message);
  state.failure = WaitingFailure(state.detail, reason, message);
  return state;
}

// The events that say that something will never be.
struct Sign {
  std::string_view reason;
  std::string_view part;  // of the message
  std::string_view advice;
};
constexpr std::array kSigns = {
    Sign{
        "FailedCreate", "violates PodSecurity",
        "Make it in a namespace that permits such pods (--agent-namespace), or use --agent exec, which asks for none."},
    Sign{"FailedCreate", "exceeded quota",
         "Give it less (--agent-request, --agent-limit), another namespace (--agent-namespace), or use --agent exec."},
    Sign{"FailedCreate", "must specify limits",
         "Say its --agent-limit and --agent-request, another namespace (--agent-namespace), or use --agent exec."},
    Sign{"FailedCreate", "", "Use another namespace for it (--agent-namespace), or --agent exec, which makes no pod."},
    Sign{"FailedMount", "hostPath type check failed",
         "The node's container runtime has its socket elsewhere: name it with --runtime-socket PATH, or use none: "
         "--agent-pid-from cgroup."},
};

}  // namespace

const char* ToWord(PodStep step) {
  switch (step) {
    case PodStep::kCreated:
      return "created";
    case PodStep::kScheduled:
      return "scheduled";
    case PodStep::kPulling:
      return "pulling";
    case PodStep::kStarted:
      return "started";
    case PodStep::kEnded:
      return "ended";
  }
  return "unknown";
}

PodState JudgePod(const Json& pod, std::string_view container) {
  const std::string node = TextAt(pod, {"spec", "nodeName"});
  if (node.empty()) return {.step = PodStep::kCreated, .waits_for = Unschedulable(pod)};
  const Json& status = StatusOf(pod, container);
  if (status.is_object()) return OfContainer(pod, status);
  PodState state{.step = PodStep::kScheduled, .node = node, .detail = node};
  if (TextAt(pod, {"status", "phase"}) == "Failed") {
    state.failure = Failure(ExitCode::kUnreachable,
                            fmt::format("the node {} does not take the agent's pod ({}): {}", node,
                                        TextAt(pod, {"status", "reason"}), TextAt(pod, {"status", "message"})));
  }
  return state;
}

absl::Status JudgeEvents(const Json& events) {
  for (const Json& event : ListAt(events, {"items"})) {
    const std::string reason = TextAt(event, {"reason"});
    const std::string message = TextAt(event, {"message"});
    for (const Sign& sign : kSigns) {
      if (reason != sign.reason || message.find(sign.part) == std::string::npos) continue;
      return Failure(ExitCode::kNotPermitted, fmt::format("the agent's pod cannot be: {}. {}", message, sign.advice));
    }
  }
  return absl::OkStatus();
}

}  // namespace mirrorfs
