// What `mirrorfs agent ls` makes of jobs and pods.
#include "launcher/agentmodes/agent_list.h"

#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

using nlohmann::json;

const absl::Time kCreation = absl::FromUnixSeconds(1'767'225'600);  // 2026-01-01T00:00:00Z

json Job(const json& status = json::object()) {
  return {{"metadata",
           {{"name", "mirrorfs-agent-x"},
            {"namespace", "shop"},
            {"creationTimestamp", "2026-01-01T00:00:00Z"},
            {"annotations", {{"mirrorfs/target", "shop/web/app"}, {"mirrorfs/start-limit-seconds", "60"}}}}},
          {"status", status}};
}

json PodOf(const char* state) {
  return {{"metadata", {{"name", "p"}, {"namespace", "shop"}, {"labels", {{"job-name", "mirrorfs-agent-x"}}}}},
          {"spec", {{"nodeName", "node-1"}}},
          {"status", {{"containerStatuses", {{{"name", "agent"}, {"state", json::parse(state)}}}}}}};
}

ListedAgent Only(const json& job, const std::vector<json>& pods, absl::Time now) {
  const auto agents = AgentsIn({{"items", {job}}}, {{"items", pods}}, now);
  EXPECT_EQ(agents.size(), 1u);
  return agents.empty() ? ListedAgent{} : agents.front();
}

TEST(AgentListTest, OneThatNeverStartedIsGivenUpWhenItsClientHasSurelyGone) {
  EXPECT_EQ(Only(Job(), {}, kCreation + absl::Seconds(60)).state, "pending");
  EXPECT_FALSE(Only(Job(), {}, kCreation + absl::Seconds(60)).Ended());
  EXPECT_EQ(Only(Job(), {}, kCreation + absl::Seconds(121)).state, "given up");
  EXPECT_TRUE(Only(Job(), {PodOf(R"({"waiting":{"reason":"ImagePullBackOff"}})")}, kCreation + absl::Hours(1)).Ended());
}

TEST(AgentListTest, OneThatRunsIsInUseHoweverOldItIs) {
  const ListedAgent agent = Only(Job(), {PodOf(R"({"running":{}})")}, kCreation + absl::Hours(9));
  EXPECT_EQ(agent.state, "running");
  EXPECT_EQ(agent.node, "node-1");
  EXPECT_FALSE(agent.Ended());
  EXPECT_EQ(Only(Job({{"ready", 1}}), {}, kCreation + absl::Hours(9)).state, "running");
}

TEST(AgentListTest, OneWhoseJobIsDoneHasEnded) {
  const json done = {{"conditions", {{{"type", "Complete"}, {"status", "True"}}}}};
  EXPECT_EQ(Only(Job(done), {}, kCreation).state, "finished");
  EXPECT_TRUE(Only(Job(done), {}, kCreation).Ended());
}

}  // namespace
}  // namespace mirrorfs
