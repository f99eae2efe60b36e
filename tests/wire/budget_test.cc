// How sessions share what there is, and how connections are counted.
#include "agent/service/budget.h"

#include <sys/socket.h>

#include <memory>
#include <vector>

#include "agent/service/connection_count.h"
#include "agent/service/session_account.h"
#include "gtest/gtest.h"
#include "protos/shared/unique_fd.h"

namespace mirrorfs {
namespace {

// As much as it can have, one by one.
size_t TakeAll(Budget::Share& share) {
  size_t taken = 0;
  while (share.Take(1)) ++taken;
  return taken;
}

TEST(BudgetTest, OneAloneHasFourFifthsAndEveryOtherSomething) {
  const auto budget = std::make_shared<Budget>(Budget::Options{.total = 1000});
  std::vector<std::unique_ptr<Budget::Share>> shares;
  std::vector<size_t> taken;
  for (int i = 0; i < 4; ++i) {
    shares.push_back(std::make_unique<Budget::Share>(budget));
    taken.push_back(TakeAll(*shares.back()));
  }
  EXPECT_EQ(taken, (std::vector<size_t>{800, 160, 32, 6}));
  // What one lets go of is there for all.
  shares.front().reset();
  EXPECT_EQ(budget->Taken(), 198u);
  EXPECT_GT(TakeAll(*shares.back()), 500u);
  EXPECT_LT(budget->Taken(), 1000u);
}

TEST(BudgetTest, ALittleCanAlwaysBeHadUntilTheReserveIsGone) {
  const auto budget = std::make_shared<Budget>(Budget::Options{.total = 10, .always = 5, .reserve = 12});
  Budget::Share greedy(budget);
  greedy.Add(10);  // of what it was let in for
  Budget::Share first(budget);
  Budget::Share second(budget);
  Budget::Share third(budget);
  EXPECT_FALSE(greedy.Take(1));
  EXPECT_EQ(TakeAll(first), 5u);
  EXPECT_EQ(TakeAll(second), 5u);
  EXPECT_EQ(TakeAll(third), 2u);
  EXPECT_EQ(budget->Taken(), 22u);
  first.GiveBack(3);
  EXPECT_EQ(TakeAll(third), 3u);
}

TEST(SessionAccountTest, ARequestCountsUntilItsAnswerIsTaken) {
  const AgentBudgets budgets = AgentBudgets::Make();
  const auto account = std::make_shared<SessionAccount>(budgets, 2);
  std::unique_ptr<InFlight> first = account->Enter(100, 1 << 20);
  std::unique_ptr<InFlight> second = account->Enter(100, 0);
  ASSERT_TRUE(first != nullptr && second != nullptr);
  EXPECT_EQ(account->Enter(100, 0), nullptr) << "two at a time";
  const size_t before = budgets.memory->Taken();
  first->Answered(1000);
  EXPECT_LT(budgets.memory->Taken(), before - (1 << 20) + 2000);
  EXPECT_EQ(account->Enter(100, 0), nullptr) << "nobody has taken an answer";
  first.reset();
  EXPECT_NE(account->Enter(100, 0), nullptr);
  second.reset();
  EXPECT_EQ(budgets.memory->Taken(), 0u);
  std::shared_ptr<void> file = account->OpenFile();
  EXPECT_EQ(budgets.open_files->Taken(), 1u);
  file.reset();
  EXPECT_EQ(budgets.open_files->Taken() + budgets.memory->Taken(), 0u);
}

TEST(ConnectionCountTest, NumbersThatAreUsedAgainAreOtherConnections) {
  ConnectionCount count;
  std::vector<UniqueFd> sockets;
  for (int i = 0; i < 3; ++i) {
    sockets.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    count.Add(sockets.back().get());
  }
  EXPECT_EQ(count.CountOpen(), 3u);
  const int number = sockets.back().get();
  sockets.pop_back();
  EXPECT_EQ(count.CountOpen(), 2u);
  sockets.emplace_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(sockets.back().get(), number);
  EXPECT_EQ(count.CountOpen(), 2u);
}

}  // namespace
}  // namespace mirrorfs
