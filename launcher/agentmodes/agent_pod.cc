#include "launcher/agentmodes/agent_pod.h"

#include <unistd.h>

#include <random>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "launcher/agentmodes/manifests.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/get_json.h"
#include "launcher/kubernetes/json_path.h"
#include "nlohmann/json.hpp"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

using Json = nlohmann::json;

constexpr absl::Duration kLookInterval = absl::Milliseconds(200);
// Something is amiss if nothing has changed for so long: what do the events say?
constexpr absl::Duration kQuiet = absl::Seconds(2);
constexpr absl::Duration kDeleteLimit = absl::Seconds(10);
constexpr int kMostConflicts = 10;

bool IsConflict(const absl::Status& status) {
  return MessageOf(status).find("the object has been modified") != std::string::npos ||
         MessageOf(status).find("Conflict") != std::string::npos;
}

}  // namespace

absl::Status AddEphemeralContainer(const Kubectl& kubectl, const AgentPodSpec& spec, const AgentPodTask& task,
                                   bool dry_run) {
  ASSIGN_OR_RETURN(Json pod, GetJson(kubectl, {"pod", task.target.pod}));
  if (TextAt(pod, {"metadata", "uid"}) != task.target.uid) {
    return Failure(ExitCode::kNoTarget,
                   fmt::format("pod/{} has been replaced by another one of that name.", task.target.pod));
  }
  pod["spec"]["ephemeralContainers"].push_back(Json(EphemeralContainer(spec, task)));
  const std::string place = fmt::format("/api/v1/namespaces/{}/pods/{}/ephemeralcontainers{}", task.target.name_space,
                                        task.target.pod, dry_run ? "?dryRun=All" : "");
  return kubectl.Run(std::vector<std::string>{"replace", "--raw", place, "-f", "-"}, pod.dump()).status();
}

std::string NewAgentName() {
  constexpr std::string_view kLetters = "bcdfghjklmnpqrstvwxz2456789";  // as Kubernetes does it: no words come of them
  constexpr int kCount = 8;
  std::random_device random;
  std::string name = "mirrorfs-agent-";
  for (int i = 0; i < kCount; ++i) name += kLetters[random() % kLetters.size()];
  return name;
}

absl::StatusOr<std::unique_ptr<AgentPod>> AgentPod::Create(const Kubectl& kubectl, AgentMode mode,
                                                           const AgentPodSpec& spec, const AgentPodTask& task) {
  const bool is_job = mode == AgentMode::kJob;
  const std::string& name_space = is_job && !spec.name_space.empty() ? spec.name_space : task.target.name_space;
  std::unique_ptr<AgentPod> pod(new AgentPod(kubectl.In(name_space), mode, spec, task.name));
  RETURN_IF_ERROR(is_job ? pod->CreateJob(task) : pod->AddContainer(task));
  return pod;
}

absl::Status AgentPod::CreateJob(const AgentPodTask& task) {
  container_ = kAgentContainer;
  return kubectl_.Run(std::vector<std::string>{"create", "-f", "-"}, JobManifest(spec_, task).dump()).status();
}

absl::Status AgentPod::AddContainer(const AgentPodTask& task) {
  pod_ = task.target.pod;
  container_ = name_;
  absl::Status status;
  // The pod's status changes while we look: then the cluster asks for another try.
  for (int i = 0; i < kMostConflicts; ++i) {
    status = AddEphemeralContainer(kubectl_, spec_, task, /*dry_run=*/false);
    if (status.ok() || !IsConflict(status)) break;
  }
  if (MessageOf(status).find("violates PodSecurity") == std::string::npos) return status;
  return Failure(ExitCodeOf(status),
                 fmt::format("{} Use --agent exec, which asks for no such container, or --agent job "
                             "with a namespace that permits it (--agent-namespace).",
                             MessageOf(status)));
}

AgentPod::~AgentPod() {
  if (mode_ != AgentMode::kJob || spec_.ttl == absl::ZeroDuration()) return;
  // If this fails the agent ends by itself, and its job is removed after it.
  (void)kubectl_.Run(
      std::vector<std::string>{"delete", "job", name_, "--ignore-not-found", "--wait=false", "--cascade=background"},
      "", kDeleteLimit);
}

absl::Status AgentPod::FindPod() {
  ASSIGN_OR_RETURN(const Json list, GetJson(kubectl_, {"pods", "-l", "job-name=" + name_}));
  for (const Json& pod : ListAt(list, {"items"})) pod_ = TextAt(pod, {"metadata", "name"});
  return absl::OkStatus();
}

absl::StatusOr<PodState> AgentPod::State(absl::Duration limit) {
  if (pod_.empty()) RETURN_IF_ERROR(FindPod());
  if (pod_.empty()) return PodState{};
  ASSIGN_OR_RETURN(const Json pod, GetJson(kubectl_, {"pod", pod_}, limit));
  return JudgePod(pod, container_);
}

// Who may not look at events learns less.
absl::Status AgentPod::CheckEvents(const std::string& object) const {
  const auto events = GetJson(kubectl_, {"events", "--field-selector", "involvedObject.name=" + object});
  return events.ok() ? JudgeEvents(*events) : absl::OkStatus();
}

absl::Status AgentPod::TooLate(const PodState& state) const {
  const std::string where = pod_.empty() ? "job/" + name_ : "pod/" + pod_;
  return Failure(ExitCode::kUnreachable,
                 fmt::format("the agent did not start within {} s: it is {}{}{}. More: {}; wait longer with "
                             "--agent-start-limit.",
                             absl::ToInt64Seconds(spec_.start_limit), ToWord(state.step),
                             state.waits_for.empty() ? "" : ", and waits: ", state.waits_for,
                             kubectl_.Shown("describe " + where)));
}

absl::Status AgentPod::WaitUntilStarted(const PodProgress& progress, const std::function<bool()>& given_up) {
  const absl::Time limit = absl::Now() + spec_.start_limit;
  absl::Time changed = absl::Now();
  progress(ToWord(PodStep::kCreated), name_);
  for (PodStep said = PodStep::kCreated;;) {
    ASSIGN_OR_RETURN(const PodState state, State());
    RETURN_IF_ERROR(state.failure);
    if (state.step != said) {
      // One that was over before anybody looked is said as well.
      if (said < PodStep::kScheduled && state.step > PodStep::kScheduled)
        progress(ToWord(PodStep::kScheduled), state.node);
      said = state.step;
      changed = absl::Now();
      if (said != PodStep::kEnded) progress(ToWord(said), state.detail);
    }
    if (state.step >= PodStep::kStarted) return absl::OkStatus();
    if (absl::Now() - changed > kQuiet) RETURN_IF_ERROR(CheckEvents(pod_.empty() ? name_ : pod_));
    if (absl::Now() > limit) return TooLate(state);
    if (given_up()) return Failure(ExitCode::kFailed, "interrupted.");
    absl::SleepFor(kLookInterval);
  }
}

std::string AgentPod::Place() const { return fmt::format("{}/{}/{}", kubectl_.access().name_space, pod_, container_); }

std::vector<std::string> AgentPod::Command(std::vector<std::string> words) const {
  words.push_back("pod/" + pod_);
  return kubectl_.Command(words);
}

}  // namespace mirrorfs
