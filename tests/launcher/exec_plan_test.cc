#include "launcher/plan/exec_plan.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/config/load_settings.h"
#include "launcher/failure.h"
#include "launcher/plan/child_commands.h"
#include "launcher/plan/exec_plan_text.h"
#include "protos/shared/errno_status.h"
#include "tests/launcher/invokers.h"

namespace mirrorfs {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

absl::StatusOr<ExecPlan> Plan(std::vector<std::string> words, const Invoker& invoker = kRoot,
                              ExecCommand kind = ExecCommand::kExec, const std::string& shell = "/bin/bash") {
  ASSIGN_OR_RETURN(const ExecArguments arguments, ParseExecArguments(words, kind));
  // No directory, so no file is found.
  ASSIGN_OR_RETURN(const LoadedSettings loaded, LoadSettings(arguments.flags, {}, "/nonexistent"));
  return MakeExecPlan(arguments, loaded.settings, invoker,
                      {.working_directory = "/work",
                       .shell = shell,
                       .environment = {"PATH=/bin"},
                       .facts = {.working_directory = {"/work"},
                                 .home = {"/home/me"},
                                 .temporary_directory = {},
                                 .executable = {"/usr/bin/app"}},
                       .socket_places = {}});
}

void ExpectFailure(const absl::StatusOr<ExecPlan>& plan, ExitCode code, const std::string& message) {
  EXPECT_EQ(ExitCodeOf(plan.status()), code) << plan.status();
  EXPECT_THAT(MessageOf(plan.status()), HasSubstr(message));
}

TEST(ExecPlan, DefaultsForRoot) {
  const auto plan = Plan({"--target", "docker/web", "--", "app", "1"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(plan->command, ElementsAre("app", "1"));
  EXPECT_EQ(plan->service.target, "docker/web");
  EXPECT_EQ(plan->service.identity, "caller");
  EXPECT_THAT(plan->service.mount_options, ElementsAre("symlinks=raw", "allow_other", "default_permissions"));
  EXPECT_FALSE(plan->user_namespace);
  EXPECT_TRUE(plan->view);
  EXPECT_TRUE(plan->asks_for_volumes);
  EXPECT_EQ(plan->working_directory, "/work");
}

TEST(ExecPlan, AnOrdinaryUserGetsAUserNamespace) {
  const auto plan = Plan({"--target", "pid/1", "--", "app"}, kUser);
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->user_namespace);
  EXPECT_EQ(plan->service.identity, "container");
  EXPECT_THAT(plan->service.mount_options, ElementsAre("symlinks=raw", "idmap=own"));
  ExpectFailure(Plan({"--target", "unix:/s", "--as", "caller", "--", "app"}, kUser), ExitCode::kNotPermitted,
                "--as caller");
}

TEST(ExecPlan, TheAgentMayWriteOnlyIfSomePathIsWrittenInTheContainer) {
  EXPECT_FALSE(Plan({"-t", "docker/web", "--", "app"})->service.read_write);
  EXPECT_FALSE(Plan({"-t", "docker/web", "--read-only", "^/x", "--", "app"})->service.read_write);
  EXPECT_FALSE(Plan({"-t", "docker/web", "--fs-mode", "localwithoverrides", "--", "app"})->service.read_write);
  EXPECT_TRUE(Plan({"-t", "docker/web", "--fs-mode", "write", "--", "app"})->service.read_write);
  const auto plan = Plan({"-t", "docker/web", "--read-write", "^/data/", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->service.read_write);
  EXPECT_THAT(AgentCommand(plan->service, "/s", 3), Contains("--rw"));
}

TEST(ExecPlan, TheDaemonIsToldOfPolicyLayerAndTheMountThatExists) {
  auto plan = Plan({"-t", "docker/web", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  plan->service.mountpoint = kMountedDescriptor;
  plan->service.policy_file = "/run/policy";
  plan->service.layer_directory = "/layers/x";
  EXPECT_THAT(DaemonCommand(plan->service, "unix:/s", 3),
              IsSupersetOf({"--mountpoint", "/dev/fd/4", "--policy", "/run/policy", "--layer", "/layers/x"}));
  EXPECT_THAT(AgentCommand(plan->service, "/s", 3, 4), IsSupersetOf({"--process-facts-fd", "4"}));
  const auto copy = ParseMountPlan(Serialize(plan->service));
  ASSERT_TRUE(copy.ok());
  EXPECT_EQ(*copy, plan->service);
}

TEST(ExecPlan, WhatIsMissingIsNamed) {
  ExpectFailure(Plan({"--", "app"}), ExitCode::kUsage, "the target is missing");
  ExpectFailure(Plan({"-t", "docker/web"}), ExitCode::kUsage, "the program is missing");
  ExpectFailure(Plan({"-t", "docker/web", "--"}), ExitCode::kUsage, "the program is missing");
  ExpectFailure(Plan({"-t", "docker/web", "--", ""}), ExitCode::kUsage, "the program is missing");
  ExpectFailure(Plan({"-t", "dokcer/web", "--", "app"}), ExitCode::kUsage, "did you mean docker");
  ExpectFailure(Plan({"--fs-mode", "local", "--env", "--", "app"}), ExitCode::kUsage, "write --target TARGET");
}

TEST(ExecPlan, InModeLocalThereIsNoLayerToBeNamed) {
  ExpectFailure(Plan({"-t", "docker/web", "--fs-mode", "local", "--layer", "x", "--", "app"}), ExitCode::kUsage,
                "in mode local (flag --fs-mode) nothing goes to a private layer");
  ExpectFailure(Plan({"-t", "docker/web", "--layer", "", "--", "app"}), ExitCode::kUsage, "the name is empty");
}

TEST(ExecPlan, ABadPatternIsNamedBeforeAnythingStarts) {
  ExpectFailure(Plan({"-t", "docker/web", "--local", "(", "--", "app"}), ExitCode::kUsage, "(");
}

TEST(ExecPlan, OnlyAProcessHasAnEnvironment) {
  ExpectFailure(Plan({"-t", "dir:/srv", "--env", "--", "app"}), ExitCode::kUsage, "a directory has none");
  ExpectFailure(Plan({"-t", "unix:/s", "--container-cwd", "--", "app"}), ExitCode::kUsage, "does not tell");
  const auto plan = Plan({"-t", "pid/7", "--env", "--container-cwd", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_TRUE(plan->NeedsProcessFacts());
  EXPECT_TRUE(plan->container_cwd);
  EXPECT_FALSE(plan->asks_for_volumes);
}

absl::StatusOr<std::optional<MountPlan>> Query(std::vector<std::string> words, const Invoker& invoker = kRoot) {
  words.insert(words.end(), {"--", "app"});
  ASSIGN_OR_RETURN(const ExecArguments arguments, ParseExecArguments(words, ExecCommand::kExec));
  ASSIGN_OR_RETURN(const LoadedSettings loaded, LoadSettings(arguments.flags, {}, "/nonexistent"));
  return PlanVolumeQuery(loaded.settings, invoker);
}

TEST(VolumeQuery, IsNotRefusedForWhatOnlyARunNeeds) {
  const std::vector<std::string> words = {"-t", "docker/web", "--as", "caller"};
  EXPECT_FALSE(Plan({"-t", "docker/web", "--as", "caller", "--", "app"}, kUser).ok());
  const auto query = Query(words, kUser);
  ASSERT_TRUE(query.ok()) << query.status();
  ASSERT_TRUE(query->has_value());
  EXPECT_EQ((*query)->target, "docker/web");
  const auto of_directory = Query({"-t", "dir:/srv", "--env", "--container-cwd"});
  ASSERT_TRUE(of_directory.ok()) << of_directory.status();
  EXPECT_FALSE(of_directory->has_value()) << "it has no volumes";
}

TEST(VolumeQuery, IsMadeOnlyWhereVolumesAreTakenOver) {
  EXPECT_FALSE(Query({"-t", "docker/web", "--no-auto-mount"})->has_value());
  EXPECT_FALSE(Query({"-t", "docker/web", "--fs-mode", "local"})->has_value());
  EXPECT_FALSE(Query({"-t", "pid/7"})->has_value());
  EXPECT_FALSE(Query({"-t", "docker/"}).ok());
}

TEST(ExecPlan, InModeLocalNothingIsNeeded) {
  const auto plan = Plan({"--fs-mode", "local", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_FALSE(plan->view);
  EXPECT_FALSE(plan->NeedsProcessFacts());
  EXPECT_THAT(*TreesToBind(PolicyOf(*plan, {}), {}), IsEmpty());
}

TEST(ExecPlan, AShellIsTheUsersOwn) {
  EXPECT_THAT(Plan({"-t", "docker/web"}, kRoot, ExecCommand::kShell, "/bin/zsh")->command, ElementsAre("/bin/zsh"));
  EXPECT_THAT(Plan({"-t", "docker/web"}, kRoot, ExecCommand::kShell, "")->command, ElementsAre("/bin/sh"));
}

TEST(ExecPlan, TheKernelsTreesAreAlwaysThisMachines) {
  const auto plan =
      Plan({"-t", "docker/web", "--read-only", "^/proc/x", "--read-only", "^/usr/share/app", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const auto trees = TreesToBind(PolicyOf(*plan, {}), {});
  ASSERT_TRUE(trees.ok()) << trees.status();
  EXPECT_THAT(*trees, IsSupersetOf({"/proc", "/sys", "/dev", "/lib64", "/tmp", "/work"}));
  EXPECT_THAT(*trees, Not(Contains("/usr")));
  EXPECT_THAT(*trees, Not(Contains("/etc"))) << "the container's /etc/hosts lies in it";
}

TEST(ExecPlan, AVolumeInALocalTreeIsNotCovered) {
  const auto plan = Plan({"-t", "docker/web", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  EXPECT_THAT(*TreesToBind(PolicyOf(*plan, {}), {}), Contains("/opt"));
  const std::vector<std::string> volumes = {"/opt/volume"};
  EXPECT_THAT(*TreesToBind(PolicyOf(*plan, volumes), {}), Not(Contains("/opt")));
}

TEST(ExecPlan, SocketsInATreeThatIsNotBoundAreBoundThemselves) {
  const auto plan = Plan({"-t", "docker/web", "--", "app"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const std::vector<std::string> volumes = {"/run/secrets"};
  const std::vector<std::string> places = {"/run/dbus", "/run/docker.sock", "/run/secrets", "/tmp/.X11-unix", "/srv/x"};
  const auto trees = TreesToBind(PolicyOf(*plan, volumes), places);
  ASSERT_TRUE(trees.ok()) << trees.status();
  EXPECT_THAT(*trees, IsSupersetOf({"/run/dbus", "/run/docker.sock", "/tmp"}));
  for (const char* other : {"/run", "/run/secrets", "/tmp/.X11-unix", "/srv/x"}) {
    EXPECT_THAT(*trees, Not(Contains(other)));
  }
}

TEST(ExecPlanText, TellsMountsPolicyAndEnvironment) {
  const auto plan = Plan({"-t", "docker/web", "--env", "--env-exclude=SECRET*", "--read-only", "^/app/", "--", "a b"});
  ASSERT_TRUE(plan.ok()) << plan.status();
  const std::vector<std::string> trees = {"/proc"};
  const std::string text = DescribeExecPlan(*plan, trees);
  EXPECT_THAT(text, HasSubstr("'a b'"));
  EXPECT_THAT(text, HasSubstr("cannot write to the container"));
  EXPECT_THAT(text, HasSubstr("fuse.mirrorfs, docker/web, the root"));
  EXPECT_THAT(text, HasSubstr("/proc                bound"));
  EXPECT_THAT(text, HasSubstr("^/app/  (flag --read-only)"));
  EXPECT_THAT(text, HasSubstr("SECRET*"));
  EXPECT_LT(text.find("the target's volumes"), text.find("default not_found"));
  EXPECT_GT(text.find("the target's volumes"), text.find("^/app/"));
}

// A rule may send a write there in any mode.
TEST(ExecPlanText, EveryViewHasALayer) {
  EXPECT_THAT(DescribeExecPlan(*Plan({"-t", "docker/web", "--fs-mode", "write", "--layer", "mine", "--", "app"}), {}),
              HasSubstr("layer        mine\n"));
  EXPECT_THAT(DescribeExecPlan(*Plan({"-t", "docker/web", "--fs-mode", "write", "--", "app"}), {}),
              HasSubstr("layer        a new one"));
  EXPECT_THAT(DescribeExecPlan(*Plan({"--fs-mode", "local", "--", "app"}), {}), HasSubstr("layer        none\n"));
}

}  // namespace
}  // namespace mirrorfs
