// What the client remembers for a new agent.
#include <cerrno>
#include <string>

#include "fusefs/remote/handle_ledger.h"
#include "fusefs/remote/node_ledger.h"
#include "fusefs/remote/sequence_window.h"
#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {
namespace {

constexpr Generation kSecond{2};

Entry Node(uint64_t id, const std::string& identity = "id") {
  Entry entry;
  entry.node = NodeId{id};
  entry.identity = identity;
  return entry;
}

void Learn(NodeLedger& ledger, uint64_t id, uint64_t parent, const std::string& name) {
  ASSERT_TRUE(ledger.Learn(Generation::kFirst, Node(id), NodeId{parent}, name));
}

// "parent/name" of a node in a snapshot.
std::string PlaceOf(const std::vector<LedgerNode>& nodes, uint64_t id) {
  for (const LedgerNode& node : nodes) {
    if (node.node == NodeId{id}) return std::to_string(ToNumber(node.parent)) + "/" + node.name;
  }
  return "none";
}

TEST(NodeLedgerTest, CountsReferences) {
  NodeLedger ledger;
  Learn(ledger, 5, 1, "five");
  Learn(ledger, 5, 1, "five");
  ledger.Forget({NodeId{5}, 1});
  EXPECT_EQ(ledger.Size(), 1u);
  ledger.Forget({NodeId{5}, 7});
  EXPECT_EQ(ledger.Size(), 0u);
}

TEST(NodeLedgerTest, ParentsComeBeforeChildrenAndOrphansNot) {
  NodeLedger ledger;
  Learn(ledger, 30, 20, "c");
  Learn(ledger, 20, 10, "b");
  Learn(ledger, 10, 1, "a");
  Learn(ledger, 99, 98, "orphan");
  const std::vector<LedgerNode> nodes = ledger.Snapshot(kSecond);
  ASSERT_EQ(nodes.size(), 3u);
  EXPECT_EQ(nodes[0].node, NodeId{10});
  EXPECT_EQ(nodes[1].node, NodeId{20});
  EXPECT_EQ(nodes[2].node, NodeId{30});
  EXPECT_EQ(nodes[2].identity, "id");
}

TEST(NodeLedgerTest, AnswersOfALostSessionTeachNothing) {
  NodeLedger ledger;
  Learn(ledger, 5, 1, "five");
  ledger.Snapshot(kSecond);
  EXPECT_FALSE(ledger.Learn(Generation::kFirst, Node(6), NodeId::kRoot, "six"));
  EXPECT_TRUE(ledger.Learn(kSecond, Node(6), NodeId::kRoot, "six"));
  EXPECT_EQ(ledger.Forget({NodeId{5}, 1}), kSecond);
}

TEST(NodeLedgerTest, RenamesAreFollowed) {
  NodeLedger ledger;
  Learn(ledger, 10, 1, "dir");
  Learn(ledger, 20, 1, "file");
  Learn(ledger, 30, 1, "other");
  ledger.Renamed(NodeId::kRoot, "file", NodeId{10}, "moved", RenameMode::kReplace);
  ledger.Renamed(NodeId::kRoot, "other", NodeId{10}, "moved", RenameMode::kExchange);
  Learn(ledger, 40, 1, "file");  // a new one, after the renames
  const std::vector<LedgerNode> nodes = ledger.Snapshot(kSecond);
  EXPECT_EQ(PlaceOf(nodes, 10), "1/dir");
  EXPECT_EQ(PlaceOf(nodes, 20), "1/other");
  EXPECT_EQ(PlaceOf(nodes, 30), "10/moved");
  EXPECT_EQ(PlaceOf(nodes, 40), "1/file");
}

TEST(NodeLedgerTest, ManyRenamesAreAppliedOnTheWay) {
  NodeLedger ledger;
  Learn(ledger, 20, 1, "0");
  constexpr int kRenames = 40'000;
  for (int i = 0; i < kRenames; ++i) {
    ledger.Renamed(NodeId::kRoot, std::to_string(i), NodeId::kRoot, std::to_string(i + 1), RenameMode::kReplace);
  }
  EXPECT_EQ(PlaceOf(ledger.Snapshot(kSecond), 20), "1/" + std::to_string(kRenames));
}

TEST(HandleLedgerTest, LockedHandlesDoNotSurvive) {
  HandleLedger ledger;
  ASSERT_TRUE(ledger.Opened(Generation::kFirst, HandleId{1}, NodeId{5}, {.read = true, .truncate = true}));
  ASSERT_TRUE(ledger.Opened(Generation::kFirst, HandleId{2}, NodeId{5}, {.read = true}));
  ledger.Locked(HandleId{2}, LockOwner{1});
  ledger.Locked(HandleId{1}, LockOwner{1});
  ledger.Unlocked(HandleId{1}, LockOwner{1});
  EXPECT_TRUE(ledger.Check(HandleId{2}).ok());
  const std::vector<LedgerHandle> handles = ledger.Snapshot(kSecond);
  ASSERT_EQ(handles.size(), 1u);
  EXPECT_EQ(handles[0].handle, HandleId{1});
  EXPECT_FALSE(handles[0].flags.truncate);
  EXPECT_EQ(ToErrno(ledger.Check(HandleId{2})), EIO);
  ledger.Lost(HandleId{1});
  EXPECT_EQ(ToErrno(ledger.Check(HandleId{1})), ESTALE);
  EXPECT_EQ(ledger.Release(HandleId{1}).generation, Generation::kNone);
  EXPECT_FALSE(ledger.Opened(Generation::kFirst, HandleId{3}, NodeId{5}, {.read = true}));
}

TEST(HandleLedgerTest, WritersAndLockersAreReleasedAtOnce) {
  HandleLedger ledger;
  ASSERT_TRUE(ledger.Opened(Generation::kFirst, HandleId{1}, NodeId{5}, {.read = true}));
  ASSERT_TRUE(ledger.Opened(Generation::kFirst, HandleId{2}, NodeId{5}, {.write = true}));
  ASSERT_TRUE(ledger.Opened(Generation::kFirst, HandleId{3}, NodeId{5}, {.read = true}));
  ledger.Locked(HandleId{3}, LockOwner{1});
  EXPECT_FALSE(ledger.Release(HandleId{1}).urgent);
  EXPECT_TRUE(ledger.Release(HandleId{2}).urgent);
  EXPECT_TRUE(ledger.Release(HandleId{3}).urgent);
}

TEST(SequenceWindowTest, TellsEachAnswerOnce) {
  SequenceWindow window;
  EXPECT_EQ(window.Take().answered_below, 1u);
  EXPECT_EQ(window.Begin(), 1u);
  EXPECT_EQ(window.Begin(), 2u);
  EXPECT_EQ(window.Begin(), 3u);
  window.End(2);
  SequenceWindow::Acknowledgement told = window.Take();
  EXPECT_EQ(told.answered_below, 1u);
  EXPECT_EQ(told.answered, std::vector<uint64_t>{2});
  EXPECT_TRUE(window.Take().answered.empty());
  window.End(1);
  EXPECT_EQ(window.Take().answered_below, 3u);
}

}  // namespace
}  // namespace mirrorfs
