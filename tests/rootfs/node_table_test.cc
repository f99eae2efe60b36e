#include "protos/rootfs/node_table.h"

#include <gtest/gtest.h>
#include <malloc.h>

namespace mirrorfs {
namespace {

std::string Identity(uint64_t number, FileType type = FileType::kRegular) {
  struct statx stat = {};
  stat.stx_mask = STATX_BASIC_STATS | STATX_BTIME;
  stat.stx_ino = number;
  return EncodeIdentity(stat, {.type = type, .lasting = true}, "1234" + std::to_string(number));
}

std::string Directory(uint64_t number) { return Identity(number, FileType::kDirectory); }

std::string Names(const NodeTable& table, NodeId node) {
  std::string names;
  const auto known = table.Find(node);
  if (!known.has_value()) return "none";
  for (const Alias& alias : known->aliases) names += alias.name + " ";
  return names;
}

TEST(NodeTable, HardLinksAreOneNode) {
  NodeTable table(Directory(1));
  const NodeId first = table.Register(NodeId::kRoot, "a", Identity(2));
  EXPECT_EQ(table.Register(NodeId::kRoot, "b", Identity(2)), first);
  EXPECT_EQ(Names(table, first), "b a ");
  EXPECT_NE(table.Register(NodeId::kRoot, "c", Identity(3)), first);
}

TEST(NodeTable, NamesOfAFileInALowerLayerAreNodesOfTheirOwn) {
  struct statx stat = {};
  stat.stx_mask = STATX_BASIC_STATS;
  stat.stx_ino = 2;
  IdentityFacts facts = {.type = FileType::kRegular, .overlay = true, .lasting = true, .per_name = true};
  const std::string lower = EncodeIdentity(stat, facts, "id");
  NodeTable table(Directory(1));
  const NodeId a = table.Register(NodeId::kRoot, "a", lower);
  const NodeId b = table.Register(NodeId::kRoot, "b", lower);
  EXPECT_NE(a, b);
  EXPECT_EQ(table.Register(NodeId::kRoot, "a", lower), a);
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "b", lower), b);
  EXPECT_EQ(table.Find(a)->identity, lower) << "what the file found there is compared with";

  facts.per_name = false;  // copied up
  const std::string upper = EncodeIdentity(stat, facts, "upper id");
  table.ChangeIdentity(a, upper);
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "a", upper), a);
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "a", lower), NodeId::kInvalid);
  EXPECT_EQ(table.Find(b)->identity, lower);
}

TEST(NodeTable, ReferencesAreCounted) {
  NodeTable table(Directory(1));
  const NodeId node = table.Register(NodeId::kRoot, "a", Identity(2));
  table.Register(NodeId::kRoot, "a", Identity(2));
  EXPECT_TRUE(table.Forget(node, 1).empty());
  EXPECT_TRUE(table.Facts(node).has_value());
  EXPECT_EQ(table.Forget(node, 1), std::vector<NodeId>{node});
  EXPECT_FALSE(table.Find(node).has_value());
  EXPECT_TRUE(table.Forget(node, 5).empty());
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "x", Identity(2)), NodeId::kInvalid);
}

TEST(NodeTable, TheRootStays) {
  NodeTable table(Directory(1));
  EXPECT_TRUE(table.Forget(NodeId::kRoot, 1000).empty());
  EXPECT_EQ(table.Register(NodeId{1}, "loop", Directory(1)), NodeId::kRoot);
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "x", Directory(1)), NodeId::kRoot);
}

TEST(NodeTable, ForgottenDirectoriesStayWhileNodesAreFoundThroughThem) {
  NodeTable table(Directory(1));
  const NodeId outer = table.Register(NodeId::kRoot, "outer", Directory(2));
  const NodeId inner = table.Register(outer, "inner", Directory(3));
  const NodeId file = table.Register(inner, "file", Identity(4));
  EXPECT_TRUE(table.Forget(outer, 1).empty());
  EXPECT_TRUE(table.Forget(inner, 1).empty());
  EXPECT_FALSE(table.Facts(inner).has_value()) << "for the client it is forgotten";
  EXPECT_TRUE(table.Find(inner).has_value());
  EXPECT_EQ(table.Forget(file, 1).size(), 3u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(NodeTable, OpenHandlesKeepWhatIsKnown) {
  NodeTable table(Directory(1));
  const NodeId node = table.Register(NodeId::kRoot, "a", Identity(2));
  EXPECT_TRUE(table.Pin(node));
  EXPECT_TRUE(table.Forget(node, 1).empty());
  EXPECT_FALSE(table.Facts(node).has_value());
  EXPECT_EQ(table.Unpin(node), std::vector<NodeId>{node});
  EXPECT_FALSE(table.Pin(node));
}

TEST(NodeTable, ADirectoryHasOneName) {
  NodeTable table(Directory(1));
  const NodeId node = table.Register(NodeId::kRoot, "old", Directory(2));
  table.Register(NodeId::kRoot, "new", Directory(2));
  EXPECT_EQ(Names(table, node), "new ");
}

TEST(NodeTable, FilesKeepAFewNames) {
  NodeTable table(Directory(1));
  NodeId node = NodeId::kInvalid;
  for (int name = 0; name < 20; ++name) node = table.Register(NodeId::kRoot, std::to_string(name), Identity(2));
  EXPECT_EQ(Names(table, node), "19 18 17 16 15 14 13 12 ");
  table.RemoveAlias(node, NodeId::kRoot, "17");
  table.RemoveAlias(node, NodeId::kRoot, "not there");
  EXPECT_EQ(Names(table, node), "19 18 16 15 14 13 12 ");
}

TEST(NodeTable, DirectoriesThatSeemToLieInEachOtherDoNoHarm) {
  NodeTable table(Directory(1));
  const NodeId a = table.Register(NodeId::kRoot, "a", Directory(2));
  const NodeId b = table.Register(a, "b", Directory(3));
  table.AddAlias(a, b, "a");
  table.Forget(b, 1);
  table.AddAlias(a, NodeId::kRoot, "a");
  EXPECT_EQ(Names(table, a), "a ");
  EXPECT_EQ(Names(table, b), "none") << "nothing is found through it any more";
  EXPECT_EQ(table.Forget(a, 1).size(), 1u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(NodeTable, AProposedIdIsTakenIfItIsTheClientsAndFree) {
  NodeTable table(Directory(1));
  const NodeId wish = NodeId{kClientNodeBit | 7};
  EXPECT_EQ(table.Register(NodeId::kRoot, "a", Identity(2), wish), wish);
  EXPECT_NE(table.Register(NodeId::kRoot, "b", Identity(3), wish), wish);
  EXPECT_NE(table.Register(NodeId::kRoot, "c", Identity(4), NodeId{77}), NodeId{77});
  EXPECT_EQ(table.Register(NodeId::kRoot, "d", Identity(2), NodeId{kClientNodeBit | 8}), wish) << "the file is known";
}

TEST(NodeTable, IdsGoOnWhereAClientSaysButNeverReachItsHalf) {
  NodeTable table(Directory(1));
  table.GiveOutFrom(NodeId{1000});
  EXPECT_EQ(table.Register(NodeId::kRoot, "a", Identity(2)), NodeId{1000});
  table.GiveOutFrom(NodeId{kClientNodeBit - 1});
  EXPECT_TRUE(table.Adopt(NodeId{kClientNodeBit - 1}, NodeId::kRoot, "b", Identity(3), 1));
  table.GiveOutFrom(NodeId{kClientNodeBit | 5});
  EXPECT_EQ(table.Register(NodeId::kRoot, "c", Identity(4)), NodeId{1001});
}

TEST(NodeTable, AnIdentityCanChange) {
  NodeTable table(Directory(1));
  const NodeId node = table.Register(NodeId::kRoot, "a", Identity(2));
  table.ChangeIdentity(node, Identity(3));
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "x", Identity(3)), node);
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "x", Identity(2)), NodeId::kInvalid);
  // Two nodes cannot be the same file for long; neither may harm the other's entry.
  const NodeId other = table.Register(NodeId::kRoot, "b", Identity(2));
  table.ChangeIdentity(other, Identity(3));
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "x", Identity(3)), node);
  table.Forget(other, 1);
  EXPECT_EQ(table.FindFile(NodeId::kRoot, "x", Identity(3)), node);
}

TEST(NodeTable, AdoptedIdsAreNotGivenOutAgain) {
  NodeTable table(Directory(1));
  EXPECT_TRUE(table.Adopt(NodeId{50}, NodeId::kRoot, "a", Identity(2), 3));
  EXPECT_FALSE(table.Adopt(NodeId{50}, NodeId::kRoot, "b", Identity(3), 1));
  EXPECT_FALSE(table.Adopt(NodeId::kInvalid, NodeId::kRoot, "b", Identity(3), 1));
  EXPECT_EQ(table.Register(NodeId::kRoot, "c", Identity(4)), NodeId{51});
  EXPECT_EQ(table.Register(NodeId::kRoot, "a", Identity(2)), NodeId{50});
  EXPECT_TRUE(table.Forget(NodeId{50}, 3).empty());
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST(NodeTable, TakesLessThan300BytesANode) {
  constexpr int kNodes = 100000;
  const struct mallinfo2 before = mallinfo2();
  NodeTable table(Directory(1));
  for (int node = 0; node < kNodes; ++node) {
    table.Register(NodeId::kRoot, "file" + std::to_string(node), Identity(static_cast<uint64_t>(node) + 10));
  }
  const struct mallinfo2 after = mallinfo2();
  const size_t bytes = (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / kNodes;
  RecordProperty("bytes_per_node", static_cast<int>(bytes));
  EXPECT_LE(bytes, 300u);
}
#endif

}  // namespace
}  // namespace mirrorfs
