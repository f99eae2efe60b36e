// Directories whose names belong to several sides: what is listed, found, hidden, mapped, and what may not be moved.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "gtest/gtest.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

class Split : public testing::Test {
 protected:
  void Container(const std::string& path, const std::string& content = "container") {
    Put(box_.Container(path), content);
  }
  void Local(const std::string& path, const std::string& content = "local") { Put(box_.Local(path), content); }
  static void Put(const std::string& path, const std::string& content) {
    MakeDirectories(path.substr(0, path.rfind('/')));
    WriteNative(path, content);
  }
  void Make(std::vector<PolicyRule> rules, std::vector<PathMapping> mappings = {}, FsMode mode = FsMode::kRead) {
    box_.Make({.mode = mode, .rules = std::move(rules), .mappings = std::move(mappings)});
  }
  TreeClient& tree() { return box_.client(); }

  ViewBox box_;
};

TEST_F(Split, ADirectoryListsTheUnionEachNameOnce) {
  Container("/app/a.txt");
  Container("/app/both.js");
  Container("/app/hidden.js");  // decided local, and not there
  Local("/app/both.js");
  Local("/app/b.js");
  Local("/app/c.txt");  // decided the container's, and not there
  Make({{"local", R"(\.js$)", "test"}});
  EXPECT_EQ(tree().List("/app"), "a.txt b.js both.js");
  EXPECT_EQ(tree().Read("/app/a.txt"), "container");
  EXPECT_EQ(tree().Read("/app/both.js"), "local");
  EXPECT_EQ(tree().Read("/app/hidden.js"), "!ENOENT");
  EXPECT_EQ(tree().Read("/app/c.txt"), "!ENOENT");
}

TEST_F(Split, RulesAreCaseInsensitive) {
  Container("/app/README.JS");
  Local("/app/README.JS");
  Make({{"local", R"(\.js$)", "test"}});
  EXPECT_EQ(tree().Read("/app/README.JS"), "local");
}

TEST_F(Split, DirectoriesOnTheWayExist) {
  Local("/projects/shop/src/main.c");
  Local("/elsewhere/file");
  Container("/etc/ssl/certs/ca.pem");
  Make({{"local", "^/projects/shop(/|$)", "test"},
        {"read_only", "^/etc/ssl/certs(/|$)", "test"},
        {"local", "^/etc(/|$)", "test"}});
  EXPECT_EQ(tree().List("/"), "etc projects");
  EXPECT_EQ(tree().List("/projects"), "shop");
  EXPECT_EQ(tree().Read("/projects/shop/src/main.c"), "local");
  EXPECT_EQ(tree().List("/etc"), "ssl");
  EXPECT_EQ(tree().Read("/etc/ssl/certs/ca.pem"), "container");
  EXPECT_EQ(tree().Stat("/elsewhere"), "ENOENT") << "it leads to nothing that is taken from there";
}

TEST_F(Split, ADirectoryThatLeadsNowhereIsNotThere) {
  Local("/srv/lib/deep/x.txt");
  Local("/opt/lib/deep/x.py");
  Container("/srv/real");
  Make({{"local", R"(\.py$)", "test"}});
  EXPECT_EQ(tree().List("/srv"), "real");
  EXPECT_EQ(tree().Stat("/srv/lib"), "ENOENT");
  EXPECT_EQ(tree().Mkdir("/srv/lib"), "OK");
  EXPECT_EQ(tree().List("/opt/lib/deep"), "x.py");
}

TEST_F(Split, OnlyRulesThatTakeFromThereMakeADirectoryLeadThere) {
  for (int i = 0; i < 5000; ++i) Local("/big/" + std::to_string(i), "");
  Container("/app/x");
  Make({{"read_write", R"(\.log$)", "test"}, {"local", "^/etc(/|$)", "test"}});
  EXPECT_EQ(tree().List("/"), "app") << "too many names to look at, and no need to";
}

TEST_F(Split, HiddenPathsAreNowhere) {
  Container("/home/me/.aws/credentials");
  Container("/home/me/file");
  Make({{"not_found", R"(^/home/me/\.aws)", "test"}});
  EXPECT_EQ(tree().List("/home/me"), "file");
  EXPECT_EQ(tree().Stat("/home/me/.aws"), "ENOENT");
  EXPECT_EQ(tree().Stat("/home/me/.aws/credentials"), "ENOENT");
  EXPECT_EQ(tree().Mkdir("/home/me/.aws"), "ENOENT");
  EXPECT_EQ(tree().Create("/home/me/.aws-too"), "ENOENT");
  EXPECT_EQ(tree().Symlink("/home/me/.aws", "x"), "ENOENT");
  EXPECT_EQ(tree().Rename("/home/me/file", "/home/me/.aws"), "EXDEV");
  EXPECT_EQ(tree().Link("/home/me/file", "/home/me/.aws"), "EXDEV");
  EXPECT_EQ(tree().Unlink("/home/me/.aws"), "ENOENT");
}

TEST_F(Split, MovesAcrossSidesAreExdev) {
  Container("/app/data");
  Local("/app/code.py");
  Container("/out/log");
  Make({{"local", R"(\.py$)", "test"}, {"read_write", "^/out(/|$)", "test"}});
  EXPECT_EQ(tree().Rename("/app/data", "/app/data.py"), "EXDEV");
  EXPECT_EQ(tree().Rename("/app/code.py", "/app/code"), "EXDEV");
  EXPECT_EQ(tree().Rename("/app/data", "/out/data"), "EXDEV") << "private here, the container's there";
  EXPECT_EQ(tree().Link("/app/data", "/app/link.py"), "EXDEV");
  EXPECT_EQ(tree().Link("/out/log", "/app/log"), "EXDEV");
  EXPECT_EQ(tree().Rename("/app/absent", "/app/absent.py"), "ENOENT");
  EXPECT_EQ(tree().Rename("/out/log", "/out/log2"), "OK");
  EXPECT_EQ(ReadNative(box_.Container("/out/log2")), "container");
}

TEST_F(Split, ADirectoryMovesOnlyIfNothingBelowIsDecidedOtherwise) {
  Container("/app/plain/file");
  Container("/app/mixed/file");
  Local("/app/mixed/code.py");
  Container("/app/secret/sub/key.pem");
  Make({{"not_found", R"(^/app/secret/.*\.pem$)", "test"},
        {"local", R"(\.py$)", "test"},
        {"read_write", "^/there(/|$)", "test"}});
  EXPECT_EQ(tree().Rename("/app/mixed", "/app/mixed2"), "EXDEV");
  EXPECT_EQ(tree().Rename("/app/secret", "/app/known"), "EXDEV") << "what is hidden would show";
  EXPECT_EQ(tree().Rename("/app/plain", "/app/plain2"), "OK");
  EXPECT_EQ(tree().Read("/app/plain2/file"), "container");
}

TEST_F(Split, MappingsLeadElsewhere) {
  Container("/real/config/app.ini");
  Container("/app/main");
  Make({}, {{"^/app/config", "/real/config", "test"}});
  EXPECT_EQ(tree().Read("/app/config/app.ini"), "container");
  EXPECT_EQ(tree().List("/app/config"), "app.ini");
  EXPECT_EQ(tree().Overwrite("/app/config/app.ini", 0, "CON"), "OK");
  EXPECT_EQ(tree().Create("/app/config/new"), "OK");
  EXPECT_EQ(tree().List("/app/config"), "app.ini new");
  EXPECT_EQ(tree().Rename("/app/config", "/app/other"), "EXDEV");
  EXPECT_EQ(ReadNative(box_.Container("/real/config/app.ini")), "container");
  box_.Make({.mode = FsMode::kRead, .rules = {}, .mappings = {{"^/app/config", "/real/config", "test"}}});
  EXPECT_EQ(tree().Read("/app/config/app.ini"), "CONtainer");
}

TEST_F(Split, AMappedNameIsListedUnlessItIsToldThatItIsNotThere) {
  Container("/real/config/app.ini");
  Container("/app/config/hidden");
  Container("/app/main");
  int error = 0;
  box_.Make({.mappings = {{"^/app/config", "/real/config", "test"}},
             .before_container = [&error](std::string_view call, std::string_view name) {
               return ErrnoStatus(call == "Lookup" && name == "real" ? error : 0);
             }});
  for (const bool merged : {false, true}) {
    if (merged) {
      EXPECT_EQ(tree().Chmod("/app", 0700), "OK");
    }
    EXPECT_EQ(tree().List("/app"), "config main");
    error = ENOENT;
    EXPECT_EQ(tree().List("/app"), "main");
    error = EACCES;
    EXPECT_EQ(tree().List("/app"), "config main") << "it is there, whatever is behind it";
    error = EIO;
    EXPECT_EQ(tree().List("/app"), "!EIO") << "a name that was left out would be taken for absent";
    error = 0;
  }
  box_.End();
}

TEST_F(Split, MappedWritesReachTheMappedFile) {
  Container("/real/file");
  Container("/app/x");
  Make({{"read_write", "^/real(/|$)", "test"}}, {{"^/app/data", "/real", "test"}});
  EXPECT_EQ(tree().Overwrite("/app/data/file", 0, "CON"), "OK");
  EXPECT_EQ(ReadNative(box_.Container("/real/file")), "CONtainer");
  EXPECT_EQ(tree().Create("/app/data/new"), "OK");
  EXPECT_EQ(ReadNative(box_.Container("/real/new")), "");
}

TEST_F(Split, HardLinksUnderTwoDecisionsAreTwoNodesWithOneContent) {
  Container("/app/file");
  ASSERT_EQ(link(box_.Container("/app/file").c_str(), box_.Container("/app/file.log").c_str()), 0);
  Make({{"read_write", R"(\.log$)", "test"}});
  const auto plain = tree().Find("/app/file");
  const auto log = tree().Find("/app/file.log");
  ASSERT_TRUE(plain.ok() && log.ok());
  EXPECT_NE(plain->node, log->node);
  EXPECT_EQ(tree().Overwrite("/app/file", 0, "CON"), "OK");
  EXPECT_EQ(tree().Read("/app/file.log"), "container");
  EXPECT_EQ(tree().Overwrite("/app/file.log", 0, "log"), "OK");
  EXPECT_EQ(ReadNative(box_.Container("/app/file")), "logtainer");
  EXPECT_EQ(tree().Read("/app/file"), "CONtainer");
}

TEST_F(Split, InodeNumbersAreUniqueAndStay) {
  std::set<uint64_t> numbers;
  std::vector<std::string> paths;
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    Container("/app/c" + number);
    Local("/app/l" + number + ".py");
    paths.insert(paths.end(), {"/app/c" + number, "/app/l" + number + ".py"});
  }
  Make({{"local", R"(\.py$)", "test"}});
  ASSERT_EQ(tree().Create("/app/new"), "OK");
  paths.emplace_back("/app/new");
  for (const std::string& path : paths) numbers.insert(tree().Inode(path));
  EXPECT_EQ(numbers.size(), paths.size());
  const uint64_t before = tree().Inode("/app/c3");
  ASSERT_EQ(tree().Append("/app/c3", "+"), "OK");
  EXPECT_EQ(tree().Inode("/app/c3"), before);
  ASSERT_EQ(tree().Rename("/app/c3", "/app/d3"), "OK");
  EXPECT_EQ(tree().Inode("/app/d3"), before);
  box_.Make({.mode = FsMode::kRead, .rules = {{"local", R"(\.py$)", "test"}}, .mappings = {}});
  EXPECT_EQ(tree().Inode("/app/d3"), before);
}

TEST_F(Split, LocalFilesAreNeverMadeWhereTheirDirectoryIsNot) {
  Container("/app/x");
  Make({{"local", R"(\.pyc$)", "test"}});
  EXPECT_EQ(tree().Create("/app/x.pyc"), "ENOENT");
  EXPECT_NE(access(box_.Local("/app").c_str(), F_OK), 0);
}

TEST_F(Split, WhatIsPrivateIsMadeAlsoBelowDirectoriesOfThisMachine) {
  Local("/etc/hosts");
  Container("/etc/hosts");
  Make({{"read_only", "^/etc/hosts$", "test"}, {"local", "^/etc(/|$)", "test"}});
  EXPECT_EQ(tree().Append("/etc/hosts", "+"), "OK");
  EXPECT_EQ(tree().Read("/etc/hosts"), "container+");
  EXPECT_EQ(ReadNative(box_.Local("/etc/hosts")), "local");
  EXPECT_EQ(ReadNative(box_.Container("/etc/hosts")), "container");
}

TEST_F(Split, RemovingADirectoryLooksAtAllSides) {
  Container("/app/d/x");
  Local("/app/d/code.py");
  Make({{"local", R"(\.py$)", "test"}});
  EXPECT_EQ(tree().Unlink("/app/d/x"), "OK");
  EXPECT_EQ(tree().List("/app/d"), "code.py");
  EXPECT_EQ(tree().Rmdir("/app/d"), "ENOTEMPTY");
}

}  // namespace
}  // namespace mirrorfs
