// What the default lists are computed from.
#include "launcher/config/program_facts.h"

#include <filesystem>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/config/scratch.h"

namespace mirrorfs {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

namespace fs = std::filesystem;

TEST(NamesOfTest, LinksAreNamesOfTheirOwn) {
  const Scratch scratch;
  const std::string place = fs::canonical(scratch.Path());
  scratch.Write("real/tool", "");
  fs::create_symlink("real/tool", scratch.Path("hop"));
  fs::create_symlink(scratch.Path("hop"), scratch.Path("first"));
  fs::create_symlink("real", scratch.Path("way"));
  EXPECT_THAT(NamesOf(place + "/first"), ElementsAre(place + "/first", place + "/hop", place + "/real/tool"));
  EXPECT_THAT(NamesOf(place + "/way/tool"), ElementsAre(place + "/way/tool", place + "/real/tool"));
  EXPECT_THAT(NamesOf(place + "/x/../real/./"), ElementsAre(place + "/real"));
  EXPECT_THAT(NamesOf(place + "/no/such"), ElementsAre(place + "/no/such"));
  EXPECT_THAT(NamesOf("/"), ElementsAre("/"));
}

TEST(NamesOfTest, LinksInACircleEnd) {
  const Scratch scratch;
  fs::create_symlink("b", scratch.Path("a"));
  fs::create_symlink("a", scratch.Path("b"));
  EXPECT_GE(NamesOf(scratch.Path("a")).size(), 2u);
}

TEST(ProgramFactsTest, ComeFromEnvironmentAndProgram) {
  const Scratch scratch;
  const std::string place = fs::canonical(scratch.Path());
  const std::string tool = scratch.Write("bin/tool", "");
  const Environment environment = {{"HOME", "/h"}, {"TMPDIR", "/t"}, {"PATH", "/no:" + scratch.Path("bin")}};
  EXPECT_EQ(PathOfProgram("tool", environment, "/"), "");  // not executable
  fs::permissions(tool, fs::perms::owner_all);
  const ProgramFacts facts = FindProgramFacts("tool", environment, place);
  EXPECT_THAT(facts.working_directory, ElementsAre(place));
  EXPECT_THAT(facts.home, ElementsAre("/h"));
  EXPECT_THAT(facts.temporary_directory, ElementsAre("/t"));
  EXPECT_THAT(facts.executable, ::testing::Contains(place + "/bin/tool"));
  EXPECT_EQ(PathOfProgram("./tool", environment, scratch.Path("bin")), tool);
  EXPECT_EQ(PathOfProgram("/x/y", environment, "/"), "/x/y");
}

TEST(ProgramFactsTest, WhatIsNotSaidIsNotThere) {
  const ProgramFacts facts = FindProgramFacts("", {{"HOME", "relative"}, {"TMPDIR", "relative"}}, "");
  EXPECT_THAT(facts.working_directory, IsEmpty());
  EXPECT_THAT(facts.temporary_directory, IsEmpty());
  EXPECT_THAT(facts.executable, IsEmpty());
  EXPECT_FALSE(facts.home.empty());  // of /etc/passwd
}

}  // namespace
}  // namespace mirrorfs
