#include "launcher/plan/exec_arguments.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

absl::StatusOr<ExecArguments> Parse(std::vector<std::string> words) {
  return ParseExecArguments(words, ExecCommand::kExec);
}

void ExpectUsage(const absl::Status& status, const std::string& message) {
  EXPECT_EQ(ExitCodeOf(status), ExitCode::kUsage) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr(message));
}

TEST(ExecArguments, WhatFollowsTheDashesIsTheProgram) {
  const auto arguments = Parse({"--target", "docker/web", "--", "python3", "-v", "--", "app.py", "--target", "x"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->flags.target, "docker/web");
  EXPECT_THAT(arguments->command, ElementsAre("python3", "-v", "--", "app.py", "--target", "x"));
  EXPECT_FALSE(arguments->verbose);
}

TEST(ExecArguments, TheDashesMustBeThere) {
  ExpectUsage(Parse({"--target", "docker/web", "python3", "app.py"}).status(), "write -- before the program");
  ExpectUsage(Parse({"docker/web", "--", "ls"}).status(), "mirrorfs exec --target docker/web -- PROGRAM");
  ExpectUsage(Parse({"bin/app"}).status(), "write -- before the program");
}

TEST(ExecArguments, EnvTakesNoValueFromTheNextWord) {
  const auto arguments = Parse({"--env", "--target", "docker/web", "--env=APP_*", "--", "x"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(*arguments->flags.env, ElementsAre("*", "APP_*"));
  EXPECT_EQ(arguments->flags.target, "docker/web");
}

TEST(ExecArguments, EnvMayBeTheLastWord) {
  const auto arguments = Parse({"--target=docker/web", "--env", "--", "x"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(*arguments->flags.env, ElementsAre("*"));
  EXPECT_THAT(arguments->command, ElementsAre("x"));
}

TEST(ExecArguments, OwnOptions) {
  const auto arguments = Parse({"-t", "docker/web", "--layer", "mine", "--dry-run", "-v", "--", "x"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_EQ(arguments->layer, "mine");
  EXPECT_TRUE(arguments->dry_run);
  EXPECT_TRUE(arguments->verbose);
}

TEST(ExecArguments, AnUnknownOptionNamesTheNearest) {
  ExpectUsage(Parse({"--tagret", "docker/web", "--", "x"}).status(), "did you mean --target?");
}

TEST(ExecArguments, HelpNeedsNothingElse) {
  const auto arguments = Parse({"--help", "stray"});
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_TRUE(arguments->help);
}

TEST(ExecArguments, AShellTakesNoProgram) {
  const std::vector<std::string> words = {"--target", "docker/web"};
  const auto arguments = ParseExecArguments(words, ExecCommand::kShell);
  ASSERT_TRUE(arguments.ok()) << arguments.status();
  EXPECT_THAT(arguments->command, IsEmpty());
  const std::vector<std::string> with_program = {"--target", "docker/web", "--", "sh"};
  ExpectUsage(ParseExecArguments(with_program, ExecCommand::kShell).status(), "a word too many");
  const std::vector<std::string> with_target = {"docker/web"};
  ExpectUsage(ParseExecArguments(with_target, ExecCommand::kShell).status(), "mirrorfs shell --target docker/web");
}

}  // namespace
}  // namespace mirrorfs
