// kubectl exec.
#ifndef MIRRORFS_LAUNCHER_TUNNEL_KUBECTL_RUNNER_H_
#define MIRRORFS_LAUNCHER_TUNNEL_KUBECTL_RUNNER_H_

#include <string>
#include <utility>
#include <vector>

#include "launcher/kubernetes/exec_protocol.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/kubernetes/workload_target.h"
#include "launcher/tunnel/container_runner.h"

namespace mirrorfs {

class KubectlRunner : public ContainerRunner {
 public:
  KubectlRunner(ClusterAccess access, WorkloadTarget target)
      : kubectl_(std::move(access)), target_(std::move(target)) {}

  absl::StatusOr<std::string> Find(const std::string& before) override;
  std::vector<std::string> Exec(const std::vector<std::string>& words) const override;
  std::vector<std::string> Variables() const override;
  bool TakeOtherProtocol(const std::string& errors) override;
  absl::Status Explain(const std::string& errors) const override;
  std::string OtherWays() const override;

 private:
  Kubectl kubectl_;
  WorkloadTarget target_;  // the pod, once it has been found
  const char* protocol_ = kOverSpdy;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_TUNNEL_KUBECTL_RUNNER_H_
