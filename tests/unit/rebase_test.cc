#include "fusefs/core/rebase.h"

#include <gtest/gtest.h>

namespace mirrorfs {
namespace {

TEST(RebaseLink, AbsoluteTargetsClimbToTheRootOfTheMount) {
  EXPECT_EQ(RebaseLink("/etc/passwd", 0), "etc/passwd");
  EXPECT_EQ(RebaseLink("/etc/passwd", 1), "../etc/passwd");
  EXPECT_EQ(RebaseLink("/usr/bin/vim.basic", 2), "../../usr/bin/vim.basic");
  EXPECT_EQ(RebaseLink("/", 0), ".");
  EXPECT_EQ(RebaseLink("/", 3), "../../..");
  EXPECT_EQ(RebaseLink("//etc///x", 1), "../etc/x");
}

TEST(RebaseLink, RelativeTargetsThatStayInsideAreLeftAlone) {
  EXPECT_EQ(RebaseLink("x", 0), "x");
  EXPECT_EQ(RebaseLink("../x", 1), "../x");
  EXPECT_EQ(RebaseLink("./a//b/../c", 0), "./a//b/../c");
  EXPECT_EQ(RebaseLink("", 5), "");
}

TEST(RebaseLink, NothingClimbsAboveTheRoot) {
  EXPECT_EQ(RebaseLink("../x", 0), "x");
  EXPECT_EQ(RebaseLink("../../../etc/passwd", 1), "../etc/passwd");
  EXPECT_EQ(RebaseLink("a/../../x", 0), "x");
  EXPECT_EQ(RebaseLink("a/../../../x", 1), "../x");
  EXPECT_EQ(RebaseLink("/../../etc/shadow", 2), "../../etc/shadow");
  EXPECT_EQ(RebaseLink("/a/../../b", 1), "../b");
  EXPECT_EQ(RebaseLink("..", 0), ".");
}

TEST(RebaseLink, ATrailingSlashIsKept) {
  EXPECT_EQ(RebaseLink("/var/log/", 1), "../var/log/");
  EXPECT_EQ(RebaseLink("../../d/", 1), "../d/");
}

}  // namespace
}  // namespace mirrorfs
