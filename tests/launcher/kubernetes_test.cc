// What kubectl prints, as it was recorded from clusters, and what is made of it.
#include <signal.h>
#include <sys/wait.h>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"
#include "launcher/kubernetes/container_choice.h"
#include "launcher/kubernetes/inventory.h"
#include "launcher/kubernetes/kubectl_errors.h"
#include "launcher/kubernetes/pod_trouble.h"
#include "launcher/kubernetes/workload_pods.h"
#include "launcher/own_name.h"
#include "launcher/system/captured_command.h"
#include "launcher/system/runtime_list.h"

namespace mirrorfs {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

// No kubectl is there to be asked for more.
Kubectl NoKubectl() { return Kubectl({.kubectl = "/nonexistent/kubectl", .context = "prod", .name_space = "shop"}); }

struct KubectlError {
  const char* errors;
  ExitCode code;
  const char* cause;
  const char* next;
};

class KubectlErrors : public ::testing::TestWithParam<KubectlError> {};

TEST_P(KubectlErrors, HaveACauseAndANextCommand) {
  const absl::Status status = ExplainKubectlText(NoKubectl(), "get pods", GetParam().errors);
  EXPECT_EQ(ExitCodeOf(status), GetParam().code) << status;
  EXPECT_STRNE(GetParam().next, "");
  EXPECT_THAT(MessageOf(status), AllOf(HasSubstr(GetParam().cause), HasSubstr(GetParam().next)));
  EXPECT_THAT(MessageOf(status), Not(HasSubstr("memcache.go")));
  EXPECT_THAT(MessageOf(status), Not(HasSubstr("\n")));
}

INSTANTIATE_TEST_SUITE_P(
    Recorded, KubectlErrors,
    ::testing::Values(
        KubectlError{"E1127 02:33:44.242817    5348 memcache.go:265] \"Unhandled Error\" err=\"couldn't get current "
                     "server API group list: dial tcp 127.0.0.1:1: connect: connection refused\"\n"
                     "The connection to the server 127.0.0.1:1 was refused - did you specify the right host or port?\n",
                     ExitCode::kUnreachable, "The connection to the server 127.0.0.1:1 was refused",
                     "kubectl --context prod -n shop cluster-info"},
        KubectlError{"Unable to connect to the server: dial tcp: lookup k.example: no such host\n",
                     ExitCode::kUnreachable, "no such host", "cluster-info"},
        KubectlError{"Unable to connect to the server: tls: failed to verify certificate: x509: certificate signed by "
                     "unknown authority\n",
                     ExitCode::kUnreachable, "x509", "cluster-info"},
        KubectlError{"The connection to the server localhost:8080 was refused - did you specify the right host?\n",
                     ExitCode::kUnreachable, "no context is chosen", "use-context"},
        KubectlError{"error: You must be logged in to the server (Unauthorized)\n", ExitCode::kNotPermitted,
                     "does not accept your login", "auth whoami"},
        KubectlError{"Unable to connect to the server: getting credentials: exec: executable gke-gcloud-auth-plugin "
                     "not found\n",
                     ExitCode::kNotPermitted, "executable gke-gcloud-auth-plugin not found", "auth whoami"},
        KubectlError{"Error from server (Forbidden): pods \"x\" is forbidden: User \"jane\" cannot get resource "
                     "\"pods\" in API group \"\" in the namespace \"shop\"\n",
                     ExitCode::kNotPermitted, "you (jane) may not get pods in namespace shop", "auth can-i --list"},
        KubectlError{"Error from server (Forbidden): deployments.apps is forbidden: User \"jane\" cannot list resource "
                     "\"deployments\" in API group \"apps\" at the cluster scope\n",
                     ExitCode::kNotPermitted, "may not list deployments.apps in the whole cluster", "a ClusterRole"},
        KubectlError{"Error from server (Forbidden): error when creating \"STDIN\": pods \"a\" is forbidden: violates "
                     "PodSecurity \"restricted:latest\": privileged\n",
                     ExitCode::kNotPermitted, "violates PodSecurity", "use --agent exec"},
        KubectlError{
            "The jobs \"x\" is invalid: : ValidatingAdmissionPolicy 'p' with binding 'p' denied request: no jobs\n",
            ExitCode::kNotPermitted, "denied request: no jobs", "use --agent exec"},
        KubectlError{
            "Error from server: error when creating \"STDIN\": admission webhook \"w\" denied the request: no\n",
            ExitCode::kNotPermitted, "denied the request: no", "use --agent exec"},
        KubectlError{"Error from server (NotFound): pods \"nope\" not found\n", ExitCode::kNoTarget,
                     "pods \"nope\" not found", "get all"},
        KubectlError{"Error in configuration: context was not found for specified context: prod\n", ExitCode::kUsage,
                     "--context prod", "get-contexts"},
        KubectlError{"error: error loading config file \"/k\": yaml: line 1: mapping values\n", ExitCode::kUsage,
                     "cannot be used", "config view"},
        KubectlError{"error: the server doesn't have a resource type \"rollouts\"\n", ExitCode::kNoTarget,
                     "no resource type rollouts", "api-resources"},
        KubectlError{"Error from server (ServiceUnavailable): the server is currently unable to handle the request\n",
                     ExitCode::kUnreachable, "currently unable", "cluster-info"},
        KubectlError{"error: something new\n", ExitCode::kFailed, "kubectl get pods failed: something new",
                     "kubectl --context prod -n shop get pods"}));

json Container(const char* name, const json& state, int restarts = 0) {
  return {{"name", name}, {"state", state}, {"restartCount", restarts}, {"containerID", "containerd://abc"}};
}

json RunningPod(const std::vector<const char*>& containers) {
  json pod = {{"kind", "Pod"},
              {"metadata", {{"name", "web-0"}, {"namespace", "shop"}, {"uid", "u"}}},
              {"spec", {{"nodeName", "n"}, {"containers", json::array()}}},
              {"status", {{"phase", "Running"}, {"containerStatuses", json::array()}}}};
  for (const char* name : containers) {
    pod["spec"]["containers"].push_back({{"name", name}, {"image", "i"}});
    pod["status"]["containerStatuses"].push_back(Container(name, {{"running", json::object()}}));
  }
  return pod;
}

TEST(ContainerChoice, PassesOverKnownSidecars) {
  const Pod pod = PodFromJson(RunningPod({"istio-proxy", "app", "vault-agent"}));
  const auto choice = ChooseContainer(pod, "");
  ASSERT_TRUE(choice.ok()) << choice.status();
  EXPECT_EQ(choice->container->name, "app");
  EXPECT_THAT(choice->passed_over, ElementsAre("istio-proxy", "vault-agent"));
}

TEST(ContainerChoice, PrefersTheAnnotation) {
  json object = RunningPod({"a", "b"});
  object["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"] = "b";
  const Pod pod = PodFromJson(object);
  EXPECT_EQ(ChooseContainer(pod, "")->container->name, "b");
  EXPECT_EQ(ChooseContainer(pod, "a")->container->name, "a");
}

TEST(ContainerChoice, AsksWhichOfSeveral) {
  const Pod pod = PodFromJson(RunningPod({"app", "worker"}));
  const absl::Status status = ChooseContainer(pod, "").status();
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kNoTarget);
  EXPECT_EQ(MessageOf(status), "pod/web-0 has 2 containers: app, worker. Say which, for example -c app.");
  EXPECT_THAT(MessageOf(ChooseContainer(pod, "wroker").status()), HasSubstr("did you mean worker?"));
}

TEST(ContainerChoice, TakesASidecarThatIsAlone) {
  const Pod pod = PodFromJson(RunningPod({"envoy"}));
  EXPECT_EQ(ChooseContainer(pod, "")->container->name, "envoy");
}

std::string TroubleOf(const json& object) {
  const Pod pod = PodFromJson(object);
  const absl::Status status = CheckRunning(NoKubectl(), pod, pod.containers.front());
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kNoTarget);
  return MessageOf(status);
}

TEST(PodTrouble, IsNoneForARunningContainer) {
  const Pod pod = PodFromJson(RunningPod({"app"}));
  EXPECT_TRUE(CheckRunning(NoKubectl(), pod, pod.containers.front()).ok());
}

TEST(PodTrouble, SaysWhyThereIsNoNode) {
  json object = RunningPod({"app"});
  object["spec"].erase("nodeName");
  object["status"] = {
      {"phase", "Pending"},
      {"conditions", {{{"type", "PodScheduled"}, {"status", "False"}, {"message", "0/2 nodes are available"}}}}};
  EXPECT_EQ(TroubleOf(object),
            "pod/web-0 is pending: 0/2 nodes are available. See: kubectl --context prod -n shop describe pod web-0");
}

TEST(PodTrouble, KnowsContainersThatDoNotRun) {
  json object = RunningPod({"app"});
  json& status = object["status"]["containerStatuses"][0];
  status = Container("app", {{"waiting", {{"reason", "CrashLoopBackOff"}}}}, 5);
  status["lastState"]["terminated"]["exitCode"] = 3;
  EXPECT_THAT(TroubleOf(object), AllOf(HasSubstr("crashes again and again"), HasSubstr("5 restarts, last exit code 3"),
                                       HasSubstr("logs web-0 -c app --previous")));
  status = Container("app", {{"terminated", {{"reason", "Error"}, {"exitCode", 7}}}}, 1);  // about to wait again
  EXPECT_THAT(TroubleOf(object),
              AllOf(HasSubstr("crashes again and again"), HasSubstr("1 restarts, last exit code 7")));
  status = Container("app", {{"waiting", {{"reason", "ImagePullBackOff"}, {"message", "Back-off pulling"}}}});
  EXPECT_THAT(TroubleOf(object), AllOf(HasSubstr("image i of container app"), HasSubstr("Back-off pulling")));
  status = Container("app", {{"terminated", {{"reason", "Completed"}, {"exitCode", 0}}}});
  EXPECT_THAT(TroubleOf(object), HasSubstr("has finished (Completed, exit code 0)"));
}

TEST(PodTrouble, KnowsPodsThatGo) {
  json object = RunningPod({"app"});
  object["metadata"]["deletionTimestamp"] = "2026-11-27T01:00:00Z";
  EXPECT_THAT(TroubleOf(object), HasSubstr("is being deleted"));
  object = RunningPod({"app"});
  object["status"] = {{"phase", "Failed"}, {"reason", "Evicted"}, {"message", "low on memory"}};
  EXPECT_THAT(TroubleOf(object), HasSubstr("has failed (Evicted): low on memory"));
  object = RunningPod({"app"});
  object["spec"]["os"]["name"] = "windows";
  EXPECT_THAT(TroubleOf(object), HasSubstr("Windows pod"));
}

TEST(PodTrouble, ShowsNoControlCharactersOfTheCluster) {
  json object = RunningPod({"app"});
  object["status"]["containerStatuses"][0] =
      Container("app", {{"waiting", {{"reason", "ErrImagePull"}, {"message", "\x1b[2Jgone"}}}});
  EXPECT_THAT(TroubleOf(object), Not(HasSubstr("\x1b")));
}

TEST(WorkloadPods, SelectorsBecomeText) {
  const json selector = {{"matchLabels", {{"app", "web"}, {"tier", "front"}}},
                         {"matchExpressions",
                          {{{"key", "zone"}, {"operator", "In"}, {"values", {"a", "b"}}},
                           {{"key", "env"}, {"operator", "NotIn"}, {"values", {"test"}}},
                           {{"key", "live"}, {"operator", "Exists"}},
                           {{"key", "old"}, {"operator", "DoesNotExist"}}}}};
  EXPECT_EQ(SelectorText(selector), "app=web,tier=front,zone in (a,b),env notin (test),live,!old");
}

TEST(WorkloadPods, OnlyPodsOfTheWorkloadItselfCount) {
  json object = RunningPod({"app"});
  object["metadata"]["labels"]["pod-template-hash"] = "7c9";
  object["metadata"]["ownerReferences"] = {
      {{"kind", "ReplicaSet"}, {"name", "web-7c9"}, {"uid", "r"}, {"controller", true}}};
  const Pod pod = PodFromJson(object);
  const auto controls = [&pod](const char* kind, const char* name, const char* uid) {
    return IsControlledBy(pod, *FindWorkloadKind(kind), {{"metadata", {{"name", name}, {"uid", uid}}}});
  };
  EXPECT_TRUE(controls("deployment", "web", "d"));
  EXPECT_FALSE(controls("deployment", "web-7c9", "d"));
  EXPECT_TRUE(controls("replicaset", "web-7c9", "r"));
  EXPECT_FALSE(controls("job", "web", "j"));
}

TEST(Inventory, TellsOfPodsAndWorkloads) {
  const InventoryItem pod = ItemFromJson(RunningPod({"app", "envoy"}), *FindWorkloadKind("pod"));
  EXPECT_EQ(pod.default_container, "app");
  EXPECT_EQ(pod.ready, "0/2");
  EXPECT_EQ(pod.node, "n");
  EXPECT_EQ(pod.status, "Running");
  const json deployment = {{"metadata", {{"name", "web"}}},
                           {"spec", {{"replicas", 3}, {"template", RunningPod({"app"})}}},
                           {"status", {{"readyReplicas", 2}}}};
  const InventoryItem item = ItemFromJson(deployment, *FindWorkloadKind("deployment"));
  EXPECT_EQ(item.ready, "2/3");
  EXPECT_EQ(item.containers.size(), 1);
  EXPECT_TRUE(item.node.empty());
}

TEST(Inventory, SurvivesWhateverIsPrinted) {
  for (const json& odd : {json(), json(3), json::array({1}), json{{"spec", 7}}, json{{"metadata", {{"name", 3}}}},
                          json{{"status", {{"containerStatuses", "x"}}}, {"spec", {{"containers", {1, "a"}}}}}}) {
    for (const WorkloadKind& kind : WorkloadKinds()) EXPECT_EQ(ItemFromJson(odd, kind).name, "") << odd;
  }
}

TEST(RuntimeList, ReadsDockerAndPodman) {
  const auto containers = ContainersIn(
      "{\"Names\":\"web\",\"Image\":\"nginx\",\"Status\":\"Up 2 hours\"}\n"
      "{\"Names\":[\"db\"],\"Image\":\"pg\",\"Status\":\"Up\"}\nnonsense\n");
  ASSERT_EQ(containers.size(), 2);
  EXPECT_EQ(containers[0].name, "web");
  EXPECT_EQ(containers[1].name, "db");
}

TEST(OwnName, CommandsAreSpeltForThePlugin) {
  EXPECT_EQ(SpeltFor("kubectl mirrorfs", "Try: mirrorfs ls pod. 'mirrorfs help' and mirrorfs mounts, mirrorfs-agent."),
            "Try: kubectl mirrorfs ls pod. 'kubectl mirrorfs help' and mirrorfs mounts, mirrorfs-agent.");
  EXPECT_EQ(SpeltFor("mirrorfs", "mirrorfs ls"), "mirrorfs ls");
}

CapturedCommand Shell(std::string script) {
  return {.program = "/bin/sh", .command = {"sh", "-c", std::move(script)}, .variables = {}, .input = {}};
}

TEST(CapturedCommand, KeepsBothStreamsAndTheEnd) {
  CapturedCommand command = Shell("cat; echo \"$GREETING\" >&2; exit 3");
  const std::string input(300000, 'x');
  command.input = input;
  command.variables = {"GREETING=hello"};
  const auto end = RunCaptured(command);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->output, input);
  EXPECT_EQ(end->errors, "hello\n");
  EXPECT_EQ(WEXITSTATUS(end->wait_status), 3);
  EXPECT_FALSE(end->Succeeded());
}

TEST(CapturedCommand, DoesNotWaitForWhatIsLeftBehind) {
  const auto end = RunCaptured(Shell("sleep 60 & echo $!"));
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->Succeeded());
  ::kill(std::stoi(end->output), SIGKILL);
}

TEST(CapturedCommand, PassesOnWhatSomebodyHasToReactToButNotTheLastWords) {
  CapturedCommand command = Shell("echo log in there >&2; sleep 3; echo failed >&2; exit 1");
  command.patience = absl::ZeroDuration();
  ::testing::internal::CaptureStderr();
  const auto end = RunCaptured(command);
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "log in there\n");
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_EQ(end->errors, "log in there\nfailed\n");
}

TEST(CapturedCommand, IsEndedAtItsLimit) {
  CapturedCommand command = Shell("echo begun; exec sleep 60");
  command.limit = absl::Milliseconds(300);
  const auto end = RunCaptured(command);
  ASSERT_TRUE(end.ok()) << end.status();
  EXPECT_TRUE(end->timed_out);
  EXPECT_EQ(end->output, "begun\n");
}

}  // namespace
}  // namespace mirrorfs
