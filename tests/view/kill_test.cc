// What docs/layer-format.md says of a killed daemon: each change is killed before each of its system calls that change
// anything, and what the next one finds must be a row of the table there.
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fusefs/view/layer_apply.h"
#include "gtest/gtest.h"
#include "protos/layer/layer_changes.h"
#include "tests/view/traced_calls.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

using Tree = std::map<std::string, std::string>;  // TreeClient::Snapshot

struct Change {
  std::function<void(TreeClient&)> prepare = [](TreeClient&) {};  // is there before
  std::function<void(TreeClient&)> known = [](TreeClient&) {};    // in the run that is killed, before the change
  std::function<std::string(TreeClient&)> change;
  // What the next run may see besides the tree before and after the change.
  std::vector<std::function<Tree(const Tree& before, const Tree& after)>> between = {};
};

class Killed : public testing::Test {
 protected:
  static void Fill(ViewBox& box) {
    WriteNative(box.Container("/file"), "content");
    WriteNative(box.Container("/one"), "linked");
    ASSERT_EQ(link(box.Container("/one").c_str(), box.Container("/two").c_str()), 0);
    MakeDirectories(box.Container("/d/sub"));
    WriteNative(box.Container("/d/a"), "deep");
    WriteNative(box.Container("/d/sub/x"), "deeper");
    MakeDirectories(box.Container("/empty"));
  }

  static void Prepare(ViewBox& box, const Change& change) {
    Fill(box);
    box.Make({});
    change.prepare(box.client());
  }

  [[noreturn]] static void RunTraced(ViewBox& box, const Change& change) {
    box.Make({});
    change.known(box.client());
    BeTraced();
    change.change(box.client());
    _exit(0);
  }

  // How often it was killed.
  static int KillEverywhere(const Change& change) {
    Tree after;
    {
      ViewBox box;
      Prepare(box, change);
      box.Make({});
      change.known(box.client());
      EXPECT_EQ(change.change(box.client()), "OK");
      after = box.client().Snapshot();
    }
    for (int calls = 0;; ++calls) {
      ViewBox box;
      Prepare(box, change);
      const Tree before = box.client().Snapshot();
      box.End();
      const pid_t child = fork();
      if (child == 0) RunTraced(box, change);
      if (!KillAtCall(child, calls)) return calls;
      ExpectOneOf(change, box, before, after, calls);
      if (testing::Test::HasFailure()) return calls;
    }
  }

  static void ExpectOneOf(const Change& change, ViewBox& box, const Tree& before, const Tree& after, int calls) {
    const std::string container = TreeText(box.Container());
    box.Make({});
    const Tree found = box.client().Snapshot();
    bool known = found == before || found == after;
    for (const auto& between : change.between) known = known || found == between(before, after);
    EXPECT_TRUE(known) << "killed before call " << calls << ", it shows:\n" << Text(found);
    EXPECT_EQ(TreeText(box.LayerDirectory("/work")), "") << "left behind";
    box.End();
    const auto layer = Layer::Open(box.LayerDirectory(), LayerUse::kRead);
    ASSERT_TRUE(layer.ok());
    EXPECT_TRUE(ListLayerChanges(**layer).ok()) << "it cannot be told what it holds";
    EXPECT_EQ(TreeText(box.Container()), container);
    ExpectApplied(box, found);
  }

  // Nothing is lost: with force, the container becomes what was seen.
  static void ExpectApplied(ViewBox& box, const Tree& seen) {
    const auto layer = Layer::Open(box.LayerDirectory(), LayerUse::kChange);
    ASSERT_TRUE(layer.ok());
    const auto container = ViewBox::MakeFiles(box.Container(), true);
    const absl::Status status =
        ApplyLayer(*container, **layer, {.force = true, .paths = {}}, [](const AppliedChange& change) {
          const bool well = change.result == ApplyResult::kApplied || change.result == ApplyResult::kAlready;
          EXPECT_TRUE(well) << change.path << ": " << change.message;
        });
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(TreeClient(*container).Snapshot(), seen);
  }

  static bool IsAppliedUnforced(ViewBox& box) {
    const auto layer = Layer::Open(box.LayerDirectory(), LayerUse::kChange);
    const auto container = ViewBox::MakeFiles(box.Container(), true);
    bool applied = true;
    EXPECT_TRUE(ApplyLayer(*container, **layer, {}, [&](const AppliedChange& change) {
                  if (change.result == ApplyResult::kRefused) applied = false;
                }).ok());
    return applied;
  }

  static std::string Text(const Tree& tree) {
    std::string text;
    for (const auto& [path, what] : tree) text += path + ": " + what + "\n";
    return text;
  }
};

Tree Without(Tree tree, const std::string& path) {
  tree.erase(path);
  return tree;
}
Tree With(Tree tree, const Tree& other, const std::string& path) {
  tree[path] = other.at(path);
  return tree;
}

TEST_F(Killed, WhileAFileIsCopied) {
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Overwrite("/d/a", 0, "DEEP"); }}), 3);
}

TEST_F(Killed, WhileADirectoryIsCopied) {
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Chmod("/d/sub", 0700); }}), 2);
}

TEST_F(Killed, WhileAFileWithTwoNamesIsCopied) {
  const auto one_is_new = [](const Tree& before, const Tree& after) { return With(before, after, "/one"); };
  EXPECT_GT(KillEverywhere({.known = [](TreeClient& tree) { tree.Snapshot(); },
                            .change = [](TreeClient& tree) { return tree.Overwrite("/one", 0, "LINKED"); },
                            .between = {one_is_new}}),
            3);
}

TEST_F(Killed, WhileSomethingIsMade) {
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Create("/d/new"); }}), 1);
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Mkdir("/d/new"); }}), 1);
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Symlink("/d/new", "a"); }}), 1);
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Link("/file", "/d/new"); }}), 1);
}

TEST_F(Killed, WhileSomethingIsMadeWhereANameIsHidden) {
  const auto remove = [](TreeClient& tree) { tree.Unlink("/file"); };
  EXPECT_GT(KillEverywhere({.prepare = remove, .change = [](TreeClient& tree) { return tree.Create("/file"); }}), 1);
  EXPECT_GT(KillEverywhere({.prepare = remove, .change = [](TreeClient& tree) { return tree.Mkdir("/file"); }}), 1);
}

TEST_F(Killed, WhileWhatTheContainerDoesNotHaveIsRemoved) {
  EXPECT_GT(KillEverywhere({.prepare = [](TreeClient& tree) { tree.Write("/new", "new"); },
                            .change = [](TreeClient& tree) { return tree.Unlink("/new"); }}),
            0);
  EXPECT_GT(KillEverywhere({.prepare =
                                [](TreeClient& tree) {
                                  tree.Rename("/d", "/moved");
                                  tree.Unlink("/moved/a");
                                  tree.Unlink("/moved/sub/x");
                                  tree.Rmdir("/moved/sub");
                                },
                            .change = [](TreeClient& tree) { return tree.Rmdir("/moved"); }}),
            1);
}

TEST_F(Killed, WhileWhatTheContainerHasIsRemoved) {
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Unlink("/d/a"); }}), 1);
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Rmdir("/empty"); }}), 1);
  EXPECT_GT(KillEverywhere({.prepare = [](TreeClient& tree) { tree.Chmod("/empty", 0700); },
                            .change = [](TreeClient& tree) { return tree.Rmdir("/empty"); }}),
            1);
}

TEST_F(Killed, WhileOneOfTheNamesOfACopyIsRemoved) {
  EXPECT_GT(KillEverywhere({.prepare = [](TreeClient& tree) { tree.Overwrite("/one", 0, "LINKED"); },
                            .known = [](TreeClient& tree) { tree.Snapshot(); },
                            .change = [](TreeClient& tree) { return tree.Unlink("/one"); },
                            .between = {[](const Tree& before, const Tree&) {
                              return With(before, {{"/two", before.at("/one")}}, "/two");
                            }}}),
            1);
}

TEST_F(Killed, WhileAFileIsRenamed) {
  const auto both_names = [](const Tree& before, const Tree& after) { return With(before, after, "/d/new"); };
  EXPECT_GT(KillEverywhere(
                {.change = [](TreeClient& tree) { return tree.Rename("/file", "/d/new"); }, .between = {both_names}}),
            3);
  const auto both_have_it = [](const Tree& before, const Tree& after) { return With(before, after, "/d/a"); };
  EXPECT_GT(KillEverywhere(
                {.change = [](TreeClient& tree) { return tree.Rename("/file", "/d/a"); }, .between = {both_have_it}}),
            3);
}

TEST_F(Killed, WhileAFileThatHidesNothingIsRenamed) {
  const auto make = [](TreeClient& tree) { tree.Write("/new", "new"); };
  EXPECT_GT(
      KillEverywhere({.prepare = make, .change = [](TreeClient& tree) { return tree.Rename("/new", "/d/newer"); }}), 0);
  EXPECT_GT(KillEverywhere({.prepare = make, .change = [](TreeClient& tree) { return tree.Rename("/new", "/d/a"); }}),
            0);
}

TEST_F(Killed, WhileAFileWithTwoNamesIsReplaced) {
  const auto both_have_it = [](const Tree& before, const Tree& after) { return With(before, after, "/one"); };
  EXPECT_GT(KillEverywhere({.known = [](TreeClient& tree) { tree.Snapshot(); },
                            .change = [](TreeClient& tree) { return tree.Rename("/file", "/one"); },
                            .between = {both_have_it}}),
            3);
}

TEST_F(Killed, WhileADirectoryIsRenamed) {
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Rename("/d", "/moved"); }}), 3);
  const auto without_the_empty_one = [](const Tree& before, const Tree&) { return Without(before, "/empty"); };
  EXPECT_GT(KillEverywhere({.change = [](TreeClient& tree) { return tree.Rename("/d", "/empty"); },
                            .between = {without_the_empty_one}}),
            3);
}

TEST_F(Killed, WhileADirectoryThatHidesNothingIsRenamed) {
  const auto make = [](TreeClient& tree) {
    tree.Mkdir("/new");
    tree.Write("/new/file", "new");
  };
  EXPECT_GT(KillEverywhere({.prepare = make, .change = [](TreeClient& tree) { return tree.Rename("/new", "/moved"); }}),
            3);
}

TEST_F(Killed, WhileOwnerOrPermissionsAreChangedWithoutRoot) {
  if (geteuid() == 0) GTEST_SKIP() << "root's layers keep them themselves; run as view.as_user too";
  const auto change = [](TreeClient& tree) {
    const auto found = tree.Find("/file");
    AttributeChange both;
    both.size = 3;
    both.permissions = 0600;
    return ErrorName(tree.files().SetAttr(tree.call(), {.node = found->node}, both));
  };
  const auto is_shorter = [](const Tree& before, const Tree& after) {
    const std::string permissions = before.at("/file").substr(0, before.at("/file").find("644"));
    Tree tree = after;
    tree["/file"].replace(permissions.size(), 3, "644");
    return tree;
  };
  EXPECT_GT(KillEverywhere({.change = change, .between = {is_shorter}}), 3);
}

// The row of a rename's second step. Until the file has its new name it is where it was, and cannot be told from one
// that was moved away and back.
TEST_F(Killed, WhatWasAboutToBeRenamedIsAppliedByForceOnly) {
  const Change change = {.prepare = [](TreeClient& tree) { tree.Overwrite("/file", 0, "CON"); },
                         .change = [](TreeClient& tree) { return tree.Rename("/file", "/d/new"); }};
  int refused = 0;
  for (int calls = 0;; ++calls) {
    ViewBox box;
    Prepare(box, change);
    const Tree before = box.client().Snapshot();
    box.End();
    const pid_t child = fork();
    if (child == 0) RunTraced(box, change);
    if (!KillAtCall(child, calls)) break;
    box.Make({});
    const Tree found = box.client().Snapshot();
    box.End();
    if (found == before && !IsAppliedUnforced(box)) ++refused;
    ExpectApplied(box, found);
  }
  EXPECT_GT(refused, 0);
}

TEST_F(Killed, WhileTwoNamesAreExchanged) {
  const auto exchange = [](const char* one, const char* other) {
    return [=](TreeClient& tree) { return tree.Rename(one, other, RenameMode::kExchange); };
  };
  EXPECT_GT(KillEverywhere({.change = exchange("/file", "/d/a")}), 3);
  EXPECT_GT(KillEverywhere({.change = exchange("/d", "/empty")}), 3);
}

// "A change that fails is undone as far as it has come": each call that changes files fails in its turn.
class Failing : public Killed {
 protected:
  enum Outcome : int { kDone, kUndone, kWrong };

  // How often it failed.
  static int FailEverywhere(const Change& change) {
    Tree after;
    {
      ViewBox box;
      Prepare(box, change);
      EXPECT_EQ(change.change(box.client()), "OK");
      after = box.client().Snapshot();
    }
    int failed = 0;
    for (int calls = 0;; ++calls) {
      ViewBox box;
      Prepare(box, change);
      const Tree before = box.client().Snapshot();
      box.End();
      const pid_t child = fork();
      if (child == 0) RunAndJudge(box, change, before, after);
      int status = 0;
      if (!FailAtCall(child, calls, ENOSPC, status)) return failed;
      EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != kWrong) << "call " << calls << " failed";
      const bool undone = WEXITSTATUS(status) == kUndone;
      failed += undone ? 1 : 0;
      ExpectAsItWas(box, undone ? before : after, undone, calls);
      if (testing::Test::HasFailure()) return failed;
    }
  }

  [[noreturn]] static void RunAndJudge(ViewBox& box, const Change& change, const Tree& before, const Tree& after) {
    box.Make({});
    BeTraced();
    const bool done = change.change(box.client()) == "OK";
    const Tree found = box.client().Snapshot();
    _exit(done && found == after ? kDone : !done && found == before ? kUndone : kWrong);
  }

  static void ExpectAsItWas(ViewBox& box, const Tree& expected, bool undone, int calls) {
    box.Make({});
    EXPECT_EQ(box.client().Snapshot(), expected) << "call " << calls << " failed";
    box.End();
    const auto layer = Layer::Open(box.LayerDirectory(), LayerUse::kRead);
    const auto changes = ListLayerChanges(**layer);
    ASSERT_TRUE(changes.ok());
    for (const LayerChange& change : *changes) {
      EXPECT_FALSE(undone && change.kind == ChangeKind::kRenamed) << change.path << ", call " << calls << " failed";
    }
  }
};

TEST_F(Failing, AFileThatIsRenamed) {
  EXPECT_GT(FailEverywhere({.change = [](TreeClient& tree) { return tree.Rename("/file", "/d/new"); }}), 3);
}

TEST_F(Failing, AFileThatReplacesOne) {
  EXPECT_GT(FailEverywhere({.change = [](TreeClient& tree) { return tree.Rename("/file", "/d/a"); }}), 3);
  EXPECT_GT(FailEverywhere({.prepare = [](TreeClient& tree) { tree.Overwrite("/d/a", 0, "DEEP"); },
                            .change = [](TreeClient& tree) { return tree.Rename("/file", "/d/a"); }}),
            3);
  EXPECT_GT(FailEverywhere({.prepare = [](TreeClient& tree) { tree.Unlink("/d/a"); },
                            .change = [](TreeClient& tree) { return tree.Rename("/file", "/d/a"); }}),
            3);
}

TEST_F(Failing, ADirectoryThatIsRenamed) {
  EXPECT_GT(FailEverywhere({.change = [](TreeClient& tree) { return tree.Rename("/d", "/moved"); }}), 3);
  EXPECT_GT(FailEverywhere({.change = [](TreeClient& tree) { return tree.Rename("/d", "/empty"); }}), 3);
}

TEST_F(Failing, TwoThatAreExchanged) {
  const auto exchange = [](const char* one, const char* other) {
    return [=](TreeClient& tree) { return tree.Rename(one, other, RenameMode::kExchange); };
  };
  EXPECT_GT(FailEverywhere({.change = exchange("/file", "/d/a")}), 3);
  EXPECT_GT(FailEverywhere({.change = exchange("/d", "/empty")}), 3);
}

}  // namespace
}  // namespace mirrorfs
