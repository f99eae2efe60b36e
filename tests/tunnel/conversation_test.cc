// Talking with real programs.
#include "launcher/tunnel/conversation.h"

#include <sys/wait.h>

#include <string>
#include <utility>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/system/process_identity.h"

namespace mirrorfs {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(20);

Conversation Shell(const std::string& script) {
  auto started = Conversation::Start({"/bin/sh", "-c", script}, {"WORD=said"});
  EXPECT_TRUE(started.ok()) << started.status();
  return *std::move(started);
}

TEST(Conversation, LinesBytesAndErrorsAreKeptApart) {
  Conversation shell = Shell("echo \"$WORD\"; printf 'a\\0b\\nc'; echo oops >&2; read -r line; echo \"heard $line\"");
  EXPECT_EQ(shell.ReadLine(kPatience).value_or("?"), "said");
  EXPECT_EQ(shell.ReadBytes(5, kPatience).value_or("?"), std::string("a\0b\nc", 5));
  EXPECT_TRUE(shell.Send("go\n", kPatience).ok());
  EXPECT_EQ(shell.ReadLine(kPatience).value_or("?"), "heard go");
  EXPECT_TRUE(absl::IsOutOfRange(shell.ReadLine(kPatience).status()));
  EXPECT_EQ(shell.End(kPatience), 0);
  EXPECT_EQ(shell.TakeErrors(), "oops\n");
}

TEST(Conversation, WhatIsNotWantedIsNotSent) {
  Conversation shell = Shell("echo enough; exec sleep 60");
  EXPECT_TRUE(shell.Send(std::string(64 << 20, 'x'), kPatience).ok());
  EXPECT_EQ(shell.ReadLine(kPatience).value_or("?"), "enough");
}

TEST(Conversation, AProgramThatEndsIsNoticedWhileSending) {
  Conversation shell = Shell("exit 3");
  EXPECT_TRUE(absl::IsOutOfRange(shell.Send(std::string(64 << 20, 'x'), kPatience)));
  const int status = shell.End(kPatience);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 3);
}

TEST(Conversation, SilenceHasALimit) {
  Conversation shell = Shell("exec sleep 60");
  EXPECT_TRUE(absl::IsDeadlineExceeded(shell.ReadLine(absl::Milliseconds(50)).status()));
}

TEST(Conversation, TheEndOfItIsTheEndOfTheProgram) {
  ProcessIdentity program;
  {
    Conversation shell = Shell("echo here; trap '' TERM HUP; while :; do sleep 60; done");
    EXPECT_EQ(shell.ReadLine(kPatience).value_or("?"), "here");
    program = IdentifyProcess(shell.pid());
    EXPECT_TRUE(IsAlive(program));
  }
  EXPECT_FALSE(IsAlive(program));
}

}  // namespace
}  // namespace mirrorfs
