// The sum that cksum(1) gives.
#include "launcher/tunnel/cksum.h"

#include <string>

#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

// As coreutils 9.1 prints them.
TEST(Cksum, IsThatOfPosix) {
  EXPECT_EQ(Cksum(""), 4294967295U);
  EXPECT_EQ(Cksum("123456789"), 930766865U);
  EXPECT_EQ(Cksum(std::string(100'000, 'x')), 1627735810U);
}

}  // namespace
}  // namespace mirrorfs
