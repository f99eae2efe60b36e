// How far a pod has come, from what API servers of version 1.33 have said of real ones.
#include "launcher/agentmodes/pod_state.h"

#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

json Pod(const char* state) {
  return {{"spec", {{"nodeName", "node-1"}}},
          {"status",
           {{"phase", "Pending"},
            {"containerStatuses", {{{"name", "agent"}, {"image", "x/agent:1"}, {"state", json::parse(state)}}}}}}};
}

bool Says(const absl::Status& status, std::string_view text) {
  return MessageOf(status).find(text) != std::string::npos;
}

TEST(PodStateTest, WaitsForANode) {
  const json pod = json::parse(R"({"spec":{},"status":{"phase":"Pending","conditions":[{"type":"PodScheduled",
      "status":"False","reason":"Unschedulable","message":"0/2 nodes are available: 1 Insufficient cpu."}]}})");
  const PodState state = JudgePod(pod, "agent");
  EXPECT_EQ(state.step, PodStep::kCreated);
  EXPECT_EQ(state.waits_for, "0/2 nodes are available: 1 Insufficient cpu.");
  EXPECT_TRUE(state.failure.ok());
}

TEST(PodStateTest, ComesFurtherStepByStep) {
  EXPECT_EQ(JudgePod(json::parse(R"({"spec":{"nodeName":"node-1"},"status":{}})"), "agent").step, PodStep::kScheduled);
  EXPECT_EQ(JudgePod(Pod(R"({"waiting":{"reason":"ContainerCreating"}})"), "agent").step, PodStep::kPulling);
  EXPECT_EQ(JudgePod(Pod(R"({"running":{"startedAt":"2026-01-01T00:00:00Z"}})"), "agent").step, PodStep::kStarted);
  const PodState ended = JudgePod(Pod(R"({"terminated":{"exitCode":3,"reason":"Error"}})"), "agent");
  EXPECT_EQ(ended.step, PodStep::kEnded);
  EXPECT_EQ(ended.exit_code, 3);
}

TEST(PodStateTest, AnEphemeralContainerIsLookedAtToo) {
  const json pod = json::parse(R"({"spec":{"nodeName":"node-1"},"status":{"containerStatuses":[{"name":"app",
      "state":{"running":{}}}],"ephemeralContainerStatuses":[{"name":"mirrorfs-agent-1","state":{"running":{}}}]}})");
  EXPECT_EQ(JudgePod(pod, "mirrorfs-agent-1").step, PodStep::kStarted);
  EXPECT_EQ(JudgePod(pod, "mirrorfs-agent-2").step, PodStep::kScheduled);
}

TEST(PodStateTest, AnImageThatCannotBeHad) {
  const absl::Status never =
      JudgePod(Pod(R"({"waiting":{"reason":"ErrImageNeverPull","message":"..."}})"), "agent").failure;
  EXPECT_TRUE(Says(never, "x/agent:1") && Says(never, "--agent-pull-policy"));
  const absl::Status back_off =
      JudgePod(Pod(R"({"waiting":{"reason":"ImagePullBackOff","message":"Back-off pulling image"}})"), "agent").failure;
  EXPECT_TRUE(Says(back_off, "--agent-image") && Says(back_off, "Back-off"));
  // The first failure may be the network's; the kubelet tries again.
  EXPECT_TRUE(JudgePod(Pod(R"({"waiting":{"reason":"ErrImagePull"}})"), "agent").failure.ok());
}

TEST(PodStateTest, WhatEventsTell) {
  const auto judge = [](const char* reason, const char* message) {
    return JudgeEvents({{"items", {{{"reason", reason}, {"message", message}}}}});
  };
  const absl::Status security =
      judge("FailedCreate",
            "Error creating: pods \"x\" is forbidden: violates PodSecurity \"restricted:latest\": host "
            "namespaces (hostPID=true)");
  EXPECT_TRUE(Says(security, "hostPID") && Says(security, "--agent exec"));
  EXPECT_TRUE(Says(judge("FailedCreate", "pods \"x\" is forbidden: exceeded quota: small"), "--agent-limit"));
  EXPECT_TRUE(Says(judge("FailedCreate", "admission webhook \"policy\" denied the request: no"), "webhook"));
  const absl::Status socket = judge("FailedMount",
                                    "MountVolume.SetUp failed for volume \"runtime\" : hostPath type check "
                                    "failed: /run/x.sock is not a socket file");
  EXPECT_TRUE(Says(socket, "--runtime-socket") && Says(socket, "--agent-pid-from cgroup"));
  EXPECT_TRUE(judge("FailedMount", "timed out waiting for the condition").ok());
  EXPECT_TRUE(judge("Scheduled", "Successfully assigned").ok());
  EXPECT_TRUE(JudgeEvents({}).ok());
}

TEST(PodStateTest, NonsenseIsNoCrash) {
  for (const char* text :
       {"{}", "[]", "null", R"({"status":{"containerStatuses":[1,"x",{"name":7}]},"spec":{"nodeName":"n"}})"}) {
    EXPECT_LE(JudgePod(json::parse(text), "agent").step, PodStep::kScheduled);
  }
}

}  // namespace
}  // namespace mirrorfs
