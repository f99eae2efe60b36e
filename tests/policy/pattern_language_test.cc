// What is said about all paths, against RE2 and against paths that are made up: never a promise that a path breaks.
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "protos/policy/default_lists.h"
#include "protos/policy/match_text.h"
#include "protos/policy/path_language.h"
#include "protos/policy/path_policy.h"
#include "protos/policy/pattern.h"
#include "protos/policy/pattern_automaton.h"
#include "protos/policy/pattern_syntax.h"

namespace mirrorfs {
namespace {

using ::testing::ElementsAre;

class Generator {
 public:
  explicit Generator(unsigned seed) : random_(seed) {}

  size_t Below(size_t limit) { return std::uniform_int_distribution<size_t>(0, limit - 1)(random_); }

  template <typename T, size_t N>
  const T& Any(const T (&choices)[N]) {
    return choices[Below(N)];
  }

  std::string Component() {
    static const std::string words[] = {"usr",      "lib",          "a",    "b",       "app",   "App",          ".git",
                                        "x.js",     "x.so",         "etc",  "tmp",     "a.log", "node_modules", "k",
                                        "\xc5\xbf", "\xe2\x84\xaa", "\xff", "\xc3\xa4"};
    return Below(4) == 0 ? Any(words) + Any(words) : Any(words);
  }

  std::string Path() {
    std::string path;
    for (size_t i = Below(4) + 1; i > 0; --i) path += "/" + Component();
    return Below(20) == 0 ? "/" : path;
  }

  std::string Below(const std::string& directory) { return (directory == "/" ? "" : directory) + Path().substr(0); }

  std::string Piece(int depth) {
    static const std::string pieces[] = {"/",     "a",    "usr",      "app",    "k",   "s",     ".",  "\\.",
                                         "[a-c]", "[^/]", "\\w",      "\\S",    "/a",  "js",    "so", "lib",
                                         "etc/",  "\\d",  "\xc3\xa4", "[^a-z]", "\\W", "[\\w.]"};
    switch (depth > 2 ? 9 : Below(10)) {
      case 0:
        return "(" + Sequence(depth + 1) + "|" + Sequence(depth + 1) + ")";
      case 1:
        return "(?:" + Sequence(depth + 1) + ")" + Any(kQuantifiers);
      case 2:
        return Any(pieces) + Any(kQuantifiers);
      case 3:
        return Below(3) == 0 ? "\\b" : "/";
      case 4:
        return Below(3) == 0 ? "(/|$)" : "[^/]+";
      default:
        return Any(pieces);
    }
  }

  std::string Sequence(int depth) {
    std::string sequence;
    for (size_t i = Below(4) + 1; i > 0; --i) sequence += Piece(depth);
    return sequence;
  }

  std::string Pattern() {
    static const std::string usual[] = {"^/usr(/|$)",   "^/app/",        R"(\.js$)",      R"(.\.so$)",
                                        "^/(usr|app)/", "^/a",           "/node_modules", "^/usr/lib(/|$)",
                                        "^/etc/a$",     R"(.+\.git/.+)", "^/a/b(/|$)",    "^/$"};
    if (Below(3) == 0) return Any(usual);
    std::string pattern = Sequence(0);
    if (Below(2) == 0) pattern.insert(0, Below(2) == 0 ? "^" : "^/");
    if (Below(3) == 0) pattern += "$";
    return pattern;
  }

 private:
  static const std::string kQuantifiers[6];
  std::mt19937 random_;
};

const std::string Generator::kQuantifiers[6] = {"*", "+", "?", "{2}", "{1,2}", "*?"};

bool Reads(const PatternAutomaton& automaton, std::string_view path, Reading reading) {
  const std::string text = MatchText(path);
  std::string_view rest = text;
  PatternAutomaton::States states = automaton.Start(reading);
  while (!rest.empty()) states = automaton.Step(states, TakeCharacter(rest), reading);
  return automaton.MatchedAtEnd(states, reading);
}

TEST(PatternAutomatonTest, IsNeverStricterThanRe2OneWayNorLooserTheOther) {
  Generator generator(1);
  int understood = 0;
  int exact = 0;
  for (int i = 0; i < 3000; ++i) {
    const std::string pattern = NormalizedPattern(generator.Pattern());
    const auto compiled = CompilePattern(pattern);
    if (!compiled.ok()) continue;
    const auto automaton = PatternAutomaton::Of(pattern);
    if (!automaton) continue;
    ++understood;
    for (int j = 0; j < 20; ++j) {
      const std::string path = generator.Path();
      const bool matches = RE2::PartialMatch(MatchText(path), **compiled);
      const bool may = Reads(*automaton, path, Reading::kMay);
      const bool must = Reads(*automaton, path, Reading::kMust);
      ASSERT_TRUE(may || !matches) << pattern << " " << path;
      ASSERT_TRUE(matches || !must) << pattern << " " << path;
      exact += may == must ? 1 : 0;
    }
  }
  EXPECT_GT(understood, 2500);
  EXPECT_GT(exact, understood * 20 * 8 / 10);
}

TEST(PatternLanguageTest, PromisesAboutTreesHold) {
  Generator generator(2);
  int never = 0;
  int all = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string pattern = NormalizedPattern(generator.Pattern());
    const auto compiled = CompilePattern(pattern);
    if (!compiled.ok()) continue;
    const PatternLanguage language(pattern);
    for (int j = 0; j < 5; ++j) {
      const std::string directory = generator.Path();
      const bool may = language.MayMatchBelow(MatchText(directory));
      const bool must = language.MatchesAllBelow(MatchText(directory));
      never += may ? 0 : 1;
      all += must ? 1 : 0;
      for (int k = 0; k < 20; ++k) {
        const std::string path = generator.Below(directory == "/" ? "" : directory);
        if (path == directory || path.ends_with('/')) continue;
        const bool matches = RE2::PartialMatch(MatchText(path), **compiled);
        ASSERT_TRUE(may || !matches) << pattern << " below " << directory << ": " << path;
        ASSERT_TRUE(matches || !must) << pattern << " below " << directory << ": " << path;
        ASSERT_TRUE(language.MayMatchAnything() || !matches) << pattern << " " << path;
      }
    }
  }
  EXPECT_GT(never, 500);  // the promises are made, too
  EXPECT_GT(all, 100);
}

TEST(PatternLanguageTest, WhatIsCoveredHasNoPathOfItsOwn) {
  Generator generator(3);
  int covered = 0;
  for (int i = 0; i < 2000; ++i) {
    const std::string patterns[] = {NormalizedPattern(generator.Pattern()), NormalizedPattern(generator.Pattern()),
                                    NormalizedPattern(generator.Pattern())};
    std::vector<std::unique_ptr<RE2>> compiled;
    for (const std::string& pattern : patterns) {
      if (auto ready = CompilePattern(pattern); ready.ok()) compiled.push_back(*std::move(ready));
    }
    if (compiled.size() != 3) continue;
    const PatternLanguage own(patterns[0]);
    const PatternLanguage first(patterns[1]);
    const PatternLanguage second(patterns[2]);
    const std::vector<const PatternLanguage*> others = {&first, &second};
    if (!own.CoveredBy(others)) continue;
    ++covered;
    for (int j = 0; j < 300; ++j) {
      const std::string path = MatchText(generator.Path());
      const bool others_match = RE2::PartialMatch(path, *compiled[1]) || RE2::PartialMatch(path, *compiled[2]);
      ASSERT_TRUE(others_match || !RE2::PartialMatch(path, *compiled[0]))
          << patterns[0] << " by " << patterns[1] << " and " << patterns[2] << ": " << path;
    }
  }
  EXPECT_GT(covered, 50);
}

TEST(PathPolicyPropertyTest, AnyTextIsRefusedOrWorks) {
  static const std::string characters = R"(\\^$.|?*+()[]{}-,/:=!<>PiA0az)" + std::string("\xff\xc3\xa4\n");
  Generator generator(6);
  int taken = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string pattern;
    for (size_t length = generator.Below(12); length > 0; --length) {
      pattern.push_back(characters[generator.Below(characters.size())]);
    }
    PolicySpec spec{.mode = FsMode::kRead, .rules = {{"local", pattern, "x"}}, .mappings = {}};
    if (generator.Below(3) == 0) spec.mappings.push_back({pattern, "/x", "y"});
    const auto policy = PathPolicy::Compile(spec);
    if (!policy.ok()) continue;
    ++taken;
    const std::string path = generator.Path();
    const PathDecision own = policy->Decide(policy->Map(path));
    if (!policy->MayDifferBelow(path)) {
      const std::string below = generator.Below(path == "/" ? "" : path);
      ASSERT_TRUE(below.ends_with('/') || policy->Decide(policy->Map(below)).SameOutcome(own))
          << pattern << " " << below;
    }
    const auto decoded = DecodePolicySpec(EncodePolicySpec(spec));
    ASSERT_TRUE(decoded.ok()) << pattern;
    ASSERT_TRUE(PathPolicy::Compile(*decoded)->Decide(path).SameOutcome(policy->Decide(path))) << pattern;
  }
  EXPECT_GT(taken, 300);
}

struct RandomPolicy {
  explicit RandomPolicy(Generator& generator) {
    static const std::string lists[] = {"not_found",         "read_write",        "read_only",    "local",
                                        "default not_found", "default read_only", "default local"};
    static const FsMode modes[] = {FsMode::kRead, FsMode::kWrite, FsMode::kLocalWithOverrides, FsMode::kRead};
    spec.mode = generator.Any(modes);
    for (size_t i = generator.Below(5); i > 0; --i) {
      spec.rules.push_back({generator.Any(lists), generator.Pattern(), "somewhere"});
    }
    for (const std::string tree : {"/usr", "/app", "/a", "/etc", "/a/b"}) {
      spec.rules.push_back({"default local", TreePattern(tree), "default"});
    }
    if (generator.Below(3) == 0) spec.mappings.push_back({generator.Pattern(), "/app/mapped", "somewhere"});
  }
  PolicySpec spec;
};

std::string Show(const PolicySpec& spec) { return EncodePolicySpec(spec); }

TEST(PathPolicyPropertyTest, NoPathBelowDiffersWhereNoneMay) {
  Generator generator(4);
  int promises = 0;
  for (int i = 0; i < 1500; ++i) {
    const RandomPolicy random(generator);
    const auto policy = PathPolicy::Compile(random.spec);
    if (!policy.ok()) continue;
    for (int j = 0; j < 6; ++j) {
      const std::string directory = generator.Path();
      if (policy->MayDifferBelow(directory)) continue;
      ++promises;
      const PathDecision own = policy->Decide(policy->Map(directory));
      for (int k = 0; k < 30; ++k) {
        const std::string path = generator.Below(directory == "/" ? "" : directory);
        if (path == "/" || path.ends_with('/')) continue;
        ASSERT_EQ(policy->Map(path), path) << directory << " " << Show(random.spec);
        ASSERT_TRUE(policy->Decide(path).SameOutcome(own)) << directory << " " << path << " " << Show(random.spec);
      }
    }
  }
  EXPECT_GT(promises, 500);
}

TEST(PathPolicyPropertyTest, UniformTreesAreLocalAsAWhole) {
  Generator generator(5);
  int trees = 0;
  for (int i = 0; i < 1500; ++i) {
    const RandomPolicy random(generator);
    const auto policy = PathPolicy::Compile(random.spec);
    if (!policy.ok()) continue;
    for (const std::string& tree : policy->UniformLocalTrees()) {
      ++trees;
      ASSERT_EQ(policy->Decide(policy->Map(tree)).side, PathSide::kLocal);
      for (int k = 0; k < 40; ++k) {
        const std::string path = generator.Below(tree);
        if (path.ends_with('/')) continue;
        ASSERT_EQ(policy->Map(path), path) << Show(random.spec);
        ASSERT_EQ(policy->Decide(path).side, PathSide::kLocal) << path << " " << Show(random.spec);
      }
    }
  }
  EXPECT_GT(trees, 500);
}

PathPolicy DefaultPolicyWith(std::vector<PolicyRule> rules, std::vector<PathMapping> mappings = {}) {
  for (PolicyRule& rule :
       DefaultRules({.working_directory = {"/home/me/project"}, .home = {"/home/me"}}, Credentials::kHidden)) {
    rules.push_back(std::move(rule));
  }
  auto policy =
      PathPolicy::Compile({.mode = FsMode::kRead, .rules = std::move(rules), .mappings = std::move(mappings)});
  EXPECT_TRUE(policy.ok()) << policy.status();
  return *std::move(policy);
}

TEST(UniformLocalTreesTest, OfTheDefaultListsAreAllButEtcAndHome) {
  EXPECT_THAT(DefaultPolicyWith({}).UniformLocalTrees(),
              ElementsAre("/bin", "/dev", "/home/iojs", "/home/me/project", "/home/runner", "/lib", "/lib32", "/lib64",
                          "/nix", "/opt", "/proc", "/run", "/sbin", "/selinux", "/snap", "/sys", "/tmp", "/usr",
                          "/var/db/timezone/zoneinfo", "/var/tmp"));
}

TEST(UniformLocalTreesTest, ARuleThatReachesInTakesATreeOut) {
  using ::testing::Contains;
  using ::testing::IsEmpty;
  using ::testing::Not;
  const auto trees = [](std::string list, std::string pattern) {
    return DefaultPolicyWith({{std::move(list), std::move(pattern), "x"}}).UniformLocalTrees();
  };
  EXPECT_THAT(trees("read_only", "^/(srv|app)/"), Contains("/usr"));
  EXPECT_THAT(trees("read_only", "^/usr/share/app/"), Not(Contains("/usr")));
  EXPECT_THAT(trees("read_only", "^/u"), Not(Contains("/usr")));
  EXPECT_THAT(trees("read_only", "^/U[a-s]r/x"), Not(Contains("/usr")));
  EXPECT_THAT(trees("read_only", R"(\.conf$)"), IsEmpty());
  EXPECT_THAT(trees("read_only", R"(^/\x75sr/)"), IsEmpty());  // not looked into
  EXPECT_THAT(trees("local", R"(\.conf$)"), Contains("/usr"));
  EXPECT_THAT(trees("local", "^/srv/mine/"), Not(Contains("/srv/mine")));  // the directory itself is the container's
  EXPECT_THAT(trees("local", "^/srv/mine(/|$)"), Contains("/srv/mine"));
  EXPECT_THAT(trees("read_write", "^/home/me/project/data/"), Not(Contains("/home/me/project")));
  EXPECT_THAT(DefaultPolicyWith({}, {{"^/usr/x$", "/y", "x"}}).UniformLocalTrees(), Not(Contains("/usr")));
}

TEST(UniformLocalTreesTest, InModeLocalThereIsOnlyTheRoot) {
  const auto policy = PathPolicy::Compile({.mode = FsMode::kLocal, .rules = {{"not_found", "x", "y"}}, .mappings = {}});
  EXPECT_THAT(policy->UniformLocalTrees(), ElementsAre("/"));
  EXPECT_FALSE(policy->MayDifferBelow("/"));
}

TEST(MayDifferBelowTest, SuffixRulesReachEverywhereButWhereARuleTakesAll) {
  const PathPolicy policy = DefaultPolicyWith({{"read_only", "^/app/", "x"}});
  EXPECT_TRUE(policy.MayDifferBelow("/"));
  EXPECT_TRUE(policy.MayDifferBelow("/srv"));  // scripts there are local
  EXPECT_TRUE(policy.MayDifferBelow("/etc"));
  EXPECT_FALSE(policy.MayDifferBelow("/etc/ssl/certs"));
  EXPECT_FALSE(policy.MayDifferBelow("/app"));
  EXPECT_FALSE(policy.MayDifferBelow("/app/x"));
  EXPECT_FALSE(policy.MayDifferBelow("/usr/share"));
  EXPECT_FALSE(policy.MayDifferBelow("/srv/node_modules"));
  EXPECT_FALSE(policy.MayDifferBelow("/home/me/project/src"));
  EXPECT_TRUE(policy.MayDifferBelow("/home/me"));
}

TEST(PatternLanguageTest, WhatIsNotUnderstoodCouldBeAnything) {
  for (const std::string_view pattern :
       {R"(\x61)", R"(^/\Qa\E)", R"(^/\pL)", "^/[[:alpha:]]", "(?s)^/a", R"(^/\n)", "^/(?-i:a)"}) {
    EXPECT_TRUE(CompilePattern(pattern).ok()) << pattern;
    EXPECT_FALSE(ParsePattern(pattern)) << pattern;
    EXPECT_TRUE(PatternLanguage(pattern).MayMatchBelow("/usr"));
    EXPECT_FALSE(PatternLanguage(pattern).MatchesAllBelow("/a"));
  }
}

}  // namespace
}  // namespace mirrorfs
