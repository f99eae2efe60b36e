#include "launcher/tunnel/kubectl_runner.h"

#include <optional>
#include <utility>

#include "fmt/format.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/container_name.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/kubernetes/pod_target.h"
#include "launcher/tunnel/no_shell.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
absl::StatusOr<std::string> KubectlRunner::Find(const std::string& before) {
  if (std::optional<NamedContainer> named = ParseContainerName(before)) {
    kubectl_ = kubectl_.In(named->name_space);
    target_ = std::move(named->workload);
  }
  ASSIGN_OR_RETURN(const PodTarget pod, ResolvePod(kubectl_, target_));
  if (pod.pod.empty()) {
    return Failure(ExitCode::kUsage, "a node itself runs no programs for others: name a pod that runs on it.");
  }
  kubectl_ = kubectl_.In(pod.name_space);
  target_ = WorkloadTarget{.kind = "pod", .name = pod.pod, .selector = {}, .container = pod.container};
  return ContainerName(pod);
}

std::vector<std::string> KubectlRunner::Exec(const std::vector<std::string>& words) const {
  std::vector<std::string> exec = {"exec", "-i", "pod/" + target_.name, "-c", target_.container, "--"};
  exec.insert(exec.end(), words.begin(), words.end());
  return kubectl_.Command(exec);
}

std::vector<std::string> KubectlRunner::Variables() const {
  return {protocol_, "LC_ALL=C.UTF-8"};  // messages are read, so not translated
}

bool KubectlRunner::TakeOtherProtocol(const std::string& errors) {
  if (protocol_ == kOverWebSocket || !MayBarSpdy(errors)) return false;
  protocol_ = kOverWebSocket;
  return true;
}

absl::Status KubectlRunner::Explain(const std::string& errors) const {
  if (SaysNoShell(errors)) return NoShell(OtherWays());
  return ExplainExec(kubectl_, fmt::format("exec pod/{} -c {}", target_.name, target_.container), errors);
}

std::string KubectlRunner::OtherWays() const {
  return "Use --agent job or --agent ephemeral, which need nothing in the image (mirrorfs doctor --target says which "
         "you may), or mount it on its node itself, as root: cri/ID, containerd/k8s.io/ID.";
}

}  // namespace mirrorfs
