// What the private layer must do beyond what random changes show: open files, holes, attributes, locks, its own end.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "gtest/gtest.h"
#include "protos/layer/layer_changes.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

class PrivateLayer : public testing::Test {
 protected:
  void SetUp() override {
    WriteNative(box_.Container("/file"), "content");
    MakeDirectories(box_.Container("/d/sub"));
    WriteNative(box_.Container("/d/file"), "deep");
    before_ = TreeText(box_.Container());
    box_.Make({});
  }
  void TearDown() override { EXPECT_EQ(TreeText(box_.Container()), before_); }
  TreeClient& tree() { return box_.client(); }
  std::vector<std::string> Changes() {
    const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kRead);
    const auto changes = ListLayerChanges(**layer);
    std::vector<std::string> texts;
    for (const LayerChange& change : *changes) {
      const std::string from = change.from.empty() ? "" : change.from + " -> ";
      texts.push_back(std::string(1, static_cast<char>(change.kind)) + " " + from + change.path);
    }
    return texts;
  }
  using Texts = std::vector<std::string>;

  ViewBox box_;
  std::string before_;
};

TEST_F(PrivateLayer, ReadingChangesNothing) {
  EXPECT_EQ(tree().Read("/file"), "content");
  tree().Snapshot();
  const HandleId handle = tree().Open("/file", {.read = true, .write = true});
  EXPECT_EQ(tree().ReadHandle(handle), "content");
  tree().Close(handle);
  EXPECT_EQ(Changes(), Texts{}) << "opened for writing, and not written";
}

TEST_F(PrivateLayer, ChangesAreTold) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Create("/d/new"), "OK");
  EXPECT_EQ(tree().Mkdir("/made"), "OK");
  EXPECT_EQ(tree().Unlink("/d/file"), "OK");
  EXPECT_EQ(tree().Rename("/d/sub", "/moved"), "OK");
  EXPECT_EQ(Changes(), (Texts{"D /d/file", "A /d/new", "M /file", "A /made", "R /d/sub -> /moved"}));
}

TEST_F(PrivateLayer, WhatIsMadeAndRemovedIsNoChange) {
  EXPECT_EQ(tree().Create("/d/new"), "OK");
  EXPECT_EQ(tree().Unlink("/d/new"), "OK");
  EXPECT_EQ(Changes(), Texts{});
}

TEST_F(PrivateLayer, HandlesGoOnWithTheCopy) {
  const HandleId reader = tree().Open("/file", {.read = true});
  const HandleId writer = tree().Open("/file", {.read = true, .write = true});
  EXPECT_EQ(tree().WriteHandle(writer, 0, "CON"), "OK");
  EXPECT_EQ(tree().ReadHandle(reader), "CONtent");
  EXPECT_EQ(tree().WriteHandle(reader, 0, "x"), "EBADF");
}

TEST_F(PrivateLayer, UnlinkedFilesLiveOnAndAreWritten) {
  const HandleId handle = tree().Open("/file", {.read = true, .write = true});
  EXPECT_EQ(tree().Unlink("/file"), "OK");
  EXPECT_EQ(tree().ReadHandle(handle), "content");
  EXPECT_EQ(tree().WriteHandle(handle, 7, "!"), "OK");
  EXPECT_EQ(tree().ReadHandle(handle), "content!");
  const auto reply = tree().files().GetAttr(tree().call(), {.node = NodeId::kInvalid, .handle = handle});
  ASSERT_TRUE(reply.ok());
  EXPECT_EQ(reply->attributes.nlink, 0u);
  EXPECT_EQ(tree().Read("/file"), "!ENOENT");
  tree().Close(handle);
  EXPECT_EQ(Changes(), Texts{"D /file"});
}

TEST_F(PrivateLayer, TruncatingOpensCopyNothing) {
  before_.clear();
  std::filesystem::resize_file(box_.Container("/file"), 1 << 30);  // a hole of 1 GiB
  before_ = TreeText(box_.Container("/d"));
  box_.Make({});
  EXPECT_EQ(tree().Write("/file", "short"), "OK");
  EXPECT_EQ(tree().Read("/file"), "short");
  struct stat is = {};
  ASSERT_EQ(stat(box_.LayerDirectory("/tree/file").c_str(), &is), 0);
  EXPECT_LE(is.st_blocks, 16);
  std::filesystem::resize_file(box_.Container("/file"), 7);
  WriteNative(box_.Container("/file"), "content");
  before_ = TreeText(box_.Container());
}

TEST_F(PrivateLayer, CopiesKeepHolesAttributesOwnersAndTimes) {
  const std::string path = box_.Container("/sparse");
  WriteNative(path, "");
  std::filesystem::resize_file(path, 64 << 20);
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(pwrite(fd, "data", 4, 32 << 20), 4);
  close(fd);
  ASSERT_EQ(setxattr(path.c_str(), "user.kept", "yes", 3, 0), 0);
  ASSERT_EQ(chown(path.c_str(), 12, 34), 0);
  ASSERT_EQ(chmod(path.c_str(), 0640), 0);
  const timespec times[2] = {{1'000'000'001, 5}, {1'100'000'002, 123'456'789}};
  utimensat(AT_FDCWD, path.c_str(), times, 0);
  before_ = TreeText(box_.Container());
  EXPECT_EQ(tree().SetXattr("/sparse", "user.new", "too"), "OK");
  const std::string copy = box_.LayerDirectory("/tree/sparse");
  struct stat is = {};
  ASSERT_EQ(stat(copy.c_str(), &is), 0);
  EXPECT_EQ(is.st_size, 64 << 20);
  EXPECT_LT(is.st_blocks * 512, 1 << 20);
  EXPECT_EQ(is.st_mtim.tv_sec, 1'100'000'002);
  EXPECT_EQ(is.st_mtim.tv_nsec, 123'456'789);
  EXPECT_EQ(tree().GetXattr("/sparse", "user.kept"), "yes");
  EXPECT_EQ(tree().Stat("/sparse"), "1 640 12:34 67108864 ");
}

TEST_F(PrivateLayer, WithoutAnAnswerAboutAnAttributeNothingIsCopied) {
  ASSERT_EQ(setxattr(box_.Container("/file").c_str(), "user.kept", "yes", 3, 0), 0);
  before_ = TreeText(box_.Container());
  bool broken = true;
  box_.Make({.before_container = [&broken](std::string_view call, std::string_view) {
    return broken && call == "GetXattr" ? absl::UnavailableError("gone") : absl::OkStatus();
  }});
  EXPECT_EQ(tree().Append("/file", "+"), "no answer: gone");
  EXPECT_EQ(Changes(), Texts{});
  broken = false;
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().GetXattr("/file", "user.kept"), "yes");
  box_.End();  // before what it tells of its calls
}

TEST_F(PrivateLayer, WhatBecomesShorterWhileItIsCopiedIsNotFilledWithZeros) {
  box_.Make({.before_container = [this](std::string_view call, std::string_view) {
    return ErrnoStatus(call == "Read" && truncate(box_.Container("/file").c_str(), 3) != 0 ? EIO : 0);
  }});
  EXPECT_EQ(tree().Append("/file", "+"), "EIO");
  EXPECT_EQ(Changes(), Texts{});
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Read("/file"), "con+");
  before_ = TreeText(box_.Container());
}

TEST_F(PrivateLayer, DirectoryTimesDoNotShowTheCopying) {
  const auto before = tree().Find("/d");
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(tree().Append("/d/file", "+"), "OK");
  const auto after = tree().Find("/d");
  ASSERT_TRUE(after.ok());
  EXPECT_EQ(after->attributes.mtime_ns, before->attributes.mtime_ns);
  EXPECT_EQ(tree().Create("/d/new"), "OK");
  EXPECT_GT(tree().Find("/d")->attributes.mtime_ns, before->attributes.mtime_ns);
}

TEST_F(PrivateLayer, AMovedDirectoryHasItsNamesWithoutBeingCopied) {
  EXPECT_EQ(tree().Rename("/d", "/e"), "OK");
  EXPECT_EQ(tree().List("/e"), "file sub");
  EXPECT_EQ(tree().Read("/e/file"), "deep");
  EXPECT_EQ(tree().List("/d"), "!ENOENT");
  EXPECT_FALSE(std::filesystem::exists(box_.LayerDirectory("/tree/e/file")));
  EXPECT_EQ(tree().Append("/e/file", "+"), "OK");
  EXPECT_EQ(tree().Mkdir("/d"), "OK");
  EXPECT_EQ(tree().List("/d"), "") << "what was there is not there again";
  EXPECT_EQ(tree().Rename("/e/sub", "/d/sub"), "OK");
  box_.Make({});
  EXPECT_EQ(tree().Read("/e/file"), "deep+");
  EXPECT_EQ(tree().List("/e"), "file");
  EXPECT_EQ(tree().List("/d"), "sub");
}

TEST_F(PrivateLayer, NamesOfALayerAreNotSeenByPrograms) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  const auto found = tree().Find("/file");
  const auto names = tree().files().ListXattr(tree().call(), found->node);
  ASSERT_TRUE(names.ok());
  EXPECT_TRUE(names->empty());
  EXPECT_EQ(tree().GetXattr("/file", "trusted.mirrorfs"), "!ENODATA");
  EXPECT_EQ(tree().SetXattr("/file", "trusted.mirrorfs", "x"), "EPERM");
  EXPECT_EQ(tree().RemoveXattr("/file", "trusted.mirrorfs"), "ENODATA");
  EXPECT_EQ(tree().Unlink("/d/file"), "OK");
  EXPECT_EQ(tree().List("/d"), "sub");
}

TEST_F(PrivateLayer, LocksArePrivateUntilTheFileIs) {
  const HandleId one = tree().Open("/file", {.read = true, .write = true});
  const HandleId two = tree().Open("/file", {.read = true, .write = true});
  FileSystem& files = tree().files();
  const LockRange write{.type = LockType::kWrite};
  EXPECT_EQ(ErrorName(files.SetLock({}, one, LockOwner{1}, LockKind::kRange, write, {})), "OK");
  EXPECT_EQ(ErrorName(files.SetLock({}, two, LockOwner{2}, LockKind::kRange, write, {})), "EAGAIN");
  const int fd = open(box_.Container("/file").c_str(), O_RDWR | O_CLOEXEC);
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  EXPECT_EQ(fcntl(fd, F_OFD_SETLK, &lock), 0) << "the container's processes are not held up";
  close(fd);
  EXPECT_EQ(tree().WriteHandle(one, 0, "x"), "OK");
  EXPECT_EQ(ErrorName(files.SetLock({}, two, LockOwner{2}, LockKind::kRange, write, {})), "EAGAIN") << "they stay";
  tree().Close(one);
  EXPECT_EQ(ErrorName(files.SetLock({}, two, LockOwner{2}, LockKind::kRange, write, absl::Seconds(5))), "OK");
  tree().Close(two);
}

TEST_F(PrivateLayer, ManyWritersMakeOneCopy) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([this, i] {
      FileSystem& files = box_.files();
      const auto entry = files.Lookup({}, NodeId::kRoot, "file");
      const HandleId handle{1000u + static_cast<uint64_t>(i)};
      EXPECT_EQ(ErrorName(files.Open({}, entry->node, handle, {.read = true, .write = true}, 0)), "OK");
      EXPECT_EQ(ErrorName(files.Write({}, handle, 10 + i, absl::Cord(std::string(1, static_cast<char>('0' + i))))),
                "OK");
      files.Release({handle});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tree().Read("/file").substr(10), "01234567");
  EXPECT_TRUE(std::filesystem::is_empty(box_.LayerDirectory("/work")));
}

TEST_F(PrivateLayer, ALayerIsOneViews) {
  const auto second = Layer::Open(box_.LayerDirectory(), LayerUse::kChange);
  EXPECT_EQ(ErrorName(second), "EBUSY");
  box_.End();
  EXPECT_EQ(ErrorName(Layer::Open(box_.LayerDirectory(), LayerUse::kChange)), "OK");
  EXPECT_EQ(ErrorName(RemoveLayer(box_.LayerDirectory())), "OK");
  EXPECT_FALSE(std::filesystem::exists(box_.LayerDirectory()));
}

TEST_F(PrivateLayer, WhatWasHalfDoneIsClearedAway) {
  box_.End();
  WriteNative(box_.LayerDirectory("/work/1-1"), "half of a copy");
  MakeDirectories(box_.LayerDirectory("/work/1-2/x"));
  box_.Make({});
  EXPECT_TRUE(std::filesystem::is_empty(box_.LayerDirectory("/work")));
  EXPECT_EQ(tree().Read("/file"), "content");
}

}  // namespace
}  // namespace mirrorfs
