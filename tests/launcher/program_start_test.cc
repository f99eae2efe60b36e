// What a program gets from the target's process: environment, working directory, volumes; and how a shell is started.
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"
#include "launcher/plan/environment_choice.h"
#include "launcher/plan/process_facts.h"
#include "launcher/plan/shell_start.h"

namespace mirrorfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(MatchesName, StarsAndQuestionMarks) {
  EXPECT_TRUE(MatchesName("*", ""));
  EXPECT_TRUE(MatchesName("APP_*", "APP_"));
  EXPECT_TRUE(MatchesName("*_URL", "DATABASE_URL"));
  EXPECT_TRUE(MatchesName("A*B*C", "AxxBxxBxC"));
  EXPECT_TRUE(MatchesName("A?C", "ABC"));
  EXPECT_FALSE(MatchesName("A?C", "AC"));
  EXPECT_FALSE(MatchesName("APP", "APPLE"));
  EXPECT_FALSE(MatchesName("app", "APP"));
}

std::vector<std::string> Choose(const EnvironmentChoice& choice, std::vector<std::string> own,
                                std::vector<std::string> target) {
  return ChooseEnvironment(choice, own, target);
}

TEST(Environment, IsOnesOwnUnlessAskedFor) {
  EXPECT_THAT(Choose({}, {"B=1", "A=2"}, {"C=3"}), ElementsAre("B=1", "A=2"));
}

TEST(Environment, TheTargetsComesOverIt) {
  EXPECT_THAT(Choose({.include = {"*"}}, {"B=1", "A=2"}, {"C=3", "A=x=y"}), ElementsAre("B=1", "A=x=y", "C=3"));
}

TEST(Environment, NamesAboutTheMachineAreTakenOnlyIfNamed) {
  const std::vector<std::string> target = {"PATH=/container", "HOME=/root", "LC_ALL=C", "DB=x"};
  EXPECT_THAT(Choose({.include = {"*"}}, {"PATH=/bin"}, target), ElementsAre("PATH=/bin", "DB=x"));
  EXPECT_THAT(Choose({.include = {"*", "PATH"}}, {"PATH=/bin"}, target), ElementsAre("PATH=/container", "DB=x"));
}

TEST(Environment, ExclusionsOverridesAndUnset) {
  EXPECT_THAT(Choose({.include = {"*"}, .exclude = {"SECRET*"}, .overrides = {"A=9", "NEW=1"}, .unset = {"B"}},
                     {"A=1", "B=2"}, {"SECRET_KEY=x", "C=3"}),
              ElementsAre("A=9", "C=3", "NEW=1"));
}

TEST(Environment, EntriesWithoutANameAreDropped) {
  EXPECT_THAT(Choose({.include = {"*"}}, {}, {"=x", "A=1"}), ElementsAre("A=1"));
}

constexpr char kMountTable[] =
    "1 0 0:1 / / rw - overlay overlay rw\n"
    "2 1 0:2 / /proc rw - proc proc rw\n"
    "3 1 0:3 / /dev/shm rw - tmpfs shm rw\n"
    "4 1 8:1 /a /etc/hosts rw - ext4 /dev/sda1 rw\n"
    "5 1 8:1 /b /data\\040dir rw - ext4 /dev/sda1 rw\n"
    "6 1 0:4 / /run/secrets rw - tmpfs tmpfs rw\n";

TEST(ProcessFacts, DirectoryVolumesEnvironment) {
  const std::string text = std::string("/app") + '\0' + kMountTable + '\0' + "A=1" + '\0' + "B=two words" + '\0';
  const auto facts = ParseProcessFacts(text);
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_EQ(facts->working_directory, "/app");
  EXPECT_THAT(facts->environment, ElementsAre("A=1", "B=two words"));
  EXPECT_THAT(facts->volumes, ElementsAre("/data dir", "/etc/hosts", "/run/secrets"));
}

TEST(ProcessFacts, NoProcess) {
  const auto facts = ParseProcessFacts(std::string("\0\0", 2));
  ASSERT_TRUE(facts.ok()) << facts.status();
  EXPECT_THAT(facts->working_directory, IsEmpty());
  EXPECT_THAT(facts->volumes, IsEmpty());
  EXPECT_THAT(facts->environment, IsEmpty());
}

TEST(ProcessFacts, AnAgentThatSaysNothingIsAnError) {
  EXPECT_EQ(ExitCodeOf(ParseProcessFacts("").status()), ExitCode::kUnreachable);
  EXPECT_EQ(ExitCodeOf(ParseProcessFacts("/app").status()), ExitCode::kUnreachable);
}

TEST(ShellStart, BashReadsItsOwnStartFileAndIsTagged) {
  const ShellStart start = StartOfShell("/bin/bash", "docker/web", "/run/rc");
  EXPECT_THAT(start.command, ElementsAre("/bin/bash", "--rcfile", "/run/rc"));
  EXPECT_THAT(start.start_file, HasSubstr(". ~/.bashrc"));
  EXPECT_THAT(start.start_file, HasSubstr("PS1=\"(docker/web) $PS1\""));
}

TEST(ShellStart, OthersGetThePromptAsAVariable) {
  const ShellStart start = StartOfShell("/bin/dash", "docker/web", "/run/rc");
  EXPECT_THAT(start.command, ElementsAre("/bin/dash"));
  EXPECT_THAT(start.variables, ElementsAre("PS1=(docker/web) $ "));
  EXPECT_THAT(start.start_file, IsEmpty());
}

TEST(ShellStart, ATargetCannotSmuggleAnythingIntoThePrompt) {
  EXPECT_THAT(StartOfShell("/bin/bash", "dir:/a$(b)`c`\"\\", "/rc").start_file,
              HasSubstr(R"(PS1="(dir:/a??b??c???) $PS1")"));
}

}  // namespace
}  // namespace mirrorfs
