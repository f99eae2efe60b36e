#include "launcher/tunnel/kubectl_runner.h"

#include "absl/strings/str_split.h"
#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/kubernetes/pod_target.h"
#include "launcher/tunnel/no_shell.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

// Words of the text that names a container: namespace, pod, container, then what changes when one of them is replaced.
constexpr size_t kWords = 5;

}  // namespace

absl::StatusOr<std::string> KubectlRunner::Find(const std::string& before) {
  if (const std::vector<std::string> words = absl::StrSplit(before, ' '); words.size() == kWords) {
    ClusterAccess access = kubectl_.access();
    access.name_space = words[0];
    kubectl_ = Kubectl(std::move(access));
    target_ = WorkloadTarget{.kind = "pod", .name = words[1], .selector = {}, .container = words[2]};
  }
  ASSIGN_OR_RETURN(const PodTarget pod, ResolvePod(kubectl_, target_));
  if (pod.pod.empty()) {
    return Failure(ExitCode::kUsage, "a node itself runs no programs for others: name a pod that runs on it.");
  }
  ClusterAccess access = kubectl_.access();
  access.name_space = pod.name_space;
  kubectl_ = Kubectl(std::move(access));
  target_ = WorkloadTarget{.kind = "pod", .name = pod.pod, .selector = {}, .container = pod.container};
  return fmt::format("{} {} {} {} {}", pod.name_space, pod.pod, pod.container, pod.uid, pod.container_id);
}

std::vector<std::string> KubectlRunner::Exec(const std::vector<std::string>& words) const {
  std::vector<std::string> exec = {"exec", "-i", "pod/" + target_.name, "-c", target_.container, "--"};
  exec.insert(exec.end(), words.begin(), words.end());
  return kubectl_.Command(exec);
}

std::vector<std::string> KubectlRunner::Variables() const {
  // Over WebSocket kubectl loses the tail of a stream now and then, and is slower. Messages are read, so not
  // translated.
  return {"KUBECTL_REMOTE_COMMAND_WEBSOCKETS=false", "LC_ALL=C.UTF-8"};
}

absl::Status KubectlRunner::Explain(const std::string& errors) const {
  if (SaysNoShell(errors)) return NoShell(OtherWays());
  return ExplainKubectlText(kubectl_, fmt::format("exec pod/{} -c {}", target_.name, target_.container), errors);
}

std::string KubectlRunner::OtherWays() const {
  return "Or mount it on its node itself, as root: cri/ID, containerd/k8s.io/ID.";
}

}  // namespace mirrorfs
