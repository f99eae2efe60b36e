// Lines of logs as the programs write them.
#include "launcher/logs/log_line.h"

#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

absl::Time At(const char* text) {
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%d %H:%M:%E*S", text, absl::LocalTimeZone(), &time, nullptr));
  return time;
}

TEST(FileLines, KeeperAndDaemonSayWhenAndWho) {
  FileLines lines(absl::UnixEpoch());
  EXPECT_EQ(lines.Parse("[2026-11-27 11:00:00.123] [keeper] [info] the agent runs again (pid 7)"),
            (LogLine{At("2026-11-27 11:00:00.123"), "keeper", "[info] the agent runs again (pid 7)"}));
  EXPECT_EQ(lines.Parse("[2026-11-27 11:00:01.5] [mirrorfsd] [error] no"),
            (LogLine{At("2026-11-27 11:00:01.5"), "daemon", "[error] no"}));
}

TEST(FileLines, OthersHaveTheTimeOfTheLineBefore) {
  FileLines lines(absl::FromUnixSeconds(5));
  EXPECT_EQ(lines.Parse("mirrorfs-agent: serves dir:/srv"),
            (LogLine{absl::FromUnixSeconds(5), "agent", "serves dir:/srv"}));
  const absl::Time time = At("2026-11-27 11:00:00");
  lines.Parse("[2026-11-27 11:00:00.000] [keeper] [info] x");
  EXPECT_EQ(lines.Parse("mirrorfs-tunnel: a connection is closed"),
            (LogLine{time, "tunnel", "a connection is closed"}));
  EXPECT_EQ(lines.Parse("E1127 something of kubectl's"), (LogLine{time, "tunnel", "E1127 something of kubectl's"}));
}

TEST(FileLines, WhatOnlyLooksLikeAHeadIsText) {
  FileLines lines(absl::FromUnixSeconds(5));
  for (const char* text :
       {"[x] [keeper] [info] y", "[2026-11-27 11:00:00.000]", "[2026-11-27 11:00:00.000] z", "[", ""}) {
    EXPECT_EQ(lines.Parse(text), (LogLine{absl::FromUnixSeconds(5), "keeper", text}));
  }
}

TEST(PodLines, AreTheAgentsWithoutItsCertificate) {
  PodLines lines(absl::UnixEpoch());
  LogLine line;
  EXPECT_TRUE(lines.Parse("2026-11-27T11:00:00.5Z mirrorfs-agent: serves", line));
  EXPECT_EQ(line, (LogLine{absl::FromUnixMillis(1795777200500), "agent", "serves"}));
  EXPECT_FALSE(lines.Parse("2026-11-27T11:00:01Z -----BEGIN CERTIFICATE-----", line));
  EXPECT_FALSE(lines.Parse("2026-11-27T11:00:01Z MIIB", line));
  EXPECT_FALSE(lines.Parse("2026-11-27T11:00:01Z -----END CERTIFICATE-----", line));
  EXPECT_TRUE(lines.Parse("2026-11-27T11:00:02Z ready 127.0.0.1:7443", line));
  EXPECT_EQ(line.text, "ready 127.0.0.1:7443");
}

TEST(LogLine, IsPrintedInUtcWithoutControlCharacters) {
  EXPECT_EQ(ToText({absl::FromUnixMillis(1500), "agent", "a\x1b[31m"}, "/mnt/web"),
            "1970-01-01T00:00:01.500Z /mnt/web agent: a?[31m");
}

}  // namespace
}  // namespace mirrorfs
