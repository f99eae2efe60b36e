#include "launcher/plan/mount_options.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "launcher/failure.h"

namespace mirrorfs {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<MountOptionList> Parse(std::vector<std::string> words) { return ParseMountOptions(words); }

TEST(MountOptions, NothingSaidIsNothingSet) { EXPECT_EQ(*Parse({}), MountOptionList{}); }

TEST(MountOptions, EveryOptionIsUnderstood) {
  const auto list = Parse({"rw,suid,dev,noexec", "allow_other,default_permissions,nonempty",
                           "idmap=user,symlinks=raw,attr_timeout=5,entry_timeout=250ms"});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(*list, (MountOptionList{.read_write = true,
                                    .suid = true,
                                    .dev = true,
                                    .exec = false,
                                    .allow_other = true,
                                    .default_permissions = true,
                                    .nonempty = true,
                                    .map_ids = true,
                                    .raw_symlinks = true,
                                    .attr_timeout = absl::Seconds(5),
                                    .entry_timeout = absl::Milliseconds(250)}));
}

TEST(MountOptions, TheLastOfContradictingOnesCounts) {
  EXPECT_EQ(Parse({"rw,ro"})->read_write, false);
  EXPECT_EQ(Parse({"ro", "rw"})->read_write, true);
  EXPECT_EQ(Parse({"suid,nosuid"})->suid, false);
  EXPECT_FALSE(Parse({"idmap=user,idmap=none"})->map_ids);
}

TEST(MountOptions, WordsOfFstabAreIgnored) {
  const auto list = Parse({"defaults,nofail,noauto,_netdev,x-systemd.automount,x-gvfs-hide,comment=mine,noatime,,"});
  ASSERT_TRUE(list.ok()) << list.status();
  EXPECT_EQ(*list, MountOptionList{});
}

TEST(MountOptions, WrongOnesAreExplained) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"noexc", "did you mean noexec?"},
      {"alow_other", "did you mean allow_other?"},
      {"atr_timeout=1", "did you mean attr_timeout=?"},
      {"idmp=user", "did you mean idmap=?"},
      {"ro=1", "no such mount option"},
      {"idmap=me", "none or user"},
      {"symlinks=follow", "rebase or raw"},
      {"attr_timeout=soon", "not a length of time"},
      {"entry_timeout=-1", "not negative"},
      {"attr_timeout=inf", "finite"},
      {"idmap", "a value is missing"},
      {"uid=0", "no such mount option"},
  };
  for (const auto& [option, message] : cases) {
    const auto list = Parse({option});
    ASSERT_FALSE(list.ok()) << option;
    EXPECT_EQ(ExitCodeOf(list.status()), ExitCode::kUsage) << option;
    EXPECT_THAT(MessageOf(list.status()), HasSubstr(message)) << option;
  }
}

}  // namespace
}  // namespace mirrorfs
