// Applying a layer: the container becomes what the view showed, what changed meanwhile is refused, it can be repeated.
#include "fusefs/view/layer_apply.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <map>

#include "fusefs/view/container_tree.h"
#include "gtest/gtest.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

class Apply : public testing::Test {
 protected:
  void SetUp() override {
    WriteNative(box_.Container("/file"), "content");
    WriteNative(box_.Container("/other"), "other");
    MakeDirectories(box_.Container("/d/sub"));
    WriteNative(box_.Container("/d/file"), "deep");
    WriteNative(box_.Container("/d/sub/x"), "x");
    box_.Make({});
  }
  TreeClient& tree() { return box_.client(); }

  // Results by path: "applied", "already", or the message.
  std::map<std::string, std::string> Run(const ApplyOptions& options = {}, WatchedFiles::Before before = nullptr) {
    box_.End();
    std::map<std::string, std::string> results;
    auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kChange);
    const auto container = ViewBox::MakeFiles(box_.Container(), true);
    if (!before) before = [](std::string_view, std::string_view) { return absl::OkStatus(); };
    WatchedFiles watched(*container, std::move(before));
    const absl::Status status = ApplyLayer(watched, **layer, options, [&](const AppliedChange& change) {
      const bool well = change.result == ApplyResult::kApplied || change.result == ApplyResult::kAlready;
      results[change.path] = change.result == ApplyResult::kApplied ? "applied" : well ? "already" : change.message;
    });
    EXPECT_TRUE(status.ok());
    left_ = !(*layer)->IsEmpty();
    return results;
  }

  ViewBox box_;
  bool left_ = false;
};

using Results = std::map<std::string, std::string>;

TEST_F(Apply, EveryKindOfChange) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Write("/d/new", "new"), "OK");
  EXPECT_EQ(tree().Chmod("/d/new", 0640), "OK");
  EXPECT_EQ(tree().Unlink("/d/file"), "OK");
  EXPECT_EQ(tree().Rename("/d/sub", "/moved"), "OK");
  EXPECT_EQ(tree().Append("/moved/x", "+"), "OK");
  EXPECT_EQ(tree().Rename("/other", "/renamed"), "OK");
  EXPECT_EQ(tree().Symlink("/link", "file"), "OK");
  EXPECT_EQ(tree().Chmod("/d", 0700), "OK");
  const auto shown = tree().Snapshot();
  for (const auto& [path, result] : Run()) EXPECT_EQ(result, "applied") << path;
  EXPECT_FALSE(left_);
  const auto container = ViewBox::MakeFiles(box_.Container(), true);
  EXPECT_EQ(TreeClient(*container).Snapshot(), shown);
  EXPECT_EQ(Run(), Results{}) << "nothing is left to do";
}

TEST_F(Apply, WhatHasChangedInTheContainerIsRefusedAndKept) {
  EXPECT_EQ(tree().Append("/file", "+mine"), "OK");
  EXPECT_EQ(tree().Append("/d/file", "+"), "OK");
  EXPECT_EQ(tree().Unlink("/other"), "OK");
  EXPECT_EQ(tree().Write("/new", "mine"), "OK");
  WriteNative(box_.Container("/file"), "theirs, changed");
  WriteNative(box_.Container("/other"), "theirs, too");
  WriteNative(box_.Container("/new"), "theirs");
  const Results results = Run();
  EXPECT_EQ(results.at("/file"), "it has changed in the container");
  EXPECT_EQ(results.at("/other"), "it has changed in the container");
  EXPECT_EQ(results.at("/new"), "there is one in the container now");
  EXPECT_EQ(results.at("/d/file"), "applied");
  EXPECT_TRUE(left_);
  EXPECT_EQ(ReadNative(box_.Container("/file")), "theirs, changed");
  EXPECT_EQ(ReadNative(box_.Container("/other")), "theirs, too");
  box_.Make({});
  EXPECT_EQ(tree().Read("/file"), "content+mine") << "it is kept";
  for (const auto& [path, result] : Run({.force = true, .paths = {}})) EXPECT_EQ(result, "applied") << path;
  EXPECT_EQ(ReadNative(box_.Container("/file")), "content+mine");
  EXPECT_EQ(ReadNative(box_.Container("/new")), "mine");
  EXPECT_FALSE(std::filesystem::exists(box_.Container("/other")));
  EXPECT_FALSE(left_);
}

TEST_F(Apply, OnlySomePaths) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Append("/d/file", "+"), "OK");
  EXPECT_EQ(Run({.force = false, .paths = {"/d/"}}), (Results{{"/d/file", "applied"}}));
  EXPECT_EQ(ReadNative(box_.Container("/file")), "content");
  EXPECT_EQ(ReadNative(box_.Container("/d/file")), "deep+");
  EXPECT_EQ(Run({.force = false, .paths = {"/fil"}}), Results{});
  EXPECT_EQ(Run(), (Results{{"/file", "applied"}}));
}

TEST_F(Apply, AFileIsReplacedInOneStepAndKeepsWhatItIs) {
  const uid_t uid = geteuid() == 0 ? 12 : geteuid();
  const gid_t gid = geteuid() == 0 ? 34 : getegid();
  ASSERT_EQ(chown(box_.Container("/file").c_str(), uid, gid), 0);
  ASSERT_EQ(chmod(box_.Container("/file").c_str(), 0604), 0);
  box_.Make({});
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().SetTime("/file", 1'000'000), "OK");
  EXPECT_EQ(Run(), (Results{{"/file", "applied"}}));
  struct stat is = {};
  ASSERT_EQ(stat(box_.Container("/file").c_str(), &is), 0);
  EXPECT_EQ(is.st_uid, uid);
  EXPECT_EQ(is.st_gid, gid);
  EXPECT_EQ(is.st_mode & 07777u, 0604u);
  EXPECT_EQ(is.st_mtim.tv_sec, 1'000'000);
  const auto container = ViewBox::MakeFiles(box_.Container(), false);
  EXPECT_EQ(TreeClient(*container).List("/"), "d file other") << "nothing temporary is left";
}

TEST_F(Apply, DirectoriesThatChangedPlaces) {
  MakeDirectories(box_.Container("/e"));
  WriteNative(box_.Container("/e/y"), "y");
  box_.Make({});
  EXPECT_EQ(tree().Rename("/d", "/e", RenameMode::kExchange), "OK");
  EXPECT_EQ(tree().Rename("/e/sub", "/d/sub"), "OK");
  const auto shown = tree().Snapshot();
  for (const auto& [path, result] : Run()) EXPECT_EQ(result, "applied") << path;
  const auto container = ViewBox::MakeFiles(box_.Container(), true);
  EXPECT_EQ(TreeClient(*container).Snapshot(), shown);
}

TEST_F(Apply, AnInterruptedOneIsDoneAgain) {
  EXPECT_EQ(tree().Write("/file", "mine"), "OK");
  EXPECT_EQ(tree().Unlink("/other"), "OK");
  // As a killed one leaves it: done in the container, and still in the layer.
  WriteNative(box_.Container("/file"), "mine");
  unlink(box_.Container("/other").c_str());
  EXPECT_EQ(Run(), (Results{{"/file", "already"}, {"/other", "already"}}));
  EXPECT_FALSE(left_);
}

TEST_F(Apply, ADirectoryThatWasMovedHalfwayIsMovedOn) {
  EXPECT_EQ(tree().Rename("/d", "/e"), "OK");
  EXPECT_EQ(tree().Append("/e/file", "+"), "OK");
  const auto shown = tree().Snapshot();
  int renames = 0;
  const Results failed = Run({}, [&](std::string_view call, std::string_view) {
    return ErrnoStatus(call == "Rename" && ++renames == 2 ? EIO : 0);
  });
  EXPECT_EQ(failed.at("/e"), strerror(EIO));
  EXPECT_EQ(failed.at("/e/file"), "/e was not applied");
  EXPECT_FALSE(std::filesystem::exists(box_.Container("/d"))) << "it has stepped aside";
  {
    // As a kill leaves it that comes before the layer knows.
    const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kChange);
    const auto directory = (*layer)->OpenPath("e");
    auto record = (*layer)->ReadRecord(directory->get());
    EXPECT_TRUE(record->from->starts_with("/.mirrorfs-apply-"));
    record->from = "/d";
    EXPECT_TRUE((*layer)->WriteRecord(directory->get(), *record).ok());
  }
  for (const auto& [path, result] : Run()) {
    EXPECT_EQ(result, path == "/d" ? "already" : "applied") << path;
  }
  EXPECT_FALSE(left_);
  const auto container = ViewBox::MakeFiles(box_.Container(), true);
  EXPECT_EQ(TreeClient(*container).Snapshot(), shown);
}

TEST_F(Apply, WhatCannotBeReadIsNoHole) {
  box_.End();
  const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kRead);
  const auto container = ViewBox::MakeFiles(box_.Container(), true);
  // No file that says where its data is.
  const UniqueFd unreadable(open("/proc/self/status", O_PATH | O_CLOEXEC));
  LayerChange change;
  change.type = FileType::kRegular;
  change.permissions = 0644;
  change.uid = geteuid();
  change.gid = getegid();
  change.size = 10;
  EXPECT_EQ(ErrorName(ContainerTree(*container).Put("/file", change, unreadable.get(), **layer)), "EINVAL");
  EXPECT_EQ(ReadNative(box_.Container("/file")), "content");
  EXPECT_EQ(TreeClient(*container).List("/"), "d file other") << "nothing temporary is left";
}

// A directory of a lower layer of the container's overlay.
absl::Status CannotBeRenamed(std::string_view call, std::string_view name) {
  return ErrnoStatus(call == "Rename" && name == "d" ? EXDEV : 0);
}

TEST_F(Apply, NothingIsRemovedThatWasNotCopiedWhole) {
  ASSERT_EQ(setxattr(box_.Container("/d/file").c_str(), "user.kept", "yes", 3, 0), 0);
  EXPECT_EQ(tree().Rename("/d", "/e"), "OK");
  const Results failed = Run({}, [](std::string_view call, std::string_view name) {
    if (call == "SetXattr" && name == "user.kept") return ErrnoStatus(ENOSPC);
    return CannotBeRenamed(call, name);
  });
  EXPECT_EQ(failed.at("/e"), strerror(ENOSPC));
  EXPECT_EQ(ReadNative(box_.Container("/d/file")), "deep");
  EXPECT_EQ(Run({}, CannotBeRenamed).at("/e"), "applied");
  const auto container = ViewBox::MakeFiles(box_.Container(), true);
  TreeClient client(*container);
  EXPECT_EQ(client.List("/"), "e file other");
  EXPECT_EQ(client.Read("/e/sub/x"), "x");
  EXPECT_EQ(client.GetXattr("/e/file", "user.kept"), "yes");
}

}  // namespace
}  // namespace mirrorfs
