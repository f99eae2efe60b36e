// What docs/layer-format.md says of a killed daemon: each change is killed before each of its system calls that change
// anything, and what the next one finds must be a row of the table there.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "fusefs/view/layer_apply.h"
#include "gtest/gtest.h"
#include "protos/layer/layer_changes.h"
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

bool ChangesFiles(const user_regs_struct& registers) {
  switch (registers.orig_rax) {
    case SYS_openat:
      return (registers.rdx & O_CREAT) != 0 || (registers.rdx & O_TMPFILE) == O_TMPFILE;
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_linkat:
    case SYS_symlinkat:
    case SYS_unlinkat:
    case SYS_mkdirat:
    case SYS_mknodat:
    case SYS_setxattr:
    case SYS_lsetxattr:
    case SYS_fsetxattr:
    case SYS_removexattr:
    case SYS_lremovexattr:
    case SYS_fremovexattr:
    case SYS_fchmod:
    case SYS_fchmodat:
    case SYS_fchown:
    case SYS_fchownat:
    case SYS_utimensat:
    case SYS_ftruncate:
    case SYS_truncate:
    case SYS_pwrite64:
    case SYS_copy_file_range:
    case SYS_fallocate:
      return true;
    default:
      return false;
  }
}

// Kills the child before the system call number `calls` that changes files, counted from its SIGSTOP on. False: it has
// ended before.
bool KillAtCall(pid_t child, int calls) {
  int status = 0;
  if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
  ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD);
  for (bool entering = true;; entering = !entering) {
    if (ptrace(PTRACE_SYSCALL, child, nullptr, nullptr) != 0) return false;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return false;
    if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
      entering = !entering;
      continue;
    }
    user_regs_struct registers = {};
    if (!entering || ptrace(PTRACE_GETREGS, child, nullptr, &registers) != 0) continue;
    if (ChangesFiles(registers) && calls-- == 0) {
      kill(child, SIGKILL);
      waitpid(child, &status, 0);
      return true;
    }
  }
}

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
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
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

TEST_F(Killed, WhileTwoNamesAreExchanged) {
  const auto exchange = [](const char* one, const char* other) {
    return [=](TreeClient& tree) { return tree.Rename(one, other, RenameMode::kExchange); };
  };
  EXPECT_GT(KillEverywhere({.change = exchange("/file", "/d/a")}), 3);
  EXPECT_GT(KillEverywhere({.change = exchange("/d", "/empty")}), 3);
}

}  // namespace
}  // namespace mirrorfs
