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

}  // namespace
}  // namespace mirrorfs
