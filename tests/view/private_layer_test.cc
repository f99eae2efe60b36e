// What the private layer must do beyond what random changes show: open files, holes, attributes, locks, its own end.
#include "tests/view/private_layer.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <thread>
#include <utility>

#include "fmt/format.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

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
  std::filesystem::resize_file(box_.Container("/file"), 1 << 30);  // a hole of 1 GiB
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

TEST_F(PrivateLayer, AFileThatIsBeingReplacedIsNotCopiedOverItsSuccessor) {
  HandleId handle = HandleId::kNone;
  std::future<std::string> written;
  const auto write_in_between = [&](std::string_view call, std::string_view name) {
    if (call != "Lookup" || name != "file" || handle == HandleId::kNone || written.valid()) return absl::OkStatus();
    written = std::async(std::launch::async, [&] { return tree().WriteHandle(handle, 0, "CON"); });
    // It has to wait, or else it is done at once.
    written.wait_for(std::chrono::milliseconds(300));
    return absl::OkStatus();
  };
  bool watched = false;
  box_.Make({.before_layer = [&](std::string_view call, std::string_view name) {
    return watched && std::filesystem::exists(box_.LayerDirectory("/tree/file")) ? write_in_between(call, name)
                                                                                 : absl::OkStatus();
  }});
  handle = tree().Open("/file", {.read = true, .write = true});
  watched = true;
  EXPECT_EQ(tree().Rename("/d/file", "/file"), "OK");
  watched = false;
  ASSERT_TRUE(written.valid());
  EXPECT_EQ(written.get(), "OK");
  EXPECT_EQ(tree().ReadHandle(handle), "CONtent");
  EXPECT_EQ(tree().Read("/file"), "deep");
  box_.Make({});
  EXPECT_EQ(tree().Read("/file"), "deep");
}

TEST_F(PrivateLayer, DirectoriesThatChangePlacesKeepTheCopiesThatAreMadeMeanwhile) {
  constexpr int kFiles = 60;
  MakeDirectories(box_.Container("/e"));
  const auto name = [](const char* directory, int i) { return std::string(directory) + "/" + std::to_string(i); };
  for (int i = 0; i < kFiles; ++i) {
    for (const char* directory : {"/d", "/e"}) WriteNative(box_.Container(name(directory, i)), directory);
  }
  before_ = TreeText(box_.Container());
  box_.Make({});
  std::vector<HandleId> handles;
  for (int i = 0; i < kFiles; ++i) handles.push_back(tree().Open(name("/d", i), {.read = true, .write = true}));
  std::jthread exchanging([this](const std::stop_token& stop) {
    TreeClient other(box_.files());
    while (!stop.stop_requested()) EXPECT_EQ(other.Rename("/d", "/e", RenameMode::kExchange), "OK");
  });
  for (const HandleId handle : handles) EXPECT_EQ(tree().WriteHandle(handle, 2, "+"), "OK");
  exchanging = {};
  for (const HandleId handle : handles) tree().Close(handle);
  box_.Make({});
  const bool is_d = tree().Read("/d/0").starts_with("/d");
  for (int i = 0; i < kFiles; ++i) {
    EXPECT_EQ(tree().Read(name(is_d ? "/d" : "/e", i)), "/d+");
    EXPECT_EQ(tree().Read(name(is_d ? "/e" : "/d", i)), "/e");
  }
}

TEST_F(PrivateLayer, AHandleThatEndsWhileItsFileIsCopiedIsNotLeftOpen) {
  HandleId ending = HandleId::kNone;
  int open = 0;
  box_.Make({.before_layer = [&](std::string_view call, std::string_view) {
    if (call == "Open") ++open;
    if (call == "Release") --open;
    if (call == "Open" && ending != HandleId::kNone) tree().Close(std::exchange(ending, HandleId::kNone));
    return absl::OkStatus();
  }});
  ending = tree().Open("/file", {.read = true});
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(ending, HandleId::kNone) << "it was moved";
  EXPECT_EQ(open, 0);
  box_.End();
}

TEST_F(PrivateLayer, ARefusedRemovalShowsNothingAgain) {
  bool refused = false;
  box_.Make({.before_layer = [&](std::string_view call, std::string_view) {
    return ErrnoStatus(refused && (call == "Access" || call == "Rmdir" || call == "Rename") ? EACCES : 0);
  }});
  EXPECT_EQ(tree().Rename("/d", "/e"), "OK");
  EXPECT_EQ(tree().Rename("/e/sub", "/sub"), "OK");
  EXPECT_EQ(tree().Unlink("/e/file"), "OK");
  EXPECT_EQ(tree().Mkdir("/new"), "OK");
  // Without root the layer's own files say nothing about who may: the recorded permissions do.
  const bool by_record = geteuid() != 0;
  refused = true;
  if (by_record) {
    EXPECT_EQ(tree().Chmod("/", 0555), "OK");
  }
  EXPECT_EQ(tree().Rmdir("/e"), "EACCES");
  EXPECT_EQ(tree().Rename("/new", "/e"), "EACCES");
  refused = false;
  if (by_record) {
    EXPECT_EQ(tree().Chmod("/", 0755), "OK");
  }
  EXPECT_EQ(tree().List("/e"), "");
  EXPECT_EQ(tree().Rename("/new", "/e"), "OK");
  EXPECT_EQ(tree().List("/e"), "");
  EXPECT_EQ(tree().Rmdir("/e"), "OK");
  EXPECT_EQ(tree().List("/"), "file sub");
  box_.End();
}

TEST_F(PrivateLayer, ANameIsHiddenUntilWhatIsMadeThereIsWhole) {
  Texts seen;
  box_.Make({.before_layer = [&](std::string_view call, std::string_view name) {
    if (call == "Mkdir" && name == "d") seen = Changes();
    return absl::OkStatus();
  }});
  EXPECT_EQ(tree().Rename("/d/sub", "/e"), "OK");
  EXPECT_EQ(tree().Unlink("/d/file"), "OK");
  EXPECT_EQ(tree().Rmdir("/d"), "OK");
  EXPECT_EQ(tree().Unlink("/file"), "OK");
  EXPECT_EQ(tree().Mkdir("/d"), "OK");
  EXPECT_EQ(seen, (Texts{"D /d", "R /d/sub -> /e", "D /file"}));
  EXPECT_TRUE(std::filesystem::is_empty(box_.LayerDirectory("/work")));
  box_.Make({.before_layer = [&](std::string_view call, std::string_view name) {
    return ErrnoStatus(call == "Create" && name == "file" ? ENOSPC : 0);
  }});
  EXPECT_EQ(tree().Create("/file"), "ENOSPC");
  EXPECT_EQ(tree().List("/"), "d e");
  EXPECT_EQ(tree().List("/d"), "");
  EXPECT_TRUE(std::filesystem::is_empty(box_.LayerDirectory("/work")));
  box_.End();
}

TEST_F(PrivateLayer, AMoveThatFailsIsNoMove) {
  WriteNative(box_.Container("/other"), "other");
  before_ = TreeText(box_.Container());
  int opened = 0;
  box_.Make({.before_container = [&](std::string_view call, std::string_view) {
    return ErrnoStatus(call == "Open" && ++opened == 2 ? EIO : 0);
  }});
  EXPECT_EQ(tree().Rename("/file", "/other", RenameMode::kExchange), "EIO");
  EXPECT_EQ(Changes(), Texts{"M /file"}) << "it has been copied, no more";
  EXPECT_EQ(tree().Read("/file"), "content");
  box_.End();
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
  constexpr int kRounds = 40;  // some open while another one's copy comes into being: which of them, chance decides
  for (int round = 0; round < kRounds; ++round) WriteNative(box_.Container(fmt::format("/shared{}", round)), "content");
  before_ = TreeText(box_.Container());
  for (int round = 0; round < kRounds; ++round) {
    const std::string name = fmt::format("shared{}", round);
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        FileSystem& files = box_.files();
        const auto entry = files.Lookup({}, NodeId::kRoot, name);
        const HandleId handle{1000u + static_cast<uint64_t>(8 * round + i)};
        EXPECT_EQ(ErrorName(files.Open({}, entry->node, handle, {.read = true, .write = true}, 0)), "OK");
        EXPECT_EQ(ErrorName(files.Write({}, handle, 10 + i, absl::Cord(std::string(1, static_cast<char>('0' + i))))),
                  "OK");
        files.Release({handle});
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_EQ(tree().Read("/" + name).substr(10), "01234567");
  }
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

TEST_F(PrivateLayer, ADamagedLayerIsNotUsed) {
  box_.End();
  const std::string info = box_.LayerDirectory("/layer.json");
  const std::string whole = ReadNative(info);
  for (const std::string& damaged : {std::string(), whole.substr(0, whole.size() / 2), std::string("[]"),
                                     std::string("{\"format\": 1, \"target\": 5}"), std::string("{\"format\": 2}")}) {
    WriteNative(info, damaged);
    EXPECT_EQ(ErrorName(Layer::Open(box_.LayerDirectory(), LayerUse::kRead)), "EINVAL") << damaged;
    EXPECT_EQ(ErrorName(Layer::Open(box_.LayerDirectory(), LayerUse::kChange)), "EINVAL") << damaged;
  }
  WriteNative(info, whole);
  box_.Make({});
  EXPECT_EQ(tree().Read("/file"), "content");
}

TEST_F(PrivateLayer, ALayerIsUsedByRootOrWithoutAsItWasMade) {
  box_.End();
  const std::string info = box_.LayerDirectory("/layer.json");
  EXPECT_EQ(ErrorName((*Layer::Open(box_.LayerDirectory(), LayerUse::kRead))->CheckOwners()), "OK");
  const bool root = geteuid() == 0;
  WriteNative(info, root ? "{\"format\": 1, \"native_ids\": false}" : "{\"format\": 1, \"native_ids\": true}");
  EXPECT_EQ(ErrorName((*Layer::Open(box_.LayerDirectory(), LayerUse::kRead))->CheckOwners()), "EPERM");
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
