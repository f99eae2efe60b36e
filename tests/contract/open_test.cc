// Open, Release, handles, inline data.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class OpenContract : public ContractTest {
 protected:
  absl::StatusOr<OpenResult> Open(std::string_view name, const OpenFlags& flags, uint32_t inline_bytes = 0) {
    last_ = NextHandle();
    return fs().Open(call_, Node(name), last_, flags, inline_bytes);
  }
  HandleId last_ = HandleId::kNone;
};

TEST_F(OpenContract, GivesAttributesAndNoInlineDataUnasked) {
  WriteNative("file", "12345");
  auto opened = Open("file", kReadOnly);
  ASSERT_EQ(Error(opened), "OK");
  EXPECT_EQ(opened->attributes.size, 5u);
  EXPECT_FALSE(opened->inline_data.has_value());
}

TEST_F(OpenContract, InlineDataIsTheFilesStart) {
  const std::string content = Pattern(100'000);
  WriteNative("file", content);
  auto opened = Open("file", kReadOnly, 65'536);
  ASSERT_EQ(Error(opened), "OK");
  if (opened->inline_data) {
    EXPECT_LE(opened->inline_data->size(), 65'536u);
    EXPECT_EQ(*opened->inline_data, content.substr(0, opened->inline_data->size()));
  }
  EXPECT_EQ(ReadFile(last_, 65'530, 100), content.substr(65'530, 100));
}

TEST_F(OpenContract, InlineDataOfASmallFileIsAllOfIt) {
  for (size_t size : {0, 1, 4095, 4096, 4097, 16'384}) {
    const std::string content = Pattern(size);
    WriteNative("file", content);
    auto opened = Open("file", kReadOnly, 16'384);
    ASSERT_EQ(Error(opened), "OK");
    ASSERT_TRUE(opened->inline_data.has_value()) << size;
    EXPECT_EQ(*opened->inline_data, content);
  }
}

TEST_F(OpenContract, WriteOnlyHasNoInlineData) {
  WriteNative("file", "secret");
  auto opened = Open("file", kWriteOnly, 4096);
  ASSERT_EQ(Error(opened), "OK");
  EXPECT_FALSE(opened->inline_data.has_value());
}

TEST_F(OpenContract, TruncateEmptiesTheFile) {
  WriteNative("file", "12345");
  auto opened = Open("file", {.write = true, .truncate = true});
  ASSERT_EQ(Error(opened), "OK");
  EXPECT_EQ(opened->attributes.size, 0u);
  EXPECT_EQ(StatNative("file").st_size, 0);
}

TEST_F(OpenContract, DirectoriesAreNotOpenedForWriting) {
  MakeDirectory("d");
  EXPECT_EQ(Error(Open("d", kWriteOnly)), "EISDIR");
  EXPECT_EQ(Error(Open("d", kReadWrite)), "EISDIR");
  EXPECT_EQ(Error(Open("d", {.read = true, .truncate = true})), "EISDIR");
}

TEST_F(OpenContract, DirectoriesAreNotReadAsFiles) {
  MakeDirectory("d");
  const absl::Status opened = Open("d", kReadOnly).status();
  EXPECT_TRUE(opened.ok() || FailsWithOneOf(opened, {EISDIR, ENXIO}));
  EXPECT_TRUE(FailsWithOneOf(fs().Read(call_, last_, 0, 100), {EISDIR, EBADF}));
}

TEST_F(OpenContract, SpecialFilesAreNeverOpened) {
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0666), 0);
  ASSERT_EQ(mknod(Path("socket").c_str(), S_IFSOCK | 0666, 0), 0);
  ASSERT_EQ(mknod(Path("null").c_str(), S_IFCHR | 0666, makedev(1, 3)), 0);
  ASSERT_EQ(mknod(Path("loop").c_str(), S_IFBLK | 0666, makedev(7, 0)), 0);
  for (const char* name : {"fifo", "socket", "null", "loop"}) {
    EXPECT_EQ(Error(Open(name, kReadOnly)), "ENXIO") << name;
    EXPECT_EQ(Error(Open(name, kWriteOnly)), "ENXIO") << name;
    EXPECT_EQ(Error(Open(name, kReadWrite)), "ENXIO") << name;
  }
}

TEST_F(OpenContract, LinksAreNeverFollowed) {
  WriteNative("file", "content");
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  EXPECT_TRUE(FailsWithOneOf(Open("link", kReadOnly), {ELOOP, ENXIO}));
}

TEST_F(OpenContract, HandlesInUseAreInvalid) {
  WriteNative("file", "1");
  WriteNative("other", "2");
  ASSERT_EQ(Error(Open("file", kReadOnly)), "OK");
  EXPECT_EQ(Error(fs().Open(call_, Node("other"), last_, kReadOnly, 0)), "EINVAL");
  EXPECT_EQ(ReadFile(last_, 0, 10), "1");
  EXPECT_EQ(Error(fs().Open(call_, Node("other"), HandleId::kNone, kReadOnly, 0)), "EINVAL");
}

TEST_F(OpenContract, UnknownHandlesAreBadf) {
  for (const HandleId handle : {HandleId::kNone, HandleId{77777}, HandleId{~uint64_t{0}}}) {
    EXPECT_EQ(Error(fs().Read(call_, handle, 0, 1)), "EBADF");
    EXPECT_EQ(Error(fs().Write(call_, handle, 0, absl::Cord("x"))), "EBADF");
    EXPECT_EQ(Error(fs().Fsync(call_, handle, false)), "EBADF");
    EXPECT_EQ(Error(fs().Fallocate(call_, handle, FallocateMode::kAllocate, false, 0, 1)), "EBADF");
    EXPECT_EQ(Error(fs().Seek(call_, handle, 0, SeekWhence::kData)), "EBADF");
    EXPECT_EQ(Error(fs().CopyFileRange(call_, handle, 0, handle, 0, 1)), "EBADF");
    EXPECT_EQ(Error(fs().GetLock(call_, handle, LockOwner{1}, {.type = LockType::kRead})), "EBADF");
    EXPECT_EQ(Error(fs().SetLock(call_, handle, LockOwner{1}, LockKind::kRange, {.type = LockType::kRead},
                                 absl::ZeroDuration())),
              "EBADF");
  }
}

TEST_F(OpenContract, ReleasedHandlesAreBadf) {
  WriteNative("file", "1");
  const HandleId handle = OpenFile("file", kReadWrite);
  Release(handle);
  Release(handle);
  EXPECT_EQ(Eventually("EBADF", [&] { return fs().Read(call_, handle, 0, 1); }), "EBADF");
  EXPECT_EQ(Error(fs().Write(call_, handle, 0, absl::Cord("x"))), "EBADF");
  EXPECT_EQ(ReadNative("file"), "1");
}

TEST_F(OpenContract, ManyAreReleasedAtOnce) {
  WriteNative("file", "1");
  std::vector<HandleId> handles;
  for (int i = 0; i < 100; ++i) handles.push_back(OpenFile("file", kReadOnly));
  const HandleId kept = handles.back();
  handles.pop_back();
  handles.push_back(HandleId{555'555});
  fs().Release(handles);
  EXPECT_EQ(Eventually("EBADF", [&] { return fs().Read(call_, handles.front(), 0, 1); }), "EBADF");
  EXPECT_EQ(ReadFile(kept, 0, 1), "1");
}

TEST_F(OpenContract, HandleOutlivesItsNodesReferences) {
  WriteNative("file", "content");
  const NodeId node = Node("file");
  const HandleId handle = NextHandle();
  ASSERT_EQ(Error(fs().Open(call_, node, handle, kReadOnly, 0)), "OK");
  Forget(node, 1);
  EXPECT_EQ(ReadFile(handle, 0, 100), "content");
  EXPECT_EQ(Stat(handle).size, 7u);
}

TEST_F(OpenContract, CapabilityIsTold) {
  WriteNative("file", "");
  auto plain = Open("file", kReadWrite);
  ASSERT_EQ(Error(plain), "OK");
  EXPECT_FALSE(plain->has_capability);
  const std::string capability("\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", 20);
  ASSERT_EQ(setxattr(Path("file").c_str(), "security.capability", capability.data(), capability.size(), 0), 0);
  if (world().ThroughKernel()) return;  // system calls do not tell
  auto capable = Open("file", kReadWrite);
  ASSERT_EQ(Error(capable), "OK");
  EXPECT_TRUE(capable->has_capability);
}

TEST_F(OpenContract, FileThatIsGoneIsNotOpened) {
  WriteNative("file", "old");
  const NodeId node = Node("file");
  ASSERT_EQ(rename(Path("file").c_str(), Path("kept").c_str()), 0);
  WriteNative("file", "impostor");
  const HandleId handle = NextHandle();
  auto opened = fs().Open(call_, node, handle, kReadOnly, 0);
  if (opened.ok()) {
    EXPECT_EQ(ReadFile(handle, 0, 100), "old");
  } else {
    EXPECT_EQ(Error(opened), "ESTALE");
  }
}

TEST_F(OpenContract, FlagsOfEveryKindAreTaken) {
  WriteNative("file", std::string(8192, 'x'));
  EXPECT_EQ(Error(Open("file", {.read = true, .write = true, .sync = true})), "OK");
  EXPECT_EQ(Error(Open("file", {.read = true, .write = true, .dsync = true})), "OK");
  EXPECT_EQ(Error(Open("file", {.read = true, .no_atime = true})), "OK");
  ASSERT_EQ(Error(Open("file", {.read = true, .write = true, .direct = true})), "OK");
  WriteFile(last_, 4096, std::string(4096, 'y'));
  EXPECT_EQ(ReadFile(last_, 4096, 4096), std::string(4096, 'y'));
}

}  // namespace
}  // namespace mirrorfs
