// Files that the container has under several names, and that are copied to the private layer.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <utility>

#include "gtest/gtest.h"
#include "tests/view/private_layer.h"

namespace mirrorfs {
namespace {

// Two names of one file, as a container has them. Both are known to the kernel.
class HardLinks : public PrivateLayer {
 protected:
  void SetUp() override {
    PrivateLayer::SetUp();
    ASSERT_EQ(link(box_.Container("/file").c_str(), box_.Container("/d/other").c_str()), 0);
    before_ = TreeText(box_.Container());
    Begin();
  }
  void Begin() {
    box_.Make({});
    ASSERT_TRUE(tree().Find("/file").ok());
    ASSERT_TRUE(tree().Find("/d/other").ok());
  }
  void ExpectBoth(const std::string& path, const std::string& other, const std::string& content) {
    EXPECT_EQ(tree().Read(path), content);
    EXPECT_EQ(tree().Read(other), content);
    box_.Make({});
    EXPECT_EQ(tree().Read(path), content);
    EXPECT_EQ(tree().Read(other), content);
    EXPECT_EQ(tree().Inode(path), tree().Inode(other));
  }
};

TEST_F(HardLinks, ACopyHasAllNamesThatAreKnown) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  ExpectBoth("/file", "/d/other", "content+");
}

TEST_F(HardLinks, ACopyOutlivesTheNameItWasMadeUnder) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Unlink("/file"), "OK");
  ExpectBoth("/d/other", "/d/other", "content+");
  EXPECT_EQ(tree().Read("/file"), "!ENOENT");
  EXPECT_EQ(Changes(), (Texts{"M /d/other", "D /file"}));
}

TEST_F(HardLinks, ACopyOutlivesBeingReplacedUnderOneName) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Rename("/d/file", "/file"), "OK");
  ExpectBoth("/d/other", "/d/other", "content+");
  EXPECT_EQ(tree().Read("/file"), "deep");
}

TEST_F(HardLinks, EitherNameCanBeMoved) {
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Rename("/d/other", "/moved"), "OK");
  ExpectBoth("/file", "/moved", "content+");
  EXPECT_EQ(tree().Rename("/file", "/too"), "OK");
  ExpectBoth("/too", "/moved", "content+");
}

TEST_F(HardLinks, ANameThatIsFoundLaterIsTheCopysToo) {
  box_.Make({});
  const HandleId handle = tree().Open("/file", {.read = true, .write = true});
  EXPECT_EQ(tree().WriteHandle(handle, 7, "+"), "OK");
  EXPECT_EQ(tree().Chmod("/d/other", 0600), "OK");
  tree().Close(handle);
  ExpectBoth("/file", "/d/other", "content+");
  EXPECT_EQ(tree().Stat("/file").substr(0, 5), "1 600");
}

TEST_F(HardLinks, ANameThatIsListedLaterIsTheCopysToo) {
  box_.Make({});
  const HandleId handle = tree().Open("/file", {.read = true, .write = true});
  EXPECT_EQ(tree().WriteHandle(handle, 7, "+"), "OK");
  EXPECT_EQ(tree().List("/d"), "file other sub");
  tree().Close(handle);
  ExpectBoth("/file", "/d/other", "content+");
}

TEST_F(HardLinks, ANameThatTheContainerDoesNotTellOfIsInNobodysWay) {
  bool gone = false;
  box_.Make({.before_container = [&](std::string_view call, std::string_view name) {
    return ErrnoStatus(gone && call == "Lookup" && name == "other" ? ESTALE : 0);
  }});
  const HandleId first = tree().Open("/file", {.read = true});
  const HandleId second = tree().Open("/d/other", {.read = true});
  gone = true;
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  EXPECT_EQ(tree().Read("/file"), "content+");
  EXPECT_EQ(tree().Rename("/file", "/renamed"), "OK");
  EXPECT_EQ(tree().Unlink("/renamed"), "OK");
  tree().Close(first);
  tree().Close(second);
  box_.End();
}

}  // namespace
}  // namespace mirrorfs
