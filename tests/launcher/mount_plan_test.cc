#include "launcher/plan/mount_plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"
#include "launcher/plan/child_commands.h"
#include "protos/shared/errno_status.h"
#include "tests/launcher/invokers.h"

namespace mirrorfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

absl::StatusOr<MountPlan> Plan(std::vector<std::string> words, const Invoker& invoker) {
  ASSIGN_OR_RETURN(const MountArguments arguments, ParseMountArguments(words, MountCaller::kPerson));
  return MakeMountPlan(arguments, invoker);
}

TEST(MountPlan, DefaultsForRoot) {
  const auto plan = Plan({"docker/web", "web"}, kRoot);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->target, "docker/web");
  EXPECT_EQ(plan->mountpoint, "/work/web");
  EXPECT_EQ(plan->identity, "caller");
  EXPECT_FALSE(plan->read_write);
  EXPECT_EQ(plan->deadline_seconds, 10);
  EXPECT_TRUE(plan->StartsAgent());
  EXPECT_THAT(plan->mount_options, ElementsAre("default_permissions"));
}

TEST(MountPlan, DefaultsForAnOrdinaryUser) {
  const auto plan = Plan({"dir:data", "/mnt"}, kUser);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->target, "dir:/home/me/data");
  EXPECT_EQ(plan->identity, "container");
  EXPECT_THAT(plan->mount_options, IsEmpty());
}

TEST(MountPlan, OptionsMayStandAnywhere) {
  const auto plan = Plan({"-o", "rw", "dir:/x", "-v", "/mnt", "--as", "5:6", "-onoexec"}, kRoot);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->read_write);
  EXPECT_TRUE(plan->verbose);
  EXPECT_EQ(plan->identity, "5:6");
  EXPECT_THAT(plan->mount_options, ElementsAre("noexec"));
}

TEST(MountPlan, DevicesNeedBothDevAndRw) {
  EXPECT_FALSE(Plan({"dir:/x", "/mnt", "-o", "dev"}, kRoot)->devices);
  EXPECT_FALSE(Plan({"dir:/x", "/mnt", "--rw"}, kRoot)->devices);
  EXPECT_TRUE(Plan({"dir:/x", "/mnt", "--rw", "-o", "dev"}, kRoot)->devices);
}

TEST(MountPlan, APrivateLayerNeedsNoWritableContainer) {
  auto plan = Plan({"--cow", "--layer", "try", "dir:/x", "/mnt", "-o", "dev"}, kRoot);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->private_layer);
  EXPECT_EQ(plan->layer_name, "try");
  EXPECT_FALSE(plan->read_write);
  plan->layer_directory = "/layers/try";
  EXPECT_THAT(AgentCommand(*plan, "/s", 3), Not(Contains("--rw")));
  EXPECT_THAT(AgentCommand(*plan, "/s", 3), Not(Contains("--devices")));
  EXPECT_THAT(DaemonCommand(*plan, "unix:/s", 3), Not(Contains("--rw")));
  EXPECT_THAT(DaemonCommand(*plan, "unix:/s", 3), Contains("/layers/try"));
  EXPECT_EQ(ParseMountPlan(Serialize(*plan))->layer_directory, "/layers/try");
}

TEST(MountPlan, AllowOtherBringsDefaultPermissions) {
  EXPECT_THAT(Plan({"dir:/x", "/mnt", "-o", "allow_other"}, kRoot)->mount_options,
              ElementsAre("allow_other", "default_permissions"));
  EXPECT_THAT(
      Plan({"dir:/x", "/mnt", "--as", "container", "-o", "allow_other,default_permissions"}, kRoot)->mount_options,
      ElementsAre("allow_other", "default_permissions"));
}

TEST(MountPlan, HardAndDeadlines) {
  EXPECT_EQ(Plan({"dir:/x", "/mnt", "--hard"}, kRoot)->deadline_seconds, 0);
  EXPECT_EQ(Plan({"dir:/x", "/mnt", "--deadline", "1m30s"}, kRoot)->deadline_seconds, 90);
  EXPECT_EQ(Plan({"dir:/x", "/mnt", "--deadline=0"}, kRoot)->deadline_seconds, 0);
}

struct WrongLine {
  std::vector<std::string> words;
  ExitCode code;
  const char* message;
};

class WrongLines : public ::testing::TestWithParam<WrongLine> {};

TEST_P(WrongLines, AreExplained) {
  const auto plan = Plan(GetParam().words, kUser);
  ASSERT_FALSE(plan.ok());
  EXPECT_EQ(ExitCodeOf(plan.status()), GetParam().code);
  EXPECT_THAT(MessageOf(plan.status()), HasSubstr(GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    All, WrongLines,
    ::testing::Values(
        WrongLine{{}, ExitCode::kUsage, "target is missing"},
        WrongLine{{"dir:/x"}, ExitCode::kUsage, "mount point is missing"},
        WrongLine{{"dir:/x", "/a", "/b"}, ExitCode::kUsage, "too many"},
        WrongLine{{"dir:/x", "/a", "--foregrund"}, ExitCode::kUsage, "did you mean --foreground?"},
        WrongLine{{"dir:/x", "/a", "--fore"}, ExitCode::kUsage, "no option --fore"},
        WrongLine{{"dir:/x", "/a", "--as"}, ExitCode::kUsage, "argument"},
        WrongLine{{"dir:/x", "/a", "--as", "me"}, ExitCode::kUsage, "--as me"},
        WrongLine{{"dir:/x", "/a", "--as", "1:"}, ExitCode::kUsage, "--as 1:"},
        WrongLine{{"dir:/x", "/a", "--as", "4294967295"}, ExitCode::kUsage, "--as"},
        WrongLine{{"dir:/x", "/a", "--as", "caller"}, ExitCode::kNotPermitted, "must be root"},
        WrongLine{{"dir:/x", "/a", "--rw", "-r"}, ExitCode::kUsage, "both"},
        WrongLine{{"dir:/x", "/a", "--rw", "-o", "ro"}, ExitCode::kUsage, "both"},
        WrongLine{{"dir:/x", "/a", "--hard", "--deadline", "1s"}, ExitCode::kUsage, "--hard"},
        WrongLine{{"dir:/x", "/a", "--deadline", "1ns"}, ExitCode::kUsage, "at least"},
        WrongLine{{"dir:/x", "/a", "--deadline", "1e20"}, ExitCode::kUsage, "--deadline"},
        WrongLine{{"dir:/x", "/a", "--deadline", "soon"}, ExitCode::kUsage, "not a length of time"},
        WrongLine{{"dir:/x", "/a", "-o", "allow_other"}, ExitCode::kUsage, "default_permissions"},
        WrongLine{{"dir:/x", "/a", "-o", "suid"}, ExitCode::kNotPermitted, "root only"},
        WrongLine{{"dir:/x", "/a", "-o", "dev"}, ExitCode::kNotPermitted, "root only"},
        WrongLine{{"dir:/x", "/a", "--tls-ca", "f"}, ExitCode::kUsage, "grpc:// targets only"},
        WrongLine{{"docker/web", "/a", "-n", "shop"}, ExitCode::kUsage, "--namespace goes with targets in a"},
        WrongLine{{"pod/web", "/a", "-l", "a=b"}, ExitCode::kUsage, "both given"},
        WrongLine{{"pod/web", "/a", "-c", "../x"}, ExitCode::kUsage, "not the name of a container"},
        WrongLine{{"grpc://h:1", "/a", "--tls-ca", "f"}, ExitCode::kUsage, "go together"},
        WrongLine{{"dir:/x", "/a", "--token-file", "f"}, ExitCode::kUsage, "grpc:// and unix: targets only"}));

TEST(MountPlan, SurvivesTheWayToTheKeeper) {
  auto plan = Plan({"unix:/a\xff.sock", "/mnt/\xfe", "--rw", "-o", "noexec", "--token-file", "t"}, kUser);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto copy = ParseMountPlan(Serialize(*plan));
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(*copy, *plan);
  EXPECT_FALSE(ParseMountPlan("garbage").ok());
}

TEST(MountPlan, TargetsInAClusterTakeKubectlsOptions) {
  const auto plan = Plan({"deploy/web", "/mnt", "-n", "shop", "-c", "app", "--context", "prod", "--kubeconfig", "k",
                          "--kube-as", "jane", "--kube-as-group", "a", "--kube-as-group", "b"},
                         kUser);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->IsInCluster());
  EXPECT_TRUE(plan->StartsAgent());
  EXPECT_EQ(plan->workload, (WorkloadTarget{.kind = "deployment", .name = "web", .container = "app"}));
  EXPECT_EQ(plan->cluster.name_space, "shop");
  EXPECT_EQ(plan->cluster.kubeconfig, std::string(kUser.working_directory) + "/k");
  EXPECT_THAT(plan->cluster.impersonate_groups, ElementsAre("a", "b"));
  const auto copy = ParseMountPlan(Serialize(*plan));
  ASSERT_TRUE(copy.ok()) << copy.status();
  EXPECT_EQ(*copy, *plan);
}

TEST(MountPlan, LabelsStandForATarget) {
  const auto plan = Plan({"-l", "app=web", "/mnt"}, kUser);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_EQ(plan->target, "pod -l app=web");
  EXPECT_EQ(plan->mountpoint, "/mnt");
  EXPECT_EQ(Plan({"-l", "app=web", "pod", "/mnt"}, kUser)->target, "pod -l app=web");
  EXPECT_FALSE(Plan({"docker/web", "/mnt"}, kUser)->IsInCluster());
}

TEST(MountHelper, IsCalledAsMountCallsIt) {
  const std::vector<std::string> words = {"docker/web", "/mnt", "-sfnv", "-o", "rw,nofail,dev"};
  const auto arguments = ParseMountArguments(words, MountCaller::kMountHelper);
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_TRUE(arguments->fake);
  EXPECT_FALSE(arguments->foreground);
  EXPECT_EQ(arguments->mountpoint, "/mnt");
}

TEST(ChildCommands, OfTheAgent) {
  const auto plan = Plan({"docker/web", "/mnt", "--rw", "-o", "dev", "--runtime-socket", "d.sock"}, kRoot);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(
      AgentCommand(*plan, "/run/a.sock", 3),
      ElementsAre("mirrorfs-agent", "--target", "docker/web", "--listen", "unix:/run/a.sock", "--rw", "--devices",
                  "--identities", "caller", "--runtime-socket", "/work/d.sock", "--ready-fd", "3", "--ttl", "60s"));
}

TEST(ChildCommands, OfTheDaemonHoldNoSecret) {
  const auto plan =
      Plan({"grpc://h:1", "/mnt", "--token-file", "/t", "--deadline", "500ms", "-o", "noexec,idmap=user"}, kUser);
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto command = DaemonCommand(*plan, plan->endpoint, 3);
  EXPECT_THAT(command, ElementsAre("mirrorfsd", "--endpoint", "h:1", "--mountpoint", "/mnt", "--source", "grpc://h:1",
                                   "--identity", "container", "--deadline", "500ms", "--token-file", "/t", "-o",
                                   "noexec,idmap=user", "--control-fd", "3"));
  EXPECT_THAT(command, Not(Contains("--rw")));
}

}  // namespace
}  // namespace mirrorfs
