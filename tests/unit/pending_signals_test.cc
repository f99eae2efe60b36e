#include "fusefs/kernel/pending_signals.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <string>

#include "fmt/format.h"

namespace mirrorfs {
namespace {

std::string Status(uint64_t own, uint64_t shared, uint64_t blocked, uint64_t ignored, uint64_t caught) {
  return fmt::format(
      "Name:\tx\nSigPnd:\t{:016x}\nShdPnd:\t{:016x}\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t{:016x}\n", own,
      shared, blocked, ignored, caught);
}

constexpr uint64_t Bit(int signal) { return uint64_t{1} << (signal - 1); }

TEST(PendingSignals, SigkillIsSeenWhereverItIsPending) {
  EXPECT_TRUE(ParsePendingSignals(Status(Bit(SIGKILL), 0, 0, 0, 0)).killed);
  EXPECT_TRUE(ParsePendingSignals(Status(0, Bit(SIGKILL), 0, 0, 0)).killed);
  EXPECT_FALSE(ParsePendingSignals(Status(Bit(SIGTERM), Bit(SIGINT), 0, 0, 0)).killed);
}

TEST(PendingSignals, OnlySignalsThatTheProgramWouldSeeAreVisible) {
  EXPECT_TRUE(ParsePendingSignals(Status(0, Bit(SIGALRM), 0, 0, Bit(SIGALRM))).visible);
  EXPECT_TRUE(ParsePendingSignals(Status(0, Bit(SIGTERM), 0, 0, 0)).visible);
  EXPECT_FALSE(ParsePendingSignals(Status(0, Bit(SIGTERM), Bit(SIGTERM), 0, 0)).visible);
  EXPECT_FALSE(ParsePendingSignals(Status(0, Bit(SIGTERM), 0, Bit(SIGTERM), 0)).visible);
  EXPECT_FALSE(ParsePendingSignals(Status(0, Bit(SIGCHLD), 0, 0, 0)).visible);
  EXPECT_TRUE(ParsePendingSignals(Status(0, Bit(SIGCHLD), 0, 0, Bit(SIGCHLD))).visible);
  EXPECT_FALSE(ParsePendingSignals(Status(Bit(SIGURG), 0, 0, 0, Bit(SIGURG))).visible);
}

TEST(PendingSignals, AThreadThatIsGoneCountsAsKilled) {
  EXPECT_TRUE(ReadPendingSignals(0x7ffffffe).killed);
  EXPECT_FALSE(ReadPendingSignals(::getpid()).killed);
}

}  // namespace
}  // namespace mirrorfs
