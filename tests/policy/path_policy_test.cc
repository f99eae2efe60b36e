// Lists, modes, mappings, bad patterns, the policy as text.
#include "protos/policy/path_policy.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/policy/match_text.h"

namespace mirrorfs {
namespace {

using ::testing::HasSubstr;

PolicySpec Spec(FsMode mode, std::vector<PolicyRule> rules, std::vector<PathMapping> mappings = {}) {
  return {.mode = mode, .rules = std::move(rules), .mappings = std::move(mappings)};
}

PathPolicy Compiled(PolicySpec spec) {
  auto policy = PathPolicy::Compile(std::move(spec));
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *std::move(policy);
}

std::string ErrorOf(PolicySpec spec) {
  const auto policy = PathPolicy::Compile(std::move(spec));
  return policy.ok() ? "no error" : std::string(policy.status().message());
}

std::string Outcome(const PathPolicy& policy, std::string_view path) {
  const PathDecision decision = policy.Decide(path);
  return std::string(NameOf(decision.side)) + "/" + std::string(NameOf(decision.writes));
}

TEST(PathPolicyTest, TheFirstRuleThatMatchesDecides) {
  const PathPolicy policy = Compiled(Spec(FsMode::kRead, {{"not_found", "/secret", "a"},
                                                          {"read_write", R"(\.log$)", "b"},
                                                          {"read_only", "^/app/", "c"},
                                                          {"local", "^/", "d"}}));
  EXPECT_EQ(policy.Decide("/app/Secret.log").side, PathSide::kNotFound);
  EXPECT_EQ(policy.Decide("/app/x.LOG").writes, WritesGo::kContainer);
  EXPECT_EQ(policy.Decide("/app/x").writes, WritesGo::kLayer);
  EXPECT_EQ(policy.Decide("/srv/x").side, PathSide::kLocal);
  EXPECT_EQ(policy.Decide("/srv/x").rule->origin, "d");
}

struct ModeCase {
  FsMode mode;
  std::string_view list;  // "": no list decides
  std::string_view outcome;
};

class ModesAndLists : public ::testing::TestWithParam<ModeCase> {};

TEST_P(ModesAndLists, Outcome) {
  const ModeCase& expected = GetParam();
  std::vector<PolicyRule> rules;
  if (!expected.list.empty()) rules.push_back({std::string(expected.list), "^/x$", "here"});
  const PathPolicy policy = Compiled(Spec(expected.mode, rules));
  EXPECT_EQ(Outcome(policy, "/x"), expected.outcome);
  const bool by_rule = !expected.list.empty() && expected.mode != FsMode::kLocal;
  EXPECT_EQ(policy.Decide("/x").rule != nullptr, by_rule);
}

constexpr std::string_view kContainerRw = "container/container";
constexpr std::string_view kLayer = "container/layer";
constexpr std::string_view kHere = "local/local";
constexpr std::string_view kNobody = "not_found/nowhere";

INSTANTIATE_TEST_SUITE_P(
    Every, ModesAndLists,
    ::testing::Values(
        ModeCase{FsMode::kRead, "", kLayer}, ModeCase{FsMode::kRead, "not_found", kNobody},
        ModeCase{FsMode::kRead, "read_write", kContainerRw}, ModeCase{FsMode::kRead, "read_only", kLayer},
        ModeCase{FsMode::kRead, "local", kHere}, ModeCase{FsMode::kRead, "volume", kLayer},
        ModeCase{FsMode::kRead, "default not_found", kNobody}, ModeCase{FsMode::kRead, "default read_only", kLayer},
        ModeCase{FsMode::kRead, "default local", kHere},  //
        ModeCase{FsMode::kWrite, "", kContainerRw}, ModeCase{FsMode::kWrite, "not_found", kNobody},
        ModeCase{FsMode::kWrite, "read_write", kContainerRw}, ModeCase{FsMode::kWrite, "read_only", kLayer},
        ModeCase{FsMode::kWrite, "local", kHere}, ModeCase{FsMode::kWrite, "volume", kLayer},
        ModeCase{FsMode::kWrite, "default not_found", kNobody}, ModeCase{FsMode::kWrite, "default read_only", kLayer},
        ModeCase{FsMode::kWrite, "default local", kHere},  //
        ModeCase{FsMode::kLocalWithOverrides, "", kHere}, ModeCase{FsMode::kLocalWithOverrides, "not_found", kNobody},
        ModeCase{FsMode::kLocalWithOverrides, "read_write", kContainerRw},
        ModeCase{FsMode::kLocalWithOverrides, "read_only", kLayer},
        ModeCase{FsMode::kLocalWithOverrides, "local", kHere}, ModeCase{FsMode::kLocalWithOverrides, "volume", kLayer},
        ModeCase{FsMode::kLocalWithOverrides, "default not_found", kNobody},
        ModeCase{FsMode::kLocalWithOverrides, "default read_only", kLayer},
        ModeCase{FsMode::kLocalWithOverrides, "default local", kHere},  //
        ModeCase{FsMode::kLocal, "", kHere}, ModeCase{FsMode::kLocal, "not_found", kHere},
        ModeCase{FsMode::kLocal, "read_write", kHere}, ModeCase{FsMode::kLocal, "read_only", kHere},
        ModeCase{FsMode::kLocal, "local", kHere}, ModeCase{FsMode::kLocal, "volume", kHere},
        ModeCase{FsMode::kLocal, "default not_found", kHere}, ModeCase{FsMode::kLocal, "default read_only", kHere},
        ModeCase{FsMode::kLocal, "default local", kHere}));

TEST(PathPolicyTest, PatternsAreFoundAnywhereInUpperAndLowerCase) {
  const PathPolicy policy = Compiled(Spec(FsMode::kRead, {{"local", "Config", "x"}, {"local", "ÄRGER", "y"}}));
  EXPECT_EQ(Outcome(policy, "/srv/myconfigs/a"), kHere);
  EXPECT_EQ(Outcome(policy, "/srv/CONFIG"), kHere);
  EXPECT_EQ(Outcome(policy, "/srv/ärger"), kHere);
  EXPECT_EQ(Outcome(policy, "/srv/konfig"), kLayer);
}

TEST(PathPolicyTest, BytesThatAreNoCharactersAndLineEndsAreCharactersToPatterns) {
  const PathPolicy policy =
      Compiled(Spec(FsMode::kRead, {{"local", R"(^/s/.\.js$)", "x"}, {"local", "^/s/\xff$", "y"}}));
  EXPECT_EQ(Outcome(policy, "/s/\xff.js"), kHere);
  EXPECT_EQ(Outcome(policy, "/s/\n.js"), kHere);
  EXPECT_EQ(Outcome(policy, "/s/\xc3\xa4.js"), kHere);
  EXPECT_EQ(Outcome(policy, "/s/\xff\xff.js"), kLayer);
  EXPECT_EQ(Outcome(policy, "/s/\xff"), kHere);
  EXPECT_EQ(Outcome(policy, "/s/\xfe"), kLayer);
  EXPECT_EQ(Outcome(policy, "/s/a.js\n"), kLayer);  // $ is the end, not the last line's
}

TEST(MatchTextTest, NothingIsLost) {
  for (const std::string bytes :
       {"/plain", "/\xc3\xa4", "/\xff\xc3", "/\xed\xa0\x80", "/\xf4\x8f\xbf\xbf", "/\xc0\xaf"}) {
    EXPECT_EQ(BytesOfMatchText(MatchText(bytes)), bytes);
    EXPECT_EQ(IsMatchText(bytes), MatchText(bytes) == bytes);
    EXPECT_EQ(PatternText(QuotePattern(bytes)), QuotePattern(bytes));
    const PathPolicy policy = Compiled(Spec(FsMode::kRead, {{"default local", "^" + QuotePattern(bytes) + "$", "x"}}));
    EXPECT_EQ(Outcome(policy, bytes), kHere);
  }
}

TEST(MappingTest, TheFirstThatMatchesWins) {
  const PathPolicy policy =
      Compiled(Spec(FsMode::kRead, {},
                    {{"^/home/(?<user>[^/]+)/dev/config/(?P<app>[^/]+)", "/mnt/${user}-$app", "a"},
                     {"^/srv/(\\w+)/(\\w+)$", "/$2/$1", "b"},
                     {"^/srv/", "/data/", "c"},
                     {"/old", "/new$$", "d"},
                     {"^/up/", "/../x/./y//", "e"},
                     {"^/all$", "/", "f"}}));
  EXPECT_EQ(policy.Map("/home/jo/dev/config/api/app.conf"), "/mnt/jo-api/app.conf");
  EXPECT_EQ(policy.Map("/SRV/a/b"), "/b/a");
  EXPECT_EQ(policy.Map("/srv/a/b/c"), "/data/a/b/c");
  EXPECT_EQ(policy.Map("/x/old/old"), "/x/new$/old");
  EXPECT_EQ(policy.Map("/up/a"), "/x/y/a");
  EXPECT_EQ(policy.Map("/all"), "/");
  EXPECT_EQ(policy.Map("/other"), "/other");
  EXPECT_EQ(policy.Map("/srv/\xff/x"), "/data/\xff/x");
  EXPECT_EQ(policy.MappingOf("/srv/a/b/c")->origin, "c");
  EXPECT_EQ(policy.MappingOf("/other"), nullptr);
}

TEST(MappingTest, DoesNotApplyInModeLocal) {
  const PathPolicy policy = Compiled(Spec(FsMode::kLocal, {}, {{"^/a", "/b", "x"}}));
  EXPECT_EQ(policy.Map("/a"), "/a");
  EXPECT_EQ(policy.MappingOf("/a"), nullptr);
}

struct BadCase {
  PolicySpec spec;
  std::string_view says;
};

TEST(PathPolicyTest, BadPatternsNameTheirPlaceAndWhatIsWrong) {
  const auto rule = [](std::string list, std::string pattern) {
    return Spec(FsMode::kRead, {{std::move(list), std::move(pattern), "FILE:7"}});
  };
  const auto mapping = [](std::string match, std::string replace) {
    return Spec(FsMode::kRead, {}, {{std::move(match), std::move(replace), "FILE:7"}});
  };
  const BadCase cases[] = {
      {rule("local", "(a"), "missing )"},
      {rule("local", "*.js"), "write .* for any characters"},
      {rule("local", "a(?!b)"), "no look-ahead"},
      {rule("read_only", "^app/"), "paths are absolute"},
      {rule("read_only", R"(^\./app)"), "paths are absolute"},
      {rule("read_only", "^/app/$"), "do not end with '/'"},
      {rule("read_only", "/app//x"), "two slashes"},
      {rule("read_only", R"(/\.\./)"), "can never match"},
      {rule("read_only", "a^b"), "can never match"},
      {rule("sometimes", "x"), "no list 'sometimes'"},
      {mapping("^app", "/x"), "can never match"},
      {mapping("(a", "/x"), "missing )"},
      {mapping("/a", "/$1"), "no group '1'"},
      {mapping("/(a)", "/$1b"), "write ${1}b"},
      {mapping("/(a)", "/${name}"), "no group 'name'"},
      {mapping("/(a)", "/${1"), "without '}'"},
      {mapping("^/(a)", "b/$1"), "would not be absolute"},
  };
  for (const BadCase& bad : cases) {
    const std::string error = ErrorOf(bad.spec);
    EXPECT_THAT(error, HasSubstr(bad.says));
    EXPECT_THAT(error, HasSubstr("FILE:7"));
  }
}

TEST(PathPolicyTest, ARuleToWhichEarlierListsLeaveNothingIsAnError) {
  const auto error = [](std::vector<PolicyRule> rules) { return ErrorOf(Spec(FsMode::kRead, std::move(rules))); };
  EXPECT_THAT(error({{"read_only", "^/app/", "A:1"}, {"local", "^/app/cache/", "B:2"}}),
              HasSubstr("B:2: fs.local: the pattern '^/app/cache/' can never match: fs.read_only '^/app/' (A:1)"));
  EXPECT_THAT(error({{"not_found", R"(\.js$)", "A:1"}, {"local", R"(^/x/.*\.JS$)", "B:2"}}),
              HasSubstr("can never match"));
  EXPECT_THAT(error({{"not_found", "^/(a|b)/", "A:1"}, {"read_only", "^/c/", "A:2"}, {"local", "^/[abc]/.", "B:2"}}),
              HasSubstr("the lists that come first"));
  EXPECT_EQ(error({{"read_only", "^/app/", "A:1"}, {"local", "^/app", "B:2"}}), "no error");
  EXPECT_EQ(error({{"read_only", "^/app/", "A:1"}, {"read_only", "^/app/x", "A:2"}}), "no error");
  EXPECT_EQ(error({{"read_only", "^/app/", "A:1"}, {"default local", "^/app/x", "default"}}), "no error");
  EXPECT_EQ(error({{"not_found", R"(\bx\b)", "A:1"}, {"local", R"(^/a/\bx\b)", "B:2"}}),
            "no error");  // not looked into
}

TEST(PolicySpecTest, ComesBackFromText) {
  const PolicySpec spec = Spec(FsMode::kLocalWithOverrides, {{"local", R"(^/ä"\\$)", "a file:1"}, {"volume", "x", "y"}},
                               {{"^/(a)", "/$1", "z"}});
  const auto decoded = DecodePolicySpec(EncodePolicySpec(spec));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  EXPECT_EQ(*decoded, spec);
}

TEST(PolicySpecTest, MeansTheSameAfterwardsWhateverTheBytes) {
  const auto decoded =
      DecodePolicySpec(EncodePolicySpec(Spec(FsMode::kRead, {{"local", "^/\xff/", "x"}}, {{"/\xfe", "/\xfd", "y"}})));
  ASSERT_TRUE(decoded.ok()) << decoded.status();
  const PathPolicy policy = Compiled(*decoded);
  EXPECT_EQ(Outcome(policy, "/\xff/a"), kHere);
  EXPECT_EQ(policy.Map("/\xfe"), "/\xfd");
}

TEST(PolicySpecTest, BadTextIsRefused) {
  for (const std::string_view text :
       {"", "[]", "{}", "{\"mode\":1}", R"({"mode":"x"})", R"({"mode":"read","rules":{}})",
        R"({"mode":"read","more":1})", R"({"mode":"read","rules":[{"list":"local","pattern":"x"}]})",
        R"({"mode":"read","rules":[7]})", R"({"mode":"read","mappings":[{"match":1,"replace":"","origin":""}]})"}) {
    const auto decoded = DecodePolicySpec(text);
    EXPECT_FALSE(decoded.ok()) << text;
  }
}

}  // namespace
}  // namespace mirrorfs
