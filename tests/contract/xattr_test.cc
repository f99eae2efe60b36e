// Extended attributes.
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class XattrContract : public ContractTest {
 protected:
  void SetUp() override {
    ContractTest::SetUp();
    WriteNative("file", "");
    file_ = Node("file");
  }
  std::string Set(std::string_view name, std::string_view value, XattrMode mode = XattrMode::kAny) {
    return Error(fs().SetXattr(call_, file_, name, value, mode));
  }
  std::string Get(std::string_view name) {
    auto value = fs().GetXattr(call_, file_, name);
    return value.ok() ? "=" + *value : Error(value);
  }
  NodeId file_ = NodeId::kInvalid;
};

TEST_F(XattrContract, SetAndGet) {
  EXPECT_EQ(Set("user.name", "value"), "OK");
  EXPECT_EQ(Get("user.name"), "=value");
  char native[16];
  ASSERT_EQ(getxattr(Path("file").c_str(), "user.name", native, sizeof native), 5);
  EXPECT_EQ(std::string(native, 5), "value");
}

TEST_F(XattrContract, ValuesAreBytesAndMayBeEmpty) {
  const std::string bytes("\0\xff\n\0", 4);
  EXPECT_EQ(Set("user.bytes", bytes), "OK");
  EXPECT_EQ(Get("user.bytes"), "=" + bytes);
  EXPECT_EQ(Set("user.empty", ""), "OK");
  EXPECT_EQ(Get("user.empty"), "=");
}

TEST_F(XattrContract, AbsentIsNodata) {
  EXPECT_EQ(Get("user.absent"), "ENODATA");
  EXPECT_EQ(Error(fs().RemoveXattr(call_, file_, "user.absent")), "ENODATA");
}

TEST_F(XattrContract, Modes) {
  EXPECT_EQ(Set("user.a", "1", XattrMode::kReplaceOnly), "ENODATA");
  EXPECT_EQ(Set("user.a", "2", XattrMode::kCreateOnly), "OK");
  EXPECT_EQ(Set("user.a", "3", XattrMode::kCreateOnly), "EEXIST");
  EXPECT_EQ(Get("user.a"), "=2");
  EXPECT_EQ(Set("user.a", "4", XattrMode::kReplaceOnly), "OK");
  EXPECT_EQ(Set("user.a", "5"), "OK");
  EXPECT_EQ(Get("user.a"), "=5");
}

TEST_F(XattrContract, Remove) {
  ASSERT_EQ(Set("user.a", "1"), "OK");
  EXPECT_EQ(Error(fs().RemoveXattr(call_, file_, "user.a")), "OK");
  EXPECT_EQ(Get("user.a"), "ENODATA");
  EXPECT_LT(getxattr(Path("file").c_str(), "user.a", nullptr, 0), 0);
}

TEST_F(XattrContract, List) {
  auto empty = fs().ListXattr(call_, file_);
  ASSERT_EQ(Error(empty), "OK");
  EXPECT_TRUE(empty->empty());
  ASSERT_EQ(Set("user.one", "1"), "OK");
  ASSERT_EQ(Set("trusted.two", "2"), "OK");
  ASSERT_EQ(Set("user.\xff", "3"), "OK");
  auto names = fs().ListXattr(call_, file_);
  ASSERT_EQ(Error(names), "OK");
  std::sort(names->begin(), names->end());
  EXPECT_EQ(*names, (std::vector<std::string>{"trusted.two", "user.one", "user.\xff"}));
}

TEST_F(XattrContract, ManyNames) {
  std::vector<std::string> expected;
  for (int i = 10; i < 70; ++i) {
    expected.push_back("user.attribute-number-" + std::to_string(i));
    ASSERT_EQ(Set(expected.back(), "v"), "OK");
  }
  auto names = fs().ListXattr(call_, file_);
  ASSERT_EQ(Error(names), "OK");
  std::sort(names->begin(), names->end());
  EXPECT_EQ(*names, expected);
}

TEST_F(XattrContract, LargestValueOfTheFileSystem) {
  const std::string value = Pattern(3000);
  ASSERT_EQ(Set("user.large", value), "OK");
  EXPECT_EQ(Get("user.large"), "=" + value);
}

TEST_F(XattrContract, ValuesThatAreTooLarge) {
  EXPECT_TRUE(FailsWithOneOf(fs().SetXattr(call_, file_, "user.x", std::string(65'537, 'v'), XattrMode::kAny),
                             {E2BIG, ENOSPC, EINVAL}));
  EXPECT_EQ(Get("user.x"), "ENODATA");
}

TEST_F(XattrContract, BadNames) {
  EXPECT_EQ(Set("noprefix", "v"), "EOPNOTSUPP");
  EXPECT_EQ(Get("noprefix"), "EOPNOTSUPP");
  EXPECT_EQ(Set("user." + std::string(251, 'n'), "v"), "ERANGE");
  EXPECT_EQ(Set("user." + std::string(250, 'n'), "v"), "OK");
  EXPECT_TRUE(FailsWithOneOf(fs().SetXattr(call_, file_, "", "v", XattrMode::kAny), {ERANGE, EINVAL}));
  EXPECT_TRUE(
      FailsWithOneOf(fs().SetXattr(call_, file_, std::string("user.a\0b", 8), "v", XattrMode::kAny), {EINVAL, ERANGE}));
}

TEST_F(XattrContract, UserAttributesAreForFilesAndDirectories) {
  MakeDirectory("d");
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  ASSERT_EQ(mkfifo(Path("fifo").c_str(), 0600), 0);
  EXPECT_EQ(Error(fs().SetXattr(call_, Node("d"), "user.a", "v", XattrMode::kAny)), "OK");
  EXPECT_EQ(Error(fs().SetXattr(call_, Node("link"), "user.a", "v", XattrMode::kAny)), "EPERM");
  EXPECT_EQ(Error(fs().SetXattr(call_, Node("fifo"), "user.a", "v", XattrMode::kAny)), "EPERM");
  EXPECT_EQ(Get("user.a"), "ENODATA") << "the link was followed";
}

TEST_F(XattrContract, LinksHaveTrustedOnesOfTheirOwn) {
  ASSERT_EQ(symlink("file", Path("link").c_str()), 0);
  ASSERT_EQ(Error(fs().SetXattr(call_, Node("link"), "trusted.a", "link's", XattrMode::kAny)), "OK");
  auto value = fs().GetXattr(call_, Node("link"), "trusted.a");
  ASSERT_EQ(Error(value), "OK");
  EXPECT_EQ(*value, "link's");
  EXPECT_EQ(Get("trusted.a"), "ENODATA");
}

TEST_F(XattrContract, AccessAclSetsThePermissions) {
  const std::string acl(
      "\x02\x00\x00\x00\x01\x00\x06\x00\xff\xff\xff\xff\x02\x00\x06\x00\x4d\x00\x00\x00"
      "\x04\x00\x04\x00\xff\xff\xff\xff\x10\x00\x06\x00\xff\xff\xff\xff\x20\x00\x00\x00\xff\xff\xff\xff",
      44);
  ASSERT_EQ(Set("system.posix_acl_access", acl), "OK");
  EXPECT_EQ(Get("system.posix_acl_access"), "=" + acl);
  EXPECT_EQ(Stat(file_).permissions, 0660u);
  EXPECT_EQ(Error(fs().RemoveXattr(call_, file_, "system.posix_acl_access")), "OK");
  EXPECT_EQ(Get("system.posix_acl_access"), "ENODATA");
}

TEST_F(XattrContract, ChangesShowInTheChangeTime) {
  const FileTime before = Stat(file_).ctime_ns;
  while (Set("user.a", "1") == "OK" && Stat(file_).ctime_ns == before) {
  }
  EXPECT_GT(Stat(file_).ctime_ns, before);
}

}  // namespace
}  // namespace mirrorfs
