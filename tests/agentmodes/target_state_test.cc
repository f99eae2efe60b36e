// Whether a container is still there, by what the cluster says of its pod.
#include "launcher/agentmodes/target_state.h"

#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

constexpr char kRunning[] = R"({"running":{"startedAt":"2026-01-01T00:00:00Z"}})";
const absl::Time kDeletion = absl::FromUnixSeconds(1'767'225'660);  // 2026-01-01T00:01:00Z

// `kind`: "" for main containers, "init" and "ephemeral" for those.
json Pod(std::string kind, const char* state, const json& metadata = json::object()) {
  const std::string containers = kind.empty() ? "containers" : kind + "Containers";
  const std::string statuses = kind.empty() ? "containerStatuses" : kind + "ContainerStatuses";
  return {
      {"metadata", metadata},
      {"spec", {{containers, {{{"name", "app"}}}}}},
      {"status", {{statuses, {{{"name", "app"}, {"containerID", "containerd://1"}, {"state", json::parse(state)}}}}}}};
}

bool IsThere(const json& pod, const std::string& id = "containerd://1", absl::Time now = kDeletion) {
  PodTarget target;
  target.pod = "web";
  target.container = "app";
  target.container_id = id;
  const absl::Status judged = JudgeTarget(pod, target, now);
  EXPECT_TRUE(judged.ok() || ExitCodeOf(judged) == ExitCode::kNoTarget) << judged;
  return judged.ok();
}

TEST(TargetStateTest, ContainersOfEveryKindAreLookedFor) {
  for (const char* kind : {"", "init", "ephemeral"}) EXPECT_TRUE(IsThere(Pod(kind, kRunning))) << kind;
}

TEST(TargetStateTest, OneThatHasEndedOrWasStartedAnewIsGone) {
  EXPECT_FALSE(IsThere(Pod("", R"({"terminated":{"exitCode":0}})")));
  EXPECT_FALSE(IsThere(Pod("", kRunning), "containerd://2"));
  EXPECT_FALSE(IsThere(Pod("init", R"({"waiting":{"reason":"CrashLoopBackOff"}})")));
}

TEST(TargetStateTest, APodThatIsBeingDeletedHasItsGrace) {
  const json pod = Pod("", kRunning, {{"deletionTimestamp", "2026-01-01T00:01:00Z"}});
  EXPECT_TRUE(IsThere(pod, "containerd://1", kDeletion - absl::Seconds(20)));
  EXPECT_TRUE(IsThere(pod, "containerd://1", kDeletion + absl::Seconds(1)));
  EXPECT_FALSE(IsThere(pod, "containerd://1", kDeletion + absl::Seconds(10)));
}

}  // namespace
}  // namespace mirrorfs
