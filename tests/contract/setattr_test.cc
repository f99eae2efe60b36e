// SetAttr, by node and by handle.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

class SetAttrContract : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    WriteNative("file", "0123456789");
    file_ = {.node = Node("file")};
  }
  Attributes Set(const NodeOrHandle& file, const AttributeChange& change) {
    auto reply = fs().SetAttr(call_, file, change);
    EXPECT_EQ(Error(reply), "OK");
    return reply.ok() ? reply->attributes : Attributes();
  }
  NodeOrHandle file_;
};

TEST_F(SetAttrContract, PermissionsAreSetWhole) {
  EXPECT_EQ(Set(file_, {.permissions = 07531}).permissions, 07531u);
  EXPECT_EQ(StatNative("file").st_mode & 07777u, 07531u);
}

TEST_F(SetAttrContract, OwnerAndGroupAreSetApart) {
  EXPECT_EQ(Set(file_, {.uid = 11}).uid, 11u);
  EXPECT_EQ(StatNative("file").st_gid, 0u);
  const Attributes now = Set(file_, {.gid = 22});
  EXPECT_EQ(now.uid, 11u);
  EXPECT_EQ(now.gid, 22u);
}

TEST_F(SetAttrContract, ChownDropsSetuidAndSetgid) {
  chmod(Path("file").c_str(), 06755);
  EXPECT_EQ(Set(file_, {.uid = 11, .gid = 22}).permissions, 0755u);
}

TEST_F(SetAttrContract, PermissionsGivenWithAnOwnerComeAfterIt) {
  EXPECT_EQ(Set(file_, {.permissions = 06755, .uid = 11}).permissions, 06755u);
}

TEST_F(SetAttrContract, SizeShrinksAndGrowsWithZeros) {
  EXPECT_EQ(Set(file_, {.size = 4}).size, 4u);
  EXPECT_EQ(ReadNative("file"), "0123");
  EXPECT_EQ(Set(file_, {.size = 7}).size, 7u);
  EXPECT_EQ(ReadNative("file"), std::string("0123\0\0\0", 7));
}

TEST_F(SetAttrContract, SizeBeyondFourGigabytesIsSparse) {
  const uint64_t large = (uint64_t{5} << 30) + 3;
  const Attributes now = Set(file_, {.size = large});
  EXPECT_EQ(now.size, large);
  EXPECT_LT(now.blocks, 100u);
}

TEST_F(SetAttrContract, SizeOfADirectoryIsAnError) {
  MakeDirectory("d");
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("d")}, {.size = 0})), "EISDIR");
}

TEST_F(SetAttrContract, SizeOfALinkIsAnErrorAndTheTargetUntouched) {
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  EXPECT_NE(Error(fs().SetAttr(call_, {.node = Node("link")}, {.size = 0})), "OK");
  EXPECT_EQ(ReadNative("file"), "0123456789");
}

TEST_F(SetAttrContract, NegativeSizeIsInvalid) {
  EXPECT_TRUE(FailsWithOneOf(fs().SetAttr(call_, file_, {.size = ~uint64_t{0}}), {EINVAL, EFBIG}));
}

TEST_F(SetAttrContract, SizeByHandle) {
  const HandleId handle = OpenFile("file", kReadWrite);
  EXPECT_EQ(Set({.node = file_.node, .handle = handle}, {.size = 3}).size, 3u);
  EXPECT_EQ(ReadNative("file"), "012");
}

TEST_F(SetAttrContract, SizeByAReadOnlyHandleNeedsTheRightToWrite) {
  Remake({.user = Caller{.uid = 4321, .gid = 4321}});
  const HandleId handle = OpenFile("file", kReadOnly);
  EXPECT_TRUE(FailsWithOneOf(fs().SetAttr(call_, {.node = Node("file"), .handle = handle}, {.size = 3}),
                             {EINVAL, EBADF, EACCES}));
  EXPECT_EQ(ReadNative("file"), "0123456789");
}

TEST_F(SetAttrContract, TimesAreSetToTheNanosecond) {
  const Attributes now = Set(
      file_, {.atime = TimeValue{.ns = 1'111 * kSecond + 1}, .mtime = TimeValue{.ns = 2'222 * kSecond + 999'999'999}});
  EXPECT_EQ(now.atime_ns, 1'111 * kSecond + 1);
  EXPECT_EQ(now.mtime_ns, 2'222 * kSecond + 999'999'999);
  const struct stat native = StatNative("file");
  EXPECT_EQ(native.st_atim.tv_nsec, 1);
  EXPECT_EQ(native.st_mtim.tv_nsec, 999'999'999);
}

TEST_F(SetAttrContract, TimesThatAreAbsentStay) {
  Set(file_, {.atime = TimeValue{.ns = 5 * kSecond}, .mtime = TimeValue{.ns = 6 * kSecond}});
  EXPECT_EQ(Set(file_, {.mtime = TimeValue{.ns = 7 * kSecond}}).atime_ns, 5 * kSecond);
  const Attributes now = Set(file_, {.atime = TimeValue{.ns = 8 * kSecond}});
  EXPECT_EQ(now.atime_ns, 8 * kSecond);
  EXPECT_EQ(now.mtime_ns, 7 * kSecond);
}

TEST_F(SetAttrContract, TimesBeforeTheEpoch) {
  const Attributes now = Set(file_, {.mtime = TimeValue{.ns = -kSecond - 250}});
  EXPECT_EQ(now.mtime_ns, -kSecond - 250);
}

TEST_F(SetAttrContract, NowIsTheClockOfTheFileSystem) {
  Set(file_, {.atime = TimeValue{.ns = 5}, .mtime = TimeValue{.ns = 6}});
  const auto clock = [] {  // not time(): that lags behind by up to a tick
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * kSecond + now.tv_nsec;
  };
  const int64_t earliest = clock() - kSecond;
  const Attributes now = Set(file_, {.atime = TimeValue{.now = true}, .mtime = TimeValue{.now = true}});
  const int64_t latest = clock() + kSecond;
  EXPECT_THAT(now.atime_ns, testing::AllOf(testing::Ge(earliest), testing::Le(latest)));
  EXPECT_THAT(now.mtime_ns, testing::AllOf(testing::Ge(earliest), testing::Le(latest)));
}

TEST_F(SetAttrContract, TimesOfALinkAreItsOwn) {
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  Set({.node = Node("link")}, {.mtime = TimeValue{.ns = 77 * kSecond}});
  EXPECT_EQ(StatNative("link").st_mtime, 77);
  EXPECT_NE(StatNative("file").st_mtime, 77);
}

TEST_F(SetAttrContract, OwnerOfALinkIsItsOwn) {
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  Set({.node = Node("link")}, {.uid = 33});
  EXPECT_EQ(StatNative("link").st_uid, 33u);
  EXPECT_EQ(StatNative("file").st_uid, 0u);
}

TEST_F(SetAttrContract, PermissionsOfALinkAreNotSupported) {
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = Node("link")}, {.permissions = 0600})), "EOPNOTSUPP");
  EXPECT_EQ(StatNative("file").st_mode & 0777u, 0644u);
}

TEST_F(SetAttrContract, SpecialFilesHaveAttributesToo) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  const NodeOrHandle fifo = {.node = Node("fifo")};
  const Attributes now = Set(fifo, {.permissions = 0622, .uid = 5, .mtime = TimeValue{.ns = 9 * kSecond}});
  EXPECT_EQ(now.permissions, 0622u);
  EXPECT_EQ(now.uid, 5u);
  EXPECT_EQ(now.mtime_ns, 9 * kSecond);
}

// As chown(path, -1, -1): the time of the last change is all that may move.
TEST_F(SetAttrContract, NothingToChangeChangesNothing) {
  const Attributes before = Stat(file_.node);
  Attributes after = Set(file_, {});
  EXPECT_GE(after.ctime_ns, before.ctime_ns);
  after.ctime_ns = before.ctime_ns;
  EXPECT_EQ(after, before);
}

TEST_F(SetAttrContract, AttributesByHandleOfAnUnlinkedFile) {
  const HandleId handle = OpenFile("file", kReadWrite);
  ASSERT_EQ(Error(fs().Unlink(call_, root_, "file")), "OK");
  const NodeOrHandle by_handle = {.node = file_.node, .handle = handle};
  const Attributes now =
      Set(by_handle, {.permissions = 0611, .uid = 9, .size = 2, .mtime = TimeValue{.ns = 3 * kSecond}});
  EXPECT_EQ(now.permissions, 0611u);
  EXPECT_EQ(now.uid, 9u);
  EXPECT_EQ(now.size, 2u);
  EXPECT_EQ(now.mtime_ns, 3 * kSecond);
  EXPECT_EQ(now.nlink, 0u);
}

TEST_F(SetAttrContract, UnknownHandleIsBadf) {
  EXPECT_EQ(Error(fs().SetAttr(call_, {.node = file_.node, .handle = HandleId{4711}}, {.size = 1})), "EBADF");
  EXPECT_EQ(Error(fs().GetAttr(call_, {.node = file_.node, .handle = HandleId{4711}})), "EBADF");
  EXPECT_EQ(ReadNative("file"), "0123456789");
}

}  // namespace
}  // namespace mirrorfs
