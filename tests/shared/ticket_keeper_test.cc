#include "launcher/agentmodes/ticket_keeper.h"

#include <atomic>
#include <future>
#include <string>

#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

constexpr std::chrono::seconds kLimit{20};

TEST(TicketKeeperTest, IsRenewedBeforeItsLifeIsOver) {
  std::promise<void> asked;
  std::atomic<int> times = 0;
  TicketKeeper keeper({.text = "first", .life = absl::Milliseconds(20)}, [&]() -> absl::StatusOr<Ticket> {
    if (++times == 2) asked.set_value();
    return Ticket{.text = "next", .life = times < 2 ? absl::Milliseconds(20) : absl::Hours(1)};
  });
  ASSERT_EQ(asked.get_future().wait_for(kLimit), std::future_status::ready);
  EXPECT_EQ(keeper.Current(), "next");
}

TEST(TicketKeeperTest, OneThatIsRefusedIsRenewedAtOnce) {
  std::promise<void> asked;
  TicketKeeper keeper({.text = "first", .life = absl::Hours(1)}, [&]() -> absl::StatusOr<Ticket> {
    asked.set_value();
    return Ticket{.text = "next", .life = absl::Hours(1)};
  });
  EXPECT_EQ(keeper.Current(), "first");
  keeper.Refused();
  ASSERT_EQ(asked.get_future().wait_for(kLimit), std::future_status::ready);
}

TEST(TicketKeeperTest, AFailureLeavesWhatThereIs) {
  std::promise<void> asked;
  TicketKeeper keeper({.text = "first", .life = absl::Hours(1)}, [&]() -> absl::StatusOr<Ticket> {
    asked.set_value();
    return absl::UnavailableError("not now");
  });
  keeper.Refused();
  ASSERT_EQ(asked.get_future().wait_for(kLimit), std::future_status::ready);
  EXPECT_EQ(keeper.Current(), "first");
}

}  // namespace
}  // namespace mirrorfs
