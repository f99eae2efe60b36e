// ReadDir, CloseDir, Fsyncdir.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <map>
#include <set>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class ReadDirContract : public ContractTest {
 protected:
  void MakeFiles(std::string_view directory, int count) const {
    MakeDirectory(directory);
    for (int i = 0; i < count; ++i) {
      const std::string path = Path(directory) + "/file-" + std::to_string(i);
      close(open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
    }
  }
  DirectoryPage Page(NodeId node, DirCursor cursor, uint32_t bytes, bool with_attributes) {
    auto page = fs().ReadDir(call_, node, cursor, bytes, with_attributes);
    EXPECT_EQ(Error(page), "OK");
    return page.ok() ? *std::move(page) : DirectoryPage();
  }
  static std::vector<std::string> Names(const DirectoryPage& page) {
    std::vector<std::string> names;
    for (const DirectoryEntry& entry : page.entries) names.push_back(entry.name);
    return names;
  }
};

TEST_F(ReadDirContract, EmptyDirectory) {
  const DirectoryPage page = Page(root_, DirCursor::kStart, 65536, true);
  EXPECT_TRUE(page.entries.empty());
  EXPECT_EQ(page.next, DirCursor::kEnd);
}

TEST_F(ReadDirContract, NamesAndTypesWithoutDots) {
  WriteNative("file", "");
  MakeDirectory("directory");
  ASSERT_EQ(symlink("x", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  std::map<std::string, FileType> types;
  for (const auto& entry : Page(root_, DirCursor::kStart, 65536, false).entries) types[entry.name] = entry.type;
  const std::map<std::string, FileType> expected = {{"file", FileType::kRegular},
                                                    {"directory", FileType::kDirectory},
                                                    {"link", FileType::kSymlink},
                                                    {"fifo", FileType::kFifo}};
  EXPECT_EQ(types, expected);
}

TEST_F(ReadDirContract, WithoutAttributesThereAreNoReferences) {
  WriteNative("file", "");
  const DirectoryPage page = Page(root_, DirCursor::kStart, 65536, false);
  ASSERT_EQ(page.entries.size(), 1u);
  EXPECT_FALSE(page.entries[0].entry.has_value());
  const Entry file = Find("file");
  Forget(file.node);
  EXPECT_EQ(EventuallyStale(file.node), "ESTALE");
}

TEST_F(ReadDirContract, EntriesAreWhatLookupGives) {
  WriteNative("file", "1234");
  MakeDirectory("directory");
  ASSERT_EQ(symlink("target", Path("link").c_str()), 0);
  const DirectoryPage page = Page(root_, DirCursor::kStart, 65536, true);
  ASSERT_EQ(page.entries.size(), 3u);
  for (const DirectoryEntry& listed : page.entries) {
    ASSERT_TRUE(listed.entry.has_value()) << listed.name;
    Entry found = Find(listed.name);
    found.attributes.atime_ns = listed.entry->attributes.atime_ns;  // looking at a link is an access
    EXPECT_EQ(listed.entry->node, found.node);
    EXPECT_EQ(listed.entry->attributes, found.attributes);
    EXPECT_EQ(listed.entry->link_target, found.link_target);
    EXPECT_EQ(listed.inode, found.attributes.inode);
    EXPECT_EQ(listed.type, found.attributes.type);
  }
}

TEST_F(ReadDirContract, TheLastPageTellsTheDirectoryAsItIsAfterwards) {
  MakeFiles("directory", 40);
  const NodeId node = Node("directory");
  for (DirCursor cursor = DirCursor::kStart;;) {
    const DirectoryPage page = Page(node, cursor, 1024, true);
    cursor = page.next;
    if (cursor != DirCursor::kEnd) {
      EXPECT_FALSE(page.directory.has_value());
      continue;
    }
    const auto now = fs().GetAttr(call_, {.node = node});
    ASSERT_TRUE(now.ok());
    if (page.directory) EXPECT_EQ(*page.directory, now->attributes);
    return;
  }
}

TEST_F(ReadDirContract, EachEntryIsAReference) {
  WriteNative("file", "");
  const NodeId node = Page(root_, DirCursor::kStart, 65536, true).entries.at(0).entry->node;
  EXPECT_EQ(Page(root_, DirCursor::kStart, 65536, true).entries.at(0).entry->node, node);
  Forget(node, 1);
  EXPECT_EQ(Error(fs().GetAttr(call_, {.node = node})), "OK");
  Forget(node, 1);
  EXPECT_EQ(EventuallyStale(node), "ESTALE");
}

TEST_F(ReadDirContract, TenThousandEntriesInPages) {
  MakeFiles("big", 10'000);
  const NodeId node = Node("big");
  std::vector<std::string> names = List(node, 64 << 10);
  EXPECT_EQ(names.size(), 10'000u);
  EXPECT_EQ(std::set<std::string>(names.begin(), names.end()).size(), 10'000u);
}

TEST_F(ReadDirContract, TenThousandEntriesWithAttributes) {
  MakeFiles("big", 10'000);
  const NodeId node = Node("big");
  std::set<NodeId> nodes;
  DirCursor cursor = DirCursor::kStart;
  int pages = 0;
  do {
    const DirectoryPage page = Page(node, cursor, 256 << 10, true);
    for (const DirectoryEntry& entry : page.entries) {
      ASSERT_TRUE(entry.entry.has_value()) << entry.name;
      nodes.insert(entry.entry->node);
    }
    cursor = page.next;
    ++pages;
  } while (cursor != DirCursor::kEnd);
  EXPECT_EQ(nodes.size(), 10'000u);
  EXPECT_GT(pages, 2);
}

TEST_F(ReadDirContract, SameCursorGivesTheSamePage) {
  MakeFiles("d", 500);
  const NodeId node = Node("d");
  std::set<std::string> all;
  DirCursor cursor = DirCursor::kStart;
  int repeated = 0;
  do {
    const DirectoryPage page = Page(node, cursor, 4096, false);
    if (cursor != DirCursor::kStart) {
      const DirectoryPage again = Page(node, cursor, 4096, false);
      EXPECT_EQ(Names(again), Names(page));
      EXPECT_EQ(again.next, page.next);
      ++repeated;
    }
    for (const std::string& name : Names(page)) EXPECT_TRUE(all.insert(name).second) << name << " came twice";
    cursor = page.next;
  } while (cursor != DirCursor::kEnd);
  EXPECT_EQ(all.size(), 500u);
  EXPECT_GT(repeated, 1);
}

TEST_F(ReadDirContract, PagesKeepToTheirSize) {
  MakeFiles("d", 2'000);
  const DirectoryPage small = Page(Node("d"), DirCursor::kStart, 4096, false);
  EXPECT_GT(small.entries.size(), 5u);
  EXPECT_LT(small.entries.size(), 1'000u);
  EXPECT_NE(small.next, DirCursor::kEnd);
  fs().CloseDir(Node("d"), small.next);
}

TEST_F(ReadDirContract, LongNamesComeEvenInTheSmallestPages) {
  std::vector<std::string> expected;
  for (char letter : {'a', 'b', 'c', 'd'}) {
    expected.push_back(std::string(255, letter));
    WriteNative(expected.back(), "");
  }
  EXPECT_EQ(List(root_, 1), expected);
}

TEST_F(ReadDirContract, EntriesThatStayAreSeenOnceWhileOthersCome) {
  MakeFiles("d", 1'000);
  const NodeId node = Node("d");
  std::map<std::string, int> seen;
  DirCursor cursor = DirCursor::kStart;
  int round = 0;
  do {
    const DirectoryPage page = Page(node, cursor, 8192, false);
    for (const std::string& name : Names(page)) ++seen[name];
    WriteNative("d/new-" + std::to_string(round), "");
    unlink(Path("d/new-" + std::to_string(round - 1)).c_str());
    cursor = page.next;
    ++round;
  } while (cursor != DirCursor::kEnd);
  for (int i = 0; i < 1'000; ++i) EXPECT_EQ(seen["file-" + std::to_string(i)], 1) << i;
}

TEST_F(ReadDirContract, TwoListingsAtOnceAreApart) {
  MakeFiles("d", 300);
  const NodeId node = Node("d");
  DirectoryPage one = Page(node, DirCursor::kStart, 4096, false);
  DirectoryPage two = Page(node, DirCursor::kStart, 4096, false);
  size_t ones = one.entries.size();
  size_t twos = two.entries.size();
  while (one.next != DirCursor::kEnd || two.next != DirCursor::kEnd) {
    if (one.next != DirCursor::kEnd) ones += (one = Page(node, one.next, 4096, false)).entries.size();
    if (two.next != DirCursor::kEnd) twos += (two = Page(node, two.next, 4096, false)).entries.size();
  }
  EXPECT_EQ(ones, 300u);
  EXPECT_EQ(twos, 300u);
}

TEST_F(ReadDirContract, ClosedAndUnknownCursorsAreErrors) {
  MakeFiles("d", 300);
  const NodeId node = Node("d");
  const DirectoryPage page = Page(node, DirCursor::kStart, 4096, false);
  ASSERT_NE(page.next, DirCursor::kEnd);
  fs().CloseDir(node, page.next);
  fs().CloseDir(node, page.next);
  fs().CloseDir(node, DirCursor{987654321});
  EXPECT_NE(Error(fs().ReadDir(call_, node, DirCursor{uint64_t{987654321} << 33}, 4096, false)), "OK");
}

TEST_F(ReadDirContract, ManyListingsThatAreLeftOff) {
  MakeFiles("d", 200);
  const NodeId node = Node("d");
  for (int i = 0; i < 300; ++i) {
    const DirectoryPage page = Page(node, DirCursor::kStart, 2048, false);
    ASSERT_NE(page.next, DirCursor::kEnd);
    fs().CloseDir(node, page.next);
  }
  EXPECT_EQ(List(node).size(), 200u);
}

TEST_F(ReadDirContract, OfAFileIsNotdir) {
  WriteNative("file", "");
  EXPECT_EQ(Error(fs().ReadDir(call_, Node("file"), DirCursor::kStart, 4096, false)), "ENOTDIR");
  EXPECT_EQ(Error(fs().Fsyncdir(call_, Node("file"), false)), "ENOTDIR");
}

TEST_F(ReadDirContract, OfALinkToADirectoryIsAnError) {
  MakeDirectory("d");
  ASSERT_EQ(symlink("d", Path("link").c_str()), 0);
  EXPECT_TRUE(FailsWithOneOf(fs().ReadDir(call_, Node("link"), DirCursor::kStart, 4096, false), {ENOTDIR, ELOOP}));
}

TEST_F(ReadDirContract, Fsyncdir) {
  EXPECT_EQ(Error(fs().Fsyncdir(call_, root_, false)), "OK");
  EXPECT_EQ(Error(fs().Fsyncdir(call_, root_, true)), "OK");
}

}  // namespace
}  // namespace mirrorfs
