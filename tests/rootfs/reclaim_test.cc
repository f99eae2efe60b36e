// The agent restarts, the client hands back what it holds: the same files, or none.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class ReclaimTest : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    if (IsSkipped()) return;
    mkdir(Path("dir").c_str(), 0755);
    WriteNative("dir/file", "data");
    auto former = Serve();
    dir_ = former->Lookup({}, NodeId::kRoot, "dir").value();
    file_ = former->Lookup({}, dir_.node, "file").value();
  }
  std::vector<ReclaimedNode> Nodes() const {
    return {{dir_.node, NodeId::kRoot, "dir", dir_.identity, 1}, {file_.node, dir_.node, "file", file_.identity, 2}};
  }

  Entry dir_, file_;
};

TEST_F(ReclaimTest, NodesAndHandlesGoOn) {
  auto files = Serve();
  const std::vector<HandleId> lost =
      files->Reclaim(Nodes(), {{HandleId{7}, file_.node, {.read = true, .write = true}}});
  EXPECT_TRUE(lost.empty());
  EXPECT_EQ(std::string(files->Read({}, HandleId{7}, 0, 10).value()), "data");
  EXPECT_EQ(Walk(*files, "dir/file"), file_.node);
  EXPECT_EQ(Error(files->Lookup({}, dir_.node, "file")), "OK");
}

TEST_F(ReclaimTest, ATruncatingHandleTruncatesOnce) {
  auto files = Serve();
  EXPECT_TRUE(files->Reclaim(Nodes(), {{HandleId{7}, file_.node, {.write = true, .truncate = true}}}).empty());
  EXPECT_EQ(ReadNative("dir/file"), "data");
}

TEST_F(ReclaimTest, AReplacedFileIsLost) {
  ASSERT_EQ(unlink(Path("dir/file").c_str()), 0);
  WriteNative("dir/file", "other");
  auto files = Serve();
  const std::vector<HandleId> lost = files->Reclaim(Nodes(), {{HandleId{7}, file_.node, {.read = true}}});
  EXPECT_EQ(lost, std::vector<HandleId>{HandleId{7}});
  EXPECT_EQ(Error(files->Read({}, HandleId{7}, 0, 10)), "ESTALE");
  EXPECT_EQ(Error(files->GetAttr({}, {.node = file_.node})), "ESTALE");
  EXPECT_EQ(Error(files->GetAttr({}, {.node = dir_.node})), "OK");
  const HandleId handle{7};
  files->Release({&handle, 1});
  EXPECT_EQ(Error(files->Read({}, HandleId{7}, 0, 10)), "EBADF");
}

TEST_F(ReclaimTest, ReadOnlySessionsDoNotReopenForWriting) {
  RootedFilesystemOptions options = Options();
  options.read_write = false;
  auto files = Serve(std::move(options));
  EXPECT_EQ(files->Reclaim(Nodes(), {{HandleId{7}, file_.node, {.write = true}}}).size(), 1u);
}

TEST_F(ReclaimTest, GarbageIsLeftOut) {
  auto files = Serve();
  const std::vector<ReclaimedNode> nodes = {{NodeId{10}, NodeId::kRoot, "../etc", dir_.identity, 1},
                                            {NodeId{11}, NodeId::kRoot, "dir", "nonsense", 1},
                                            {NodeId::kRoot, NodeId::kRoot, "dir", dir_.identity, 1},
                                            {NodeId{12}, NodeId{99}, "x", dir_.identity, 1},
                                            {NodeId{13}, NodeId{13}, "x", dir_.identity, 1},
                                            {NodeId::kInvalid, NodeId::kRoot, "x", dir_.identity, 1}};
  const std::vector<ReclaimedHandle> handles = {{HandleId::kNone, NodeId{10}, {}}, {HandleId{5}, NodeId{13}, {}}};
  EXPECT_EQ(files->Reclaim(nodes, handles).size(), 2u);
  for (const uint64_t node : {10, 11, 12, 13}) {
    EXPECT_EQ(Error(files->GetAttr({}, {.node = NodeId{node}})), "ESTALE") << node;
  }
  EXPECT_EQ(Error(files->GetAttr({}, {.node = NodeId::kRoot})), "OK");
}

}  // namespace
}  // namespace mirrorfs
