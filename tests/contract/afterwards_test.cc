// What calls that change something tell of the attributes afterwards is what a question would have told.
#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class AfterwardsContract : public ContractTest {
 protected:
  void ExpectRight(const std::optional<Attributes>& told, NodeId node) {
    ASSERT_EQ(told.has_value(), world().TellsAfterwards());
    if (!told.has_value()) return;
    const auto asked = fs().GetAttr(call_, {.node = node});
    ASSERT_EQ(Error(asked), "OK");
    EXPECT_EQ(told->size, asked->attributes.size);
    EXPECT_EQ(told->nlink, asked->attributes.nlink);
    EXPECT_EQ(told->permissions, asked->attributes.permissions);
    EXPECT_EQ(told->inode, asked->attributes.inode);
    EXPECT_EQ(told->device, asked->attributes.device);
    EXPECT_EQ(told->type, asked->attributes.type);
    EXPECT_TRUE(told->mtime_ns == asked->attributes.mtime_ns);
    EXPECT_TRUE(told->ctime_ns == asked->attributes.ctime_ns);
    EXPECT_EQ(told->without_xattrs, asked->attributes.without_xattrs);
  }
  void ExpectRightDirectory(const absl::StatusOr<Entry>& made, NodeId directory) {
    ASSERT_EQ(Error(made), "OK");
    ExpectRight(made->directory == nullptr ? std::nullopt : std::optional(*made->directory), directory);
  }
};

TEST_F(AfterwardsContract, OfADirectoryInWhichANameWasMade) {
  ASSERT_EQ(Error(fs().Mkdir(call_, New(root_, "d"))), "OK");
  const NodeId directory = Node("d");
  ExpectRightDirectory(fs().Mkdir(call_, New(directory, "sub")), directory);
  ExpectRightDirectory(fs().Mknod(call_, New(directory, "fifo"), FileType::kFifo, 0, 0), directory);
  ExpectRightDirectory(fs().Symlink(call_, New(directory, "link"), "target"), directory);
  const auto created = fs().Create(call_, New(directory, "file"), true, NextHandle(), kReadWrite);
  ASSERT_EQ(Error(created), "OK");
  ExpectRightDirectory(created->entry, directory);
  ExpectRightDirectory(fs().Link(call_, created->entry.node, directory, "other"), directory);
}

TEST_F(AfterwardsContract, OfADirectoryFromWhichANameWent) {
  ASSERT_EQ(Error(fs().Mkdir(call_, New(root_, "d"))), "OK");
  const NodeId directory = Node("d");
  ASSERT_EQ(Error(fs().Mkdir(call_, New(directory, "sub"))), "OK");
  ASSERT_EQ(Error(fs().Symlink(call_, New(directory, "link"), "target")), "OK");
  const auto unlinked = fs().Unlink(call_, directory, "link");
  ASSERT_EQ(Error(unlinked), "OK");
  ExpectRight(unlinked->directory, directory);
  const auto removed = fs().Rmdir(call_, directory, "sub");
  ASSERT_EQ(Error(removed), "OK");
  ExpectRight(removed->directory, directory);
}

TEST_F(AfterwardsContract, OfBothDirectoriesOfARename) {
  ASSERT_EQ(Error(fs().Mkdir(call_, New(root_, "one"))), "OK");
  ASSERT_EQ(Error(fs().Mkdir(call_, New(root_, "two"))), "OK");
  ASSERT_EQ(Error(fs().Mkdir(call_, New(Node("one"), "sub"))), "OK");
  const auto renamed = fs().Rename(call_, Node("one"), "sub", Node("two"), "moved", RenameMode::kReplace);
  ASSERT_EQ(Error(renamed), "OK");
  ExpectRight(renamed->directory, Node("one"));
  ExpectRight(renamed->new_directory, Node("two"));
}

TEST_F(AfterwardsContract, OfAFileThatWasWritten) {
  WriteNative("file", "abc");
  const HandleId handle = OpenFile("file", kReadWrite);
  const auto written = fs().Write(call_, handle, 100, absl::Cord("data"));
  ASSERT_EQ(Error(written), "OK");
  ExpectRight(written->attributes, Node("file"));
}

}  // namespace
}  // namespace mirrorfs
