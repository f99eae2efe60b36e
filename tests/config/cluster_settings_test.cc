// What mount, cp and so on take from the environment and from settings files: for targets in a cluster only.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"
#include "launcher/plan/mount_plan.h"
#include "launcher/plan/service_arguments.h"
#include "protos/shared/errno_status.h"
#include "tests/config/scratch.h"

namespace mirrorfs {
namespace {

using ::testing::HasSubstr;

class ClusterSettingsTest : public ::testing::Test {
 protected:
  ClusterSettingsTest() {
    environment_["HOME"] = scratch_.Path("home");
    invoker_.working_directory = scratch_.Path("work/deep");
    scratch_.Write("work/deep/file", "");
    scratch_.Write("work/.mirrorfs.yaml",
                   "target: pod/other\ncontainer: side\nfs: {mode: write}\n"
                   "agent: {mode: exec, deadline: 20s, follow: true}\ncluster: {namespace: shop}\n");
    scratch_.Write(
        "home/.config/mirrorfs/config.yaml",
        "agent: {image: mine, ttl: 5s, as: '5:6', runtime_socket: /run/rt.sock}\ncluster: {context: prod}\n");
  }

  absl::StatusOr<MountPlan> Plan(const std::vector<std::string>& words) {
    ASSIGN_OR_RETURN(MountArguments arguments, ParseMountArguments(words, MountCaller::kPerson));
    ASSIGN_OR_RETURN(arguments, WithSettings(std::move(arguments), environment_, invoker_));
    return MakeMountPlan(arguments, invoker_);
  }

  MountPlan Planned(const std::vector<std::string>& words) {
    auto plan = Plan(words);
    EXPECT_TRUE(plan.ok()) << plan.status();
    return plan.ok() ? *std::move(plan) : MountPlan{};
  }

  Scratch scratch_;
  Environment environment_;
  Invoker invoker_{
      .uid = 0, .gid = 0, .working_directory = {}, .executable_directory = "/usr/bin", .runtime_directory = {}};
};

TEST_F(ClusterSettingsTest, FilesSayWhatFlagsDoNot) {
  scratch_.Write("work/.mirrorfs.yaml",
                 "agent: {mode: job, deadline: 20s, follow: true}\ncluster: {namespace: shop}\n");
  const MountPlan plan = Planned({"pod/web", "mnt"});
  EXPECT_EQ(plan.target, "pod/web -n shop --context prod");
  EXPECT_EQ(plan.agent_mode, AgentMode::kJob);
  EXPECT_EQ(plan.deadline_seconds, 20);
  EXPECT_EQ(plan.identity, "5:6");
  EXPECT_EQ(plan.agent_pod.image, "mine");
  EXPECT_EQ(plan.agent_pod.ttl, absl::Seconds(5));
  EXPECT_EQ(plan.agent_pod.runtime_socket, "/run/rt.sock");
  EXPECT_TRUE(plan.Follows());
  EXPECT_EQ(plan.workload.container, "");
}

TEST_F(ClusterSettingsTest, FlagsCountMostThenTheEnvironment) {
  environment_["MIRRORFS_AGENT_IMAGE"] = "variable";
  environment_["MIRRORFS_AGENT_TTL"] = "7s";
  const MountPlan plan = Planned({"pod/web", "mnt", "--agent", "job", "--agent-image", "flag", "-n", "mine", "--hard",
                                  "--as", "container", "--runtime-socket", "/flag.sock"});
  EXPECT_EQ(plan.target, "pod/web -n mine --context prod");
  EXPECT_EQ(plan.agent_mode, AgentMode::kJob);
  EXPECT_EQ(plan.deadline_seconds, 0);
  EXPECT_EQ(plan.identity, "container");
  EXPECT_EQ(plan.agent_pod.image, "flag");
  EXPECT_EQ(plan.agent_pod.ttl, absl::Seconds(7));
  EXPECT_EQ(plan.agent_pod.runtime_socket, "/flag.sock");
}

TEST_F(ClusterSettingsTest, WordsOfTheTargetCountMoreThanFiles) {
  const MountPlan plan = Planned({"pod/web -n theirs", "mnt", "--as", "container"});
  EXPECT_EQ(plan.target, "pod/web -n theirs --context prod");
}

TEST_F(ClusterSettingsTest, ASelectorAloneIsATargetInACluster) {
  EXPECT_EQ(Planned({"-l", "app=web", "mnt", "--as", "container"}).target, "pod -l app=web -n shop --context prod");
}

TEST_F(ClusterSettingsTest, ANodeIsNotFollowed) {
  const MountPlan plan = Planned({"node/n1", "mnt", "--agent", "job"});
  EXPECT_FALSE(plan.Follows());
}

TEST_F(ClusterSettingsTest, ATargetElsewhereIsLeftAsItIs) {
  environment_["MIRRORFS_AGENT_IMAGE"] = "variable";
  const MountPlan plan = Planned({"dir:/x", "mnt"});
  EXPECT_EQ(plan.deadline_seconds, 10);
  EXPECT_EQ(plan.identity, "caller");
  EXPECT_EQ(plan.agent_mode, AgentMode::kHost);
  EXPECT_EQ(plan.agent_pod.image, "");
}

TEST_F(ClusterSettingsTest, WhatIsWrongIsToldWithItsPlace) {
  environment_["MIRRORFS_AGENT_TTL"] = "soon";
  EXPECT_THAT(MessageOf(Plan({"pod/web", "mnt"}).status()), HasSubstr("MIRRORFS_AGENT_TTL"));
  environment_.erase("MIRRORFS_AGENT_TTL");
  const std::string file = scratch_.Write("work/.mirrorfs.yaml", "agent:\n  image: theirs\n");
  EXPECT_THAT(MessageOf(Plan({"pod/web", "mnt"}).status()), HasSubstr(file + ":2"));
  EXPECT_TRUE(Plan({"dir:/x", "mnt"}).ok());
}

}  // namespace
}  // namespace mirrorfs
