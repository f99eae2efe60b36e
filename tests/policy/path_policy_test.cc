// Order of the lists, modes, mappings, bad patterns.
#include "protos/policy/path_policy.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace mirrorfs {
namespace {

PolicySpec Spec(FsMode mode, std::vector<PolicyRule> rules) {
  return {.mode = mode, .rules = std::move(rules), .mappings = {}};
}

TEST(PathPolicyTest, TheFirstRuleThatMatchesDecides) {
  const auto policy = PathPolicy::Compile(Spec(FsMode::kRead, {{"not_found", "/secret", "a"},
                                                              {"read_write", R"(\.log$)", "b"},
                                                              {"read_only", "^/app/", "c"},
                                                              {"local", "^/", "d"}}));
  ASSERT_TRUE(policy.ok()) << policy.status();
  EXPECT_EQ(policy->Decide("/app/Secret.log").side, PathSide::kNotFound);
  EXPECT_EQ(policy->Decide("/app/x.LOG").writes, WritesGo::kContainer);
  EXPECT_EQ(policy->Decide("/app/x").writes, WritesGo::kLayer);
  EXPECT_EQ(policy->Decide("/srv/x").side, PathSide::kLocal);
  EXPECT_EQ(policy->Decide("/srv/x").rule->origin, "d");
}

}  // namespace
}  // namespace mirrorfs
