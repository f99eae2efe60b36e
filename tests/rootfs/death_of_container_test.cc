// Nothing is acknowledged into the root of a container that is gone.
#include <atomic>
#include <functional>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class DeathOfContainer : public RootfsFixture {
 protected:
  std::atomic<bool> alive_ = true;
};

TEST_F(DeathOfContainer, NoMutationIsAcknowledged) {
  RootedFilesystemOptions options = Options();
  options.alive = [this] { return alive_.load(); };
  auto files = Serve(std::move(options));
  WriteNative("file", "data");
  WriteNative("other", "data");
  mkdir(Path("dir").c_str(), 0755);
  const NodeId file = Walk(*files, "file");
  const FileSystem::NewNode where = {.parent = NodeId::kRoot, .name = "new", .permissions = 0755};
  FileSystem::NewNode special = where;
  special.name = "fifo";
  FileSystem::NewNode link = where;
  link.name = "link";
  FileSystem::NewNode created = where;
  created.name = "created";
  const HandleId handle{1};
  ASSERT_EQ(Error(files->Open({}, file, handle, {.read = true, .write = true}, 0)), "OK");
  alive_ = false;
  const auto kRange = FallocateMode::kAllocate;
  EXPECT_EQ(Error(files->Write({}, handle, 0, absl::Cord("x"))), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Fsync({}, handle, false)), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Fallocate({}, handle, kRange, false, 0, 10)), "EHOSTDOWN");
  EXPECT_EQ(Error(files->CopyFileRange({}, handle, 0, handle, 100, 1)), "EHOSTDOWN");
  EXPECT_EQ(Error(files->SetAttr({}, {.node = file}, {.permissions = 0600})), "EHOSTDOWN");
  EXPECT_EQ(Error(files->SetXattr({}, file, "trusted.x", "v", XattrMode::kAny)), "EHOSTDOWN");
  EXPECT_EQ(Error(files->RemoveXattr({}, file, "trusted.x")), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Mkdir({}, where)), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Mknod({}, special, FileType::kFifo, 0, 0)), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Symlink({}, link, "target")), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Create({}, created, true, HandleId{2}, {.write = true})), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Link({}, file, NodeId::kRoot, "second")), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Rename({}, NodeId::kRoot, "other", NodeId::kRoot, "renamed", {})), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Unlink({}, NodeId::kRoot, "renamed")), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Rmdir({}, NodeId::kRoot, "dir")), "EHOSTDOWN");
  EXPECT_EQ(Error(files->Open({}, file, HandleId{3}, {.write = true, .truncate = true}, 0)), "EHOSTDOWN");
}

}  // namespace
}  // namespace mirrorfs
