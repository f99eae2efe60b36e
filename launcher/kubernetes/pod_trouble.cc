#include "launcher/kubernetes/pod_trouble.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "absl/strings/str_join.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "launcher/printable.h"

namespace mirrorfs {
namespace {

using State = PodContainer::State;

constexpr std::array<std::string_view, 6> kImageReasons = {"ImagePullBackOff",  "ErrImagePull",
                                                           "ErrImageNeverPull", "InvalidImageName",
                                                           "ImageInspectError", "RegistryUnavailable"};

absl::Status Trouble(const Kubectl& kubectl, std::string text, std::string_view next) {
  while (text.ends_with('.') || text.ends_with(' ') || text.ends_with('\n')) text.pop_back();
  return Failure(ExitCode::kNoTarget, fmt::format("{}. See: {}", Printable(text), kubectl.Shown(next)));
}

std::string Describe(const Pod& pod) { return "describe pod " + pod.name; }

std::string Logs(const Pod& pod, const PodContainer& container) {
  return fmt::format("logs {} -c {}{}", pod.name, container.name, container.restart_count > 0 ? " --previous" : "");
}

std::string RunningNames(const Pod& pod) {
  std::vector<std::string> names;
  for (const PodContainer& container : pod.containers) {
    if (container.IsRunning()) names.push_back(container.name);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

std::string_view RoleText(ContainerRole role) {
  switch (role) {
    case ContainerRole::kInit:
      return "init container";
    case ContainerRole::kEphemeral:
      return "ephemeral container";
    case ContainerRole::kMain:
      break;
  }
  return "container";
}

absl::Status Crashes(const Kubectl& kubectl, const Pod& pod, const PodContainer& container) {
  return Trouble(kubectl,
                 fmt::format("pod/{}: container {} crashes again and again (CrashLoopBackOff, {} restarts, last exit "
                             "code {}); its files can be seen only while it runs",
                             pod.name, container.name, container.restart_count, container.exit_code),
                 Logs(pod, container));
}

absl::Status Waits(const Kubectl& kubectl, const Pod& pod, const PodContainer& container) {
  if (std::find(kImageReasons.begin(), kImageReasons.end(), container.reason) != kImageReasons.end()) {
    return Trouble(kubectl,
                   fmt::format("pod/{}: the image {} of container {} cannot be had ({}): {}", pod.name, container.image,
                               container.name, container.reason, container.message),
                   Describe(pod));
  }
  if (container.reason == "CrashLoopBackOff") return Crashes(kubectl, pod, container);
  std::string why = container.message;
  if (why.empty()) why = LastWarning(kubectl, pod.uid);
  if (container.reason == "PodInitializing") why = "its init containers have not finished";
  return Trouble(kubectl,
                 fmt::format("pod/{}: container {} has not started yet ({}){}{}", pod.name, container.name,
                             container.reason.empty() ? "waiting" : container.reason, why.empty() ? "" : ": ", why),
                 Describe(pod));
}

absl::Status HasFinished(const Kubectl& kubectl, const Pod& pod, const PodContainer& container) {
  // Between its end and the wait for its next start it has finished, too.
  const bool main = container.role == ContainerRole::kMain;
  if (main && container.restart_count > 0 && container.exit_code != 0) return Crashes(kubectl, pod, container);
  std::string text =
      fmt::format("pod/{}: {} {} has finished ({}exit code {}); its files can be seen only while it runs", pod.name,
                  RoleText(container.role), container.name, container.reason.empty() ? "" : container.reason + ", ",
                  container.exit_code);
  if (container.role == ContainerRole::kInit) text += ", before the others start";
  if (pod.AnyRuns()) text += ". Containers that run: " + RunningNames(pod);
  return Trouble(kubectl, std::move(text), fmt::format("logs {} -c {}", pod.name, container.name));
}

absl::Status IsPending(const Kubectl& kubectl, const Pod& pod) {
  std::string why = pod.scheduling_trouble;
  if (why.empty()) why = LastWarning(kubectl, pod.uid);
  if (why.empty()) why = "it has no node yet";
  return Trouble(kubectl, fmt::format("pod/{} is pending: {}", pod.name, why), Describe(pod));
}

}  // namespace

std::string LastWarning(const Kubectl& kubectl, const std::string& uid) {
  const auto list = GetJson(
      kubectl, {"events", "--field-selector", "type=Warning,involvedObject.uid=" + uid, "--sort-by=.lastTimestamp"});
  if (!list.ok()) return {};
  const nlohmann::json& items = ListAt(*list, {"items"});
  return items.empty() ? std::string() : TextAt(items.back(), {"message"});
}

absl::Status CheckPod(const Kubectl& kubectl, const Pod& pod) {
  if (pod.operating_system == "windows") {
    return Failure(
        ExitCode::kNoTarget,
        fmt::format("pod/{} is a Windows pod: only the files of Linux containers can be mounted.", pod.name));
  }
  if (pod.being_deleted) {
    return Trouble(kubectl, fmt::format("pod/{} is being deleted. Take the one that comes after it", pod.name),
                   "get pods");
  }
  if (pod.phase == "Failed" && !pod.reason.empty()) {
    return Trouble(kubectl, fmt::format("pod/{} has failed ({}): {}", pod.name, pod.reason, pod.message),
                   Describe(pod));
  }
  if (pod.node.empty()) return IsPending(kubectl, pod);
  return absl::OkStatus();
}

absl::Status CheckRunning(const Kubectl& kubectl, const Pod& pod, const PodContainer& container) {
  if (absl::Status status = CheckPod(kubectl, pod); !status.ok()) return status;
  if (container.IsRunning()) return absl::OkStatus();
  if (container.state == State::kFinished) return HasFinished(kubectl, pod, container);
  return Waits(kubectl, pod, container);
}

}  // namespace mirrorfs
