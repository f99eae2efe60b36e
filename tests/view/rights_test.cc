// Rights to what is private, as of an ordinary user: nothing is copied for who may not change it.
#include <sys/stat.h>
#include <unistd.h>

#include "gtest/gtest.h"
#include "protos/layer/layer_changes.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

constexpr uint32_t kUser = 4000;
constexpr uint32_t kGroup = 34;

class PrivateRights : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
    Put("/file", 0, 0, 0644);
    Put("/group", 0, kGroup, 0660);
    Put("/mine", kUser, kUser, 0644);
    PutDirectory("/own", kUser, 0755);
    Put("/own/foreign", 0, 0, 0644);
    PutDirectory("/sticky", 0, 01777);
    Put("/sticky/foreign", 0, 0, 0644);
    Make({kUser, kUser, {}});
  }
  void Put(const std::string& path, uint32_t uid, uint32_t gid, mode_t mode) {
    WriteNative(box_.Container(path), "content");
    Give(path, uid, gid, mode);
  }
  void PutDirectory(const std::string& path, uint32_t uid, mode_t mode) {
    MakeDirectories(box_.Container(path));
    Give(path, uid, uid, mode);
  }
  void Give(const std::string& path, uint32_t uid, uint32_t gid, mode_t mode) {
    ASSERT_EQ(chown(box_.Container(path).c_str(), uid, gid), 0);
    ASSERT_EQ(chmod(box_.Container(path).c_str(), mode), 0);
  }
  void Make(const Caller& who) { box_.Make({.acting_as = who}); }
  TreeClient& tree() { return box_.client(); }
  bool HasChanges() {
    const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kRead);
    return !ListLayerChanges(**layer)->empty();
  }

  ViewBox box_;
};

TEST_F(PrivateRights, WhatMayNotBeChangedIsNotCopied) {
  EXPECT_EQ(tree().Chmod("/file", 0600), "EPERM");
  EXPECT_EQ(tree().Chown("/file", kUser, kUser), "EPERM");
  EXPECT_EQ(tree().SetTime("/file", 12345), "EPERM");
  EXPECT_EQ(tree().Truncate("/file", 1), "EACCES");
  EXPECT_EQ(tree().SetXattr("/file", "user.a", "b"), "EACCES");
  EXPECT_EQ(tree().SetXattr("/mine", "trusted.a", "b"), "EPERM");
  EXPECT_EQ(tree().RemoveXattr("/file", "user.a"), "EACCES");
  EXPECT_EQ(tree().Chown("/mine", 0, kUser), "EPERM");
  EXPECT_EQ(tree().Chown("/mine", kUser, kGroup), "EPERM");
  EXPECT_FALSE(HasChanges());
  EXPECT_EQ(tree().Chmod("/mine", 0600), "OK");
  EXPECT_EQ(tree().SetXattr("/mine", "user.a", "b"), "OK");
}

TEST_F(PrivateRights, GroupsCount) {
  EXPECT_EQ(tree().Append("/group", "+"), "EACCES");
  Make({kUser, kUser, {12, kGroup}});
  EXPECT_EQ(tree().Append("/group", "+"), "OK");
  EXPECT_EQ(tree().Chown("/mine", kUser, kGroup), "OK");
}

TEST_F(PrivateRights, AStickyDirectoryKeepsWhatIsInItAndTakesMore) {
  EXPECT_EQ(tree().Unlink("/sticky/foreign"), "EPERM");
  EXPECT_EQ(tree().Rename("/sticky/foreign", "/own/x"), "EPERM");
  EXPECT_EQ(tree().Rename("/own/foreign", "/sticky/foreign"), "EPERM");
  EXPECT_EQ(tree().Rename("/own/foreign", "/sticky/new"), "OK");
}

// Of a daemon without root, whose layer's files are all its own: owners and permissions are what is recorded.
class RecordedRights : public testing::Test {
 protected:
  void SetUp() override {
    if (geteuid() == 0) GTEST_SKIP() << "root's layers keep owners themselves; run as view.as_user too";
    WriteNative(box_.Container("/file"), "content");
    WriteNative(box_.Container("/open"), "content");
    MakeDirectories(box_.Container("/closed"));
    WriteNative(box_.Container("/closed/file"), "content");
    MakeDirectories(box_.Container("/sticky"));
    WriteNative(box_.Container("/sticky/file"), "content");
    ASSERT_EQ(chmod(box_.Container("/open").c_str(), 0666), 0);
    ASSERT_EQ(chmod(box_.Container("/sticky").c_str(), 01777), 0);
    ASSERT_EQ(chmod(box_.Container().c_str(), 0777), 0);
    box_.Make({.acting_as = Caller{kUser, kUser, {}}});
  }
  TreeClient& tree() { return box_.client(); }
  size_t Changes() {
    const auto layer = Layer::Open(box_.LayerDirectory(), LayerUse::kRead);
    return ListLayerChanges(**layer)->size();
  }

  ViewBox box_;
};

TEST_F(RecordedRights, WhatIsSomebodyElsesIsRefusedAndNotCopied) {
  EXPECT_EQ(tree().Overwrite("/file", 0, "C"), "EACCES");
  EXPECT_EQ(tree().Truncate("/file", 1), "EACCES");
  EXPECT_EQ(tree().Chmod("/file", 0666), "EPERM");
  EXPECT_EQ(tree().Chown("/file", kUser, kUser), "EPERM");
  EXPECT_EQ(tree().SetTime("/file", 1), "EPERM");
  EXPECT_EQ(tree().SetXattr("/file", "user.x", "1"), "EACCES");
  EXPECT_EQ(tree().Create("/closed/new"), "EACCES");
  EXPECT_EQ(tree().Mkdir("/closed/new"), "EACCES");
  EXPECT_EQ(tree().Symlink("/closed/new", "x"), "EACCES");
  EXPECT_EQ(tree().Link("/open", "/closed/new"), "EACCES");
  EXPECT_EQ(tree().Unlink("/closed/file"), "EACCES");
  EXPECT_EQ(tree().Rename("/closed/file", "/mine"), "EACCES");
  EXPECT_EQ(tree().Rename("/open", "/closed/file"), "EACCES");
  EXPECT_EQ(tree().Unlink("/sticky/file"), "EPERM");
  EXPECT_EQ(tree().Rename("/sticky/file", "/mine"), "EPERM");
  EXPECT_EQ(tree().Rename("/closed", "/sticky/mine"), "EACCES") << "its .. would change";
  EXPECT_EQ(Changes(), 0u);
}

TEST_F(RecordedRights, ACopyIsStillWhoseItWas) {
  EXPECT_EQ(tree().Overwrite("/open", 0, "C"), "OK");
  EXPECT_EQ(tree().Chmod("/open", 0600), "EPERM");
  EXPECT_EQ(tree().SetTime("/open", 1), "EPERM");
  EXPECT_EQ(tree().Overwrite("/open", 1, "O"), "OK");
  EXPECT_EQ(tree().Create("/sticky/mine", 0600), "OK");
  EXPECT_EQ(tree().Chmod("/sticky/mine", 0640), "OK");
  EXPECT_EQ(tree().Chown("/sticky/mine", 0, kUser), "EPERM");
  EXPECT_EQ(tree().Unlink("/sticky/file"), "EPERM") << "in a directory that is in the layer now";
  EXPECT_EQ(tree().Unlink("/sticky/mine"), "OK");
  EXPECT_EQ(tree().Read("/open"), "COntent");
}

TEST_F(RecordedRights, WhatWasMadePrivateIsTheMakersAlone) {
  EXPECT_EQ(tree().Write("/secret", "mine"), "OK");
  EXPECT_EQ(tree().Chmod("/secret", 0600), "OK");
  EXPECT_EQ(tree().Mkdir("/own", 0700), "OK");
  EXPECT_EQ(tree().Create("/own/file"), "OK");
  box_.Make({.acting_as = Caller{kUser + 1, kUser + 1, {}}});
  EXPECT_EQ(tree().Read("/secret"), "!EACCES");
  EXPECT_EQ(tree().Overwrite("/secret", 0, "M"), "EACCES");
  EXPECT_EQ(tree().List("/own"), "!EACCES");
  EXPECT_EQ(tree().Stat("/own/file"), "EACCES");
  EXPECT_EQ(tree().Create("/own/other"), "EACCES");
  EXPECT_EQ(tree().Rmdir("/own"), "ENOTEMPTY");
  box_.Make({.acting_as = Caller{kUser, kUser, {}}});
  EXPECT_EQ(tree().Read("/secret"), "mine");
  EXPECT_EQ(tree().List("/own"), "file");
}

}  // namespace
}  // namespace mirrorfs
