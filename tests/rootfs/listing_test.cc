// Reading directories page by page.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <set>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class Listing : public RootfsFixture {
 protected:
  void MakeFiles(int count) {
    const UniqueFd at(open(tree_.c_str(), O_PATH | O_DIRECTORY));
    for (int file = 0; file < count; ++file) {
      ASSERT_EQ(mknodat(at.get(), ("file" + std::to_string(file)).c_str(), S_IFREG | 0644, 0), 0);
    }
  }
  static std::set<std::string> Names(const DirectoryPage& page) {
    std::set<std::string> names;
    for (const DirectoryEntry& entry : page.entries) names.insert(entry.name);
    return names;
  }
};

TEST_F(Listing, PagesHoldEveryNameOnce) {
  MakeFiles(3000);
  auto files = Serve();
  for (const bool with_attributes : {false, true}) {
    for (const uint32_t max_bytes : {1u, 5000u, 1u << 20}) {
      if (max_bytes == 1 && with_attributes) continue;
      std::set<std::string> names;
      size_t count = 0;
      DirCursor cursor = DirCursor::kStart;
      do {
        const auto page = files->ReadDir({}, NodeId::kRoot, cursor, max_bytes, with_attributes);
        ASSERT_EQ(Error(page), "OK");
        count += page->entries.size();
        names.merge(Names(*page));
        cursor = page->next;
      } while (cursor != DirCursor::kEnd);
      EXPECT_EQ(count, 3000u);
      EXPECT_EQ(names.size(), 3000u);
    }
  }
}

TEST_F(Listing, TheSameCursorGivesTheSamePage) {
  MakeFiles(500);
  auto files = Serve();
  const auto first = files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 4000, true);
  const auto second = files->ReadDir({}, NodeId::kRoot, first->next, 4000, true);
  const auto again = files->ReadDir({}, NodeId::kRoot, first->next, 4000, true);
  ASSERT_EQ(Error(again), "OK");
  EXPECT_EQ(Names(*again), Names(*second));
  EXPECT_EQ(again->next, second->next);
  const auto third = files->ReadDir({}, NodeId::kRoot, second->next, 4000, true);
  ASSERT_EQ(Error(third), "OK");
  EXPECT_NE(Names(*third), Names(*second));
  EXPECT_EQ(Error(files->ReadDir({}, NodeId::kRoot, first->next, 4000, true)), "ESTALE") << "two pages back";
  // Each entry received was a reference.
  const NodeId node = second->entries.front().entry->node;
  const ForgottenNode one[] = {{node, 1}};
  files->Forget(one);
  EXPECT_EQ(Error(files->GetAttr({}, {.node = node})), "OK");
  files->Forget(one);
  EXPECT_EQ(Error(files->GetAttr({}, {.node = node})), "ESTALE");
}

TEST_F(Listing, EntriesAreWhatALookupGives) {
  WriteNative("file", "data", 0640);
  mkdir(Path("dir").c_str(), 0750);
  symlink("some/target", Path("link").c_str());
  mkfifo(Path("fifo").c_str(), 0600);
  Mount("tmpfs", "tmpfs", Path("volume"));
  auto files = Serve();
  const auto page = files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 1 << 20, true);
  ASSERT_EQ(Error(page), "OK");
  EXPECT_EQ(page->entries.size(), 5u);
  for (const DirectoryEntry& entry : page->entries) {
    auto looked_up = files->Lookup({}, NodeId::kRoot, entry.name);
    if (entry.type == FileType::kSymlink) looked_up->attributes.atime_ns = entry.entry->attributes.atime_ns;
    ASSERT_TRUE(entry.entry.has_value()) << entry.name;
    EXPECT_EQ(entry.entry->node, looked_up->node) << entry.name;
    EXPECT_TRUE(entry.entry->attributes == looked_up->attributes) << entry.name;
    EXPECT_EQ(entry.entry->identity, looked_up->identity) << entry.name;
    EXPECT_EQ(entry.entry->link_target, looked_up->link_target);
    EXPECT_EQ(entry.type, looked_up->attributes.type);
    EXPECT_EQ(entry.inode, looked_up->attributes.inode);
  }
}

TEST_F(Listing, WithoutSearchPermissionThereAreNamesOnly) {
  mkdir(Path("dir").c_str(), 0755);
  WriteNative("dir/file", "x");
  chmod(Path("dir").c_str(), 0744);
  auto files = ServeAs(1000, 1000);
  const auto page = files->ReadDir({}, Walk(*files, "dir"), DirCursor::kStart, 4096, true);
  ASSERT_EQ(Error(page), "OK");
  ASSERT_EQ(page->entries.size(), 1u);
  EXPECT_EQ(page->entries[0].name, "file");
  EXPECT_EQ(page->entries[0].type, FileType::kRegular);
  EXPECT_FALSE(page->entries[0].entry.has_value());
}

TEST_F(Listing, AListingGoesOnWhileTheDirectoryChanges) {
  MakeFiles(400);
  auto files = Serve();
  std::set<std::string> names;
  auto page = files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 2000, false);
  names.merge(Names(*page));
  std::set<std::string> removed;
  for (int file = 0; file < 400; file += 3) {
    const std::string name = "file" + std::to_string(file);
    if (!names.contains(name)) removed.insert(name);
    ASSERT_EQ(Error(files->Unlink({}, NodeId::kRoot, name)), "OK");
  }
  while (page->next != DirCursor::kEnd) {
    page = files->ReadDir({}, NodeId::kRoot, page->next, 2000, false);
    ASSERT_EQ(Error(page), "OK");
    names.merge(Names(*page));
  }
  for (int file = 0; file < 400; ++file) {
    const std::string name = "file" + std::to_string(file);
    if (file % 3 != 0) {
      EXPECT_TRUE(names.contains(name)) << name;
    }
    if (removed.contains(name)) {
      EXPECT_FALSE(names.contains(name)) << name;
    }
  }
}

TEST_F(Listing, ClosedAndForgottenListingsAreStale) {
  MakeFiles(500);
  auto files = Serve();
  const auto first = files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 4000, false);
  files->CloseDir(NodeId::kRoot, first->next);
  EXPECT_EQ(Error(files->ReadDir({}, NodeId::kRoot, first->next, 4000, false)), "ESTALE");
  const auto oldest = files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 4000, false);
  for (int listing = 0; listing < 64; ++listing) {
    ASSERT_EQ(Error(files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 4000, false)), "OK");
  }
  EXPECT_EQ(Error(files->ReadDir({}, NodeId::kRoot, oldest->next, 4000, false)), "ESTALE");
}

TEST_F(Listing, InodesOfOtherMountsAreUnique) {
  // Two fresh tmpfs give the same inode numbers.
  Mount("tmpfs", "tmpfs", Path("one"));
  Mount("tmpfs", "tmpfs", Path("two"));
  WriteNative("one/file", "x");
  WriteNative("two/file", "x");
  ASSERT_EQ(StatNative("one/file").st_ino, StatNative("two/file").st_ino);
  auto files = Serve();
  const auto one = files->Lookup({}, Walk(*files, "one"), "file");
  const auto two = files->Lookup({}, Walk(*files, "two"), "file");
  EXPECT_NE(one->attributes.inode, two->attributes.inode);
  EXPECT_NE(one->attributes.device, two->attributes.device);
  EXPECT_EQ(one->attributes.device, StatNative("one/file").st_dev);
  EXPECT_EQ(files->DeviceOf({.node = one->node}), StatNative("one/file").st_dev);
  EXPECT_EQ(files->DeviceOf({.node = NodeId{999}}), 0u);
  EXPECT_EQ(files->DeviceOf({.handle = HandleId{999}}), 0u);
  ASSERT_EQ(Error(files->Open({}, two->node, HandleId{1}, {.read = true}, 0)), "OK");
  EXPECT_EQ(files->DeviceOf({.handle = HandleId{1}}), StatNative("two/file").st_dev);
}

}  // namespace
}  // namespace mirrorfs
