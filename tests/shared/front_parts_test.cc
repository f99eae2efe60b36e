// Tickets, quotas, the audit line, metrics, options.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/shared/audit.h"
#include "agent/shared/metrics.h"
#include "agent/shared/quota.h"
#include "agent/shared/shared_options.h"
#include "agent/shared/ticket_table.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace mirrorfs {
namespace {

using testing::HasSubstr;
using testing::Not;

const AgentKey kKey{.user = "alice", .container_id = "containerd://1", .read_write = false};

TEST(TicketTableTest, ATicketIsForWhatItWasGivenForAndForItsTime) {
  absl::Time now = absl::UnixEpoch();
  TicketTable table(absl::Minutes(5), [&now] { return now; });
  const auto ticket = table.Issue(kKey);
  ASSERT_TRUE(ticket.ok());
  EXPECT_EQ(table.Find(*ticket), kKey);
  EXPECT_EQ(table.Find(std::string(64, '0')), std::nullopt);
  EXPECT_EQ(table.Find(""), std::nullopt);
  now += absl::Minutes(5) - absl::Seconds(1);
  EXPECT_EQ(table.Find(*ticket), kKey);
  now += absl::Seconds(1);
  EXPECT_EQ(table.Find(*ticket), std::nullopt);
}

TEST(TicketTableTest, EachIsAnotherOne) {
  TicketTable table(absl::Minutes(5));
  const auto one = table.Issue(kKey);
  const auto other = table.Issue({.user = "bob", .container_id = "containerd://1", .read_write = true});
  EXPECT_NE(*one, *other);
  EXPECT_EQ(one->size(), 64u);
  EXPECT_EQ(table.Find(*other)->user, "bob");
  EXPECT_TRUE(table.Find(*other)->read_write);
}

TEST(TicketTableTest, HoldsNoMoreThanItMay) {
  TicketTable table(absl::Hours(1));
  for (int i = 0; i < 4200; ++i) ASSERT_TRUE(table.Issue(kKey).ok());
  EXPECT_TRUE(table.Find(*table.Issue(kKey)).has_value());
}

TEST(QuotaTest, OneUserDoesNotTakeAnothersShare) {
  Quota quota(2, 3);
  std::vector<Quota::Slot> slots;
  for (const char* user : {"alice", "alice"}) slots.push_back(*quota.Take(user));
  EXPECT_FALSE(quota.Take("alice"));
  std::optional<Quota::Slot> bobs = quota.Take("bob");
  EXPECT_TRUE(bobs);
  EXPECT_FALSE(quota.Take("carol"));  // of all together
  bobs.reset();
  EXPECT_TRUE(quota.Take("carol"));
  slots.pop_back();
  EXPECT_TRUE(quota.Take("alice"));
  EXPECT_EQ(quota.taken(), 1u);
}

TEST(QuotaTest, ASlotThatWasMovedIsGivenBackOnce) {
  Quota quota(1, 1);
  {
    Quota::Slot one = *quota.Take("alice");
    const Quota::Slot other = std::move(one);
    EXPECT_EQ(quota.taken(), 1u);
  }
  EXPECT_EQ(quota.taken(), 0u);
}

TEST(AuditTest, SaysWhoWhatAndWhyOnOneLineWithoutTheToken) {
  PrefaceRequest request;
  request.token = "secret";
  request.name_space = "shop";
  request.pod = "web-0";
  Verdict verdict{.code = PrefaceCode::kForbidden, .message = "no\nright", .caller = {}};
  verdict.caller.name = "alice\n\"";
  verdict.caller.groups = {"team-a"};
  const std::string text = AuditLine(absl::UnixEpoch(), "node-1", request, verdict);
  EXPECT_THAT(text, Not(HasSubstr("\n")));
  EXPECT_THAT(text, Not(HasSubstr("secret")));
  const auto line = nlohmann::json::parse(text);
  EXPECT_EQ(line["time"], "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(line["user"], "alice\n\"");
  EXPECT_EQ(line["decision"], "deny");
  EXPECT_EQ(line["why"], "forbidden");
  EXPECT_EQ(line["mode"], "ro");
}

TEST(MetricsTest, AreInPrometheusFormat) {
  Metrics metrics;
  metrics.attaches[PrefaceCode::kOk] = 3;
  metrics.sessions = 2;
  const std::string text = ToText(metrics);
  EXPECT_THAT(text, HasSubstr("# TYPE mirrorfs_agent_attaches_total counter\n"
                              "mirrorfs_agent_attaches_total{decision=\"allowed\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE mirrorfs_agent_sessions gauge\nmirrorfs_agent_sessions 2\n"));
}

absl::StatusOr<SharedOptions> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), {"shared", "--tls-cert", "c", "--tls-key", "k", "--node", "n"});
  return ParseSharedOptions(static_cast<int>(words.size()), const_cast<char**>(words.data()));
}

TEST(SharedOptionsTest, WrongOnesAreSaid) {
  ASSERT_TRUE(Parse({}).ok());
  EXPECT_EQ(Parse({"--read-write", "right"})->write_rule, WriteRule::kRight);
  for (const auto& words : {std::vector<const char*>{"--read-write", "maybe"},
                            {"--ttl", "0"},
                            {"--ticket-life", "x"},
                            {"--pid-from", "magic"},
                            {"--work-directory", "run"},
                            {"--nonsense"}}) {
    EXPECT_FALSE(Parse(words).ok()) << words[0];
  }
}

}  // namespace
}  // namespace mirrorfs
