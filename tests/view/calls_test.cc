// What operations of the view cost: calls of the sides, and of the kernel; and what they do not hold up.
#include <fcntl.h>
#include <poll.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <map>
#include <string>
#include <thread>

#include "fusefs/core/filesystem_core.h"
#include "gtest/gtest.h"
#include "tests/view/traced_calls.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

using Counts = std::map<std::string, int>;

// Counts lookups by name.
WatchedFiles::Before CountLookups(Counts& counts) {
  return [&counts](std::string_view call, std::string_view name) {
    if (call == "Lookup") ++counts[std::string(name)];
    return absl::OkStatus();
  };
}

class Calls : public testing::Test {
 protected:
  TreeClient& tree() { return box_.client(); }
  // As what the kernel asks begins with.
  Entry Root() {
    const auto root = box_.files().GetAttr({}, {.node = NodeId::kRoot});
    EXPECT_TRUE(root.ok());
    return {.node = NodeId::kRoot, .attributes = root->attributes, .identity = {}, .link_target = {}};
  }

  ViewBox box_;
};

TEST_F(Calls, ANameOfThisMachineIsLookedUpOnceAndTheContainerIsNotAsked) {
  MakeDirectories(box_.Container("/app"));
  MakeDirectories(box_.Local("/app"));
  for (const char* name : {"/app/a.py", "/app/b.py", "/app/c.py"}) WriteNative(box_.Local(name), "local");
  Counts local;
  Counts container;
  box_.Make({.rules = {{"local", R"(\.py$)", "test"}},
             .before_container = CountLookups(container),
             .before_local = CountLookups(local)});
  FilesystemCore core(box_.files(), Root(), {});
  const auto app = core.Lookup({}, NodeId::kRoot, "app");
  ASSERT_TRUE(app.ok());
  local.clear();
  container.clear();
  for (const char* name : {"a.py", "b.py", "c.py"}) EXPECT_TRUE(core.Lookup({}, app->node, name).ok());
  // This machine's part of the directory is found once for all names.
  EXPECT_EQ(local, (Counts{{"app", 1}, {"a.py", 1}, {"b.py", 1}, {"c.py", 1}}));
  EXPECT_EQ(container, Counts{});
}

// Decided and looked for when a path is reached first; then that is known, be it there, hidden or absent.
TEST_F(Calls, WhatIsDecidedOfAPathIsRemembered) {
  for (const std::string& root : {box_.Container("/app"), box_.Local("/app")}) MakeDirectories(root);
  for (const char* name : {"/app/data", "/app/hidden", "/app/a.py"}) WriteNative(box_.Container(name), "container");
  WriteNative(box_.Local("/app/a.py"), "local");
  Counts asked;
  box_.Make({.rules = {{"local", R"(\.py$)", "test"}, {"not_found", "hidden$", "test"}},
             .before_container = CountLookups(asked),
             .before_local = CountLookups(asked)});
  FilesystemCore core(box_.files(), Root(), {});
  const auto app = core.Lookup({}, NodeId::kRoot, "app");
  ASSERT_TRUE(app.ok());
  const auto found = [&](const char* name) {
    const auto answer = core.Lookup({}, app->node, name);
    return answer.ok() ? answer->node : NodeId::kInvalid;
  };
  const NodeId data = found("data");
  const NodeId program = found("a.py");
  EXPECT_NE(data, NodeId::kInvalid);
  EXPECT_NE(program, NodeId::kInvalid);
  for (const char* name : {"hidden", "absent"}) EXPECT_EQ(found(name), NodeId::kInvalid);
  asked.clear();
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(found("data"), data);
    EXPECT_EQ(found("a.py"), program);
    for (const char* name : {"hidden", "absent"}) EXPECT_EQ(found(name), NodeId::kInvalid);
  }
  EXPECT_EQ(asked, Counts{});
}

TEST_F(Calls, ARenameInTheLayerAsksTheContainerOnceForEachName) {
  for (const char* name : {"/file", "/other"}) WriteNative(box_.Container(name), name);
  for (const char* name : {"/d", "/empty"}) MakeDirectories(box_.Container(name));
  Counts asked;
  const auto counts_of = [&](const char* from, const char* to) {
    box_.Make({.before_container = CountLookups(asked)});
    // As a kernel does; it keeps what it has found.
    for (const char* path : {from, to}) static_cast<void>(tree().Find(path));
    asked.clear();
    EXPECT_EQ(tree().Rename(from, to), "OK");
    const Counts counts = asked;
    box_.End();
    return counts;
  };
  EXPECT_EQ(counts_of("/file", "/new"), (Counts{{"file", 1}, {"new", 1}}));
  EXPECT_EQ(counts_of("/other", "/file"), (Counts{{"other", 1}, {"file", 1}}));
  EXPECT_EQ(counts_of("/d", "/empty"), (Counts{{"d", 1}, {"empty", 1}}));
}

TEST_F(Calls, ARemovalOfADirectoryAsksTheContainerOnce) {
  MakeDirectories(box_.Container("/empty"));
  Counts asked;
  box_.Make({.before_container = CountLookups(asked)});
  ASSERT_TRUE(tree().Find("/empty").ok());
  asked.clear();
  EXPECT_EQ(tree().Rmdir("/empty"), "OK");
  EXPECT_EQ(asked, (Counts{{"empty", 1}}));
  box_.End();
}

TEST_F(Calls, ALookupInTheLayerOpensTheFileForItsEntryAndForItsRecord) {
  WriteNative(box_.Container("/file"), "content");
  box_.Make({});
  EXPECT_EQ(tree().Append("/file", "+"), "OK");
  box_.End();
  const pid_t child = fork();
  if (child == 0) {
    box_.Make({});
    BeTraced();
    _exit(tree().Find("/file").ok() ? 0 : 1);
  }
  int opened = 0;
  WatchCalls(child, [&](const user_regs_struct& call) { opened += call.orig_rax == SYS_openat2 ? 1 : 0; });
  EXPECT_EQ(opened, 2);
}

// Stops the removal of a directory that has been replaced, and looks whether somebody else can go on.
TEST_F(Calls, WhatAMoveLeavesIsRemovedInNobodysWay) {
  MakeDirectories(box_.Container("/d"));
  WriteNative(box_.Container("/d/hidden"), "content");
  box_.Make({});
  EXPECT_EQ(tree().Rename("/d", "/moved"), "OK");
  EXPECT_EQ(tree().Unlink("/moved/hidden"), "OK");
  EXPECT_EQ(tree().Mkdir("/new"), "OK");
  box_.End();
  std::array<int, 2> ask = {};
  std::array<int, 2> answer = {};
  ASSERT_EQ(pipe2(ask.data(), O_CLOEXEC), 0);
  ASSERT_EQ(pipe2(answer.data(), O_CLOEXEC), 0);
  const pid_t child = fork();
  if (child == 0) {
    box_.Make({});
    std::thread([&] {
      TreeClient other(box_.files());
      char byte = 0;
      while (read(ask[0], &byte, 1) == 1 && other.Stat("/d") == "ENOENT" && write(answer[1], "", 1) == 1) continue;
    }).detach();
    BeTraced();
    _exit(tree().Rename("/new", "/moved") == "OK" ? 0 : 1);
  }
  int looked = 0;
  WatchCalls(child, [&](const user_regs_struct& call) {
    const std::string_view name = "hidden";
    const long word =
        call.orig_rax == SYS_unlinkat ? ptrace(PTRACE_PEEKDATA, child, reinterpret_cast<void*>(call.rsi), nullptr) : 0;
    if (std::string_view(reinterpret_cast<const char*>(&word), name.size()) != name) return;
    ++looked;
    ASSERT_EQ(write(ask[1], "", 1), 1);
    pollfd entry = {.fd = answer[0], .events = POLLIN, .revents = 0};
    EXPECT_EQ(poll(&entry, 1, 10'000), 1) << "a lookup waits for the removal";
  });
  EXPECT_GT(looked, 0);
  for (const int fd : {ask[0], ask[1], answer[0], answer[1]}) close(fd);
}

}  // namespace
}  // namespace mirrorfs
