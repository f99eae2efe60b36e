// What is made in the cluster, compared with what a person has read and found right (golden/).
#include "launcher/agentmodes/manifests.h"

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using nlohmann::ordered_json;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

AgentPodTask Task() {
  return {.target = {.name_space = "shop",
                     .pod = "web-7c9",
                     .uid = "1-2-3",
                     .container = "app",
                     .container_id = "containerd://" + std::string(64, 'c'),
                     .node = "node-2"},
          .name = "mirrorfs-agent-x2b4",
          .client_ca = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          .token_sha256 = std::string(64, 'a'),
          .identities = "container"};
}

AgentPodSpec Spec() {
  AgentPodSpec spec;
  spec.image = "registry.example/mirrorfs-agent@sha256:" + std::string(64, '1');
  return spec;
}

// MIRRORFS_WRITE_GOLDEN=y writes them anew: then read the difference.
void ExpectGolden(const ordered_json& made, const std::string& name) {
  const std::string path = std::string(GOLDEN_DIRECTORY) + "/" + name;
  const std::string text = made.dump(2) + "\n";
  if (std::getenv("MIRRORFS_WRITE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  EXPECT_EQ(text, std::string(std::istreambuf_iterator<char>(file), {})) << path;
}

TEST(ManifestsTest, AJobAsItIsByDefault) { ExpectGolden(JobManifest(Spec(), Task()), "job.json"); }

TEST(ManifestsTest, AJobWithAllThatCanBeSaid) {
  AgentPodSpec spec = Spec();
  spec.pull_policy = "Always";
  spec.pull_secrets = {"registry"};
  spec.service_account = "agent";
  spec.name_space = "agents";
  spec.priority_class = "low";
  spec.requests = {{"cpu", "10m"}};
  spec.limits = {{"memory", "256Mi"}};
  spec.labels = {{"team", "a"}, {"app.kubernetes.io/managed-by", "somebody else"}};
  spec.annotations = {{"note", "b"}};
  spec.tolerations = {{"gpu", "yes", "NoSchedule"}, {"", "", "NoExecute"}};
  spec.ttl = absl::ZeroDuration();
  spec.active_deadline = absl::Hours(1);
  spec.mesh_opt_out = false;
  spec.pid_from_cgroup = true;
  spec.port = 9000;
  AgentPodTask task = Task();
  task.read_write = task.devices = task.verbose = true;
  task.identities = "caller";
  ExpectGolden(JobManifest(spec, task), "job-all.json");
}

TEST(ManifestsTest, AnEphemeralContainer) { ExpectGolden(EphemeralContainer(Spec(), Task()), "ephemeral.json"); }

TEST(ManifestsTest, PrivilegedOnlyWhenAskedFor) {
  AgentPodSpec spec = Spec();
  const auto context = [&] {
    return JobManifest(spec, Task())["spec"]["template"]["spec"]["containers"][0]["securityContext"];
  };
  EXPECT_FALSE(context().contains("privileged"));
  spec.privileged = true;
  EXPECT_EQ(context()["privileged"], true);
}

TEST(ManifestsTest, CapabilitiesGrowWithWhatIsAllowed) {
  AgentPodTask task = Task();
  EXPECT_THAT(AgentCapabilities(task), ElementsAre("SYS_PTRACE", "DAC_READ_SEARCH", "SETUID", "SETGID"));
  task.devices = true;  // nothing without read_write
  EXPECT_THAT(AgentCapabilities(task), Not(Contains("MKNOD")));
  task.read_write = true;
  EXPECT_THAT(AgentCapabilities(task), Contains("MKNOD"));
  EXPECT_THAT(AgentCapabilities(task), Contains("CHOWN"));
}

TEST(ManifestsTest, AnEphemeralAgentInASharedPidNamespaceLooksForTheContainer) {
  AgentPodTask task = Task();
  EXPECT_THAT(AgentArguments(Spec(), task, AgentMode::kEphemeral), Contains("pid/1"));
  task.target.share_process_namespace = true;
  EXPECT_THAT(AgentArguments(Spec(), task, AgentMode::kEphemeral), Contains("cri/" + std::string(64, 'c')));
  EXPECT_THAT(AgentArguments(Spec(), task, AgentMode::kEphemeral), Contains("cgroup"));
}

TEST(ManifestsTest, TheSocketIsThatOfTheTargetsRuntime) {
  AgentPodTask task = Task();
  EXPECT_EQ(RuntimeSocketOf(Spec(), task.target), "/run/containerd/containerd.sock");
  task.target.container_id = "cri-o://" + std::string(64, 'c');
  EXPECT_EQ(RuntimeSocketOf(Spec(), task.target), "/run/crio/crio.sock");
  AgentPodSpec spec = Spec();
  spec.runtime_socket = "/run/k3s/containerd/containerd.sock";
  EXPECT_EQ(RuntimeSocketOf(spec, task.target), spec.runtime_socket);
}

TEST(ManifestsTest, ANodesOwnRootNeedsNoRuntime) {
  AgentPodTask task = Task();
  task.target = {.node = "node-1"};
  const ordered_json pod = JobManifest(Spec(), task)["spec"]["template"]["spec"];
  EXPECT_FALSE(pod.contains("volumes"));
  EXPECT_THAT(AgentArguments(Spec(), task, AgentMode::kJob), Contains("pid/1"));
}

}  // namespace
}  // namespace mirrorfs
