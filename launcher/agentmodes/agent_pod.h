// The pod in which an agent runs: made, waited for, and removed.
#ifndef MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_H_
#define MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_H_

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "launcher/agentmodes/agent_pod_spec.h"
#include "launcher/agentmodes/pod_state.h"
#include "launcher/kubernetes/kubectl.h"
#include "launcher/plan/agent_mode.h"

namespace mirrorfs {

// Told of each step that takes its time: a word ("scheduled") and a detail for people ("node-1").
using PodProgress = std::function<void(std::string_view step, std::string_view detail)>;

// Adds the task's container to its pod, or has the server try it. `kubectl`: in the pod's namespace. Fails also if the
// pod's status has changed meanwhile ("Conflict"), which another try may mend.
absl::Status AddEphemeralContainer(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task,
                                   bool dry_run);

// A name that no other agent has.
std::string NewAgentName();

// Not thread-safe.
class AgentPod {
 public:
  // Makes a Job (kJob) or an ephemeral container (kEphemeral). Fails with a message for a person: what is forbidden, a
  // quota, an admission controller's word.
  static absl::StatusOr<std::unique_ptr<AgentPod>> Create(const Kubectl& kubectl, AgentMode mode,
                                                          const AgentPodSpec& spec, const AgentPodTask& task);
  AgentPod(const AgentPod&) = delete;
  // A job is deleted, unless its pod is to stay. An ephemeral container cannot be: its agent ends when nobody uses it.
  ~AgentPod();

  // Until the container runs, or has ended. Fails with what is in the way: image, quota, PodSecurity, socket, node; and
  // when `given_up` says so.
  absl::Status WaitUntilStarted(const PodProgress& progress, const std::function<bool()>& given_up);

  // argv of kubectl with `words`, and after them the pod.
  std::vector<std::string> Command(std::vector<std::string> words) const;
  const Kubectl& kubectl() const { return kubectl_; }  // of its namespace
  // "NAMESPACE/POD/CONTAINER"
  std::string Place() const;
  const std::string& container() const { return container_; }
  // Of the container, if it has ended and the cluster knows.
  absl::StatusOr<PodState> State(absl::Duration limit = absl::Seconds(30));

 private:
  AgentPod(Kubectl kubectl, AgentMode mode, const AgentPodSpec& spec, std::string name)
      : kubectl_(std::move(kubectl)), mode_(mode), spec_(spec), name_(std::move(name)) {}

  absl::Status CreateJob(const AgentPodTask& task);
  absl::Status AddContainer(const AgentPodTask& task);
  absl::Status FindPod();
  absl::Status CheckEvents(const std::string& object) const;
  absl::Status TooLate(const PodState& state) const;

  const Kubectl kubectl_;
  const AgentMode mode_;
  const AgentPodSpec spec_;
  const std::string name_;
  std::string pod_;  // empty: the job has none yet
  std::string container_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_LAUNCHER_AGENTMODES_AGENT_POD_H_
