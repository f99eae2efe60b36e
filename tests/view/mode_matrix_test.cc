// Every mode, with the path on every list, and every kind of access: what it gives, and whose tree it changes.
#include <sys/xattr.h>

#include <functional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/view/view_box.h"

namespace mirrorfs {
namespace {

enum class Whose { kContainer, kLocal, kLayer, kNobody };

struct Cell {
  FsMode mode;
  std::string list;  // empty: on none
  Whose reads;
  Whose writes;
};

// The contract, written down once more, cell by cell.
const Cell kCells[] = {
    {FsMode::kRead, "", Whose::kContainer, Whose::kLayer},
    {FsMode::kRead, "read_write", Whose::kContainer, Whose::kContainer},
    {FsMode::kRead, "read_only", Whose::kContainer, Whose::kLayer},
    {FsMode::kRead, "local", Whose::kLocal, Whose::kLocal},
    {FsMode::kRead, "not_found", Whose::kNobody, Whose::kNobody},
    {FsMode::kWrite, "", Whose::kContainer, Whose::kContainer},
    {FsMode::kWrite, "read_write", Whose::kContainer, Whose::kContainer},
    {FsMode::kWrite, "read_only", Whose::kContainer, Whose::kLayer},
    {FsMode::kWrite, "local", Whose::kLocal, Whose::kLocal},
    {FsMode::kWrite, "not_found", Whose::kNobody, Whose::kNobody},
    {FsMode::kLocal, "", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocal, "read_write", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocal, "read_only", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocal, "local", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocal, "not_found", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocalWithOverrides, "", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocalWithOverrides, "read_write", Whose::kContainer, Whose::kContainer},
    {FsMode::kLocalWithOverrides, "read_only", Whose::kContainer, Whose::kLayer},
    {FsMode::kLocalWithOverrides, "local", Whose::kLocal, Whose::kLocal},
    {FsMode::kLocalWithOverrides, "not_found", Whose::kNobody, Whose::kNobody},
};

// What is done, and what must be seen through the view afterwards. `was`: what the file held.
struct Action {
  std::string name;
  std::function<std::string(TreeClient&)> act;
  std::function<void(TreeClient&, const std::string& was)> check;
};

std::vector<Action> Actions() {
  return {
      {"create", [](TreeClient& tree) { return tree.Create("/data/new", 0640); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.Read("/data/new"), ""); }},
      {"write", [](TreeClient& tree) { return tree.Overwrite("/data/file", 0, "NEW"); },
       [](TreeClient& tree, const std::string& was) { EXPECT_EQ(tree.Read("/data/file"), "NEW" + was.substr(3)); }},
      {"append", [](TreeClient& tree) { return tree.Append("/data/file", "+"); },
       [](TreeClient& tree, const std::string& was) { EXPECT_EQ(tree.Read("/data/file"), was + "+"); }},
      {"truncate", [](TreeClient& tree) { return tree.Truncate("/data/file", 2); },
       [](TreeClient& tree, const std::string& was) { EXPECT_EQ(tree.Read("/data/file"), was.substr(0, 2)); }},
      {"open and truncate", [](TreeClient& tree) { return tree.Write("/data/file", "fresh"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.Read("/data/file"), "fresh"); }},
      {"rename", [](TreeClient& tree) { return tree.Rename("/data/file", "/data/moved"); },
       [](TreeClient& tree, const std::string& was) {
         EXPECT_EQ(tree.Read("/data/moved"), was);
         EXPECT_EQ(tree.Read("/data/file"), "!ENOENT");
       }},
      {"rename a directory", [](TreeClient& tree) { return tree.Rename("/data/sub", "/data/moved"); },
       [](TreeClient& tree, const std::string& was) { EXPECT_EQ(tree.Read("/data/moved/below"), was); }},
      {"exchange", [](TreeClient& tree) { return tree.Rename("/data/file", "/data/sub", RenameMode::kExchange); },
       [](TreeClient& tree, const std::string& was) {
         EXPECT_EQ(tree.Read("/data/sub"), was);
         EXPECT_EQ(tree.Read("/data/file/below"), was);
       }},
      {"link", [](TreeClient& tree) { return tree.Link("/data/file", "/data/second"); },
       [](TreeClient& tree, const std::string& was) {
         EXPECT_EQ(tree.Read("/data/second"), was);
         EXPECT_EQ(tree.Inode("/data/second"), tree.Inode("/data/file"));
       }},
      {"symlink", [](TreeClient& tree) { return tree.Symlink("/data/link", "to"); },
       [](TreeClient& tree, const std::string&) { EXPECT_NE(tree.Stat("/data/link").find("to"), std::string::npos); }},
      {"unlink", [](TreeClient& tree) { return tree.Unlink("/data/file"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.List("/data"), "empty sub"); }},
      {"mkdir", [](TreeClient& tree) { return tree.Mkdir("/data/directory"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.List("/data/directory"), ""); }},
      {"rmdir", [](TreeClient& tree) { return tree.Rmdir("/data/empty"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.List("/data"), "file sub"); }},
      {"mkfifo", [](TreeClient& tree) { return tree.Mkfifo("/data/fifo"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.Stat("/data/fifo").substr(0, 5), "6 600"); }},
      {"chmod", [](TreeClient& tree) { return tree.Chmod("/data/file", 0604); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.Stat("/data/file").substr(0, 5), "1 604"); }},
      {"chown", [](TreeClient& tree) { return tree.Chown("/data/file", 11, 12); },
       [](TreeClient& tree, const std::string&) {
         EXPECT_NE(tree.Stat("/data/file").find(" 11:12 "), std::string::npos);
       }},
      {"chmod of a directory", [](TreeClient& tree) { return tree.Chmod("/data/sub", 0700); },
       [](TreeClient& tree, const std::string& was) {
         EXPECT_EQ(tree.Stat("/data/sub").substr(0, 5), "2 700");
         EXPECT_EQ(tree.Read("/data/sub/below"), was);
       }},
      {"times", [](TreeClient& tree) { return tree.SetTime("/data/file", 12345); },
       [](TreeClient& tree, const std::string&) {
         EXPECT_TRUE(tree.Find("/data/file")->attributes.mtime_ns == FileTime{12345} * 1'000'000'000);
       }},
      {"set xattr", [](TreeClient& tree) { return tree.SetXattr("/data/file", "user.b", "value"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.GetXattr("/data/file", "user.b"), "value"); }},
      {"remove xattr", [](TreeClient& tree) { return tree.RemoveXattr("/data/file", "user.a"); },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.GetXattr("/data/file", "user.a"), "!ENODATA"); }},
      {"fallocate",
       [](TreeClient& tree) {
         const HandleId handle = tree.Open("/data/file", {.read = true, .write = true});
         const auto result = tree.files().Fallocate(tree.call(), handle, FallocateMode::kAllocate, false, 0, 8192);
         tree.Close(handle);
         return handle == HandleId::kNone ? "ENOENT" : ErrorName(result);
       },
       [](TreeClient& tree, const std::string&) { EXPECT_EQ(tree.Read("/data/file").size(), 8192u); }},
  };
}

class ModeMatrix : public testing::TestWithParam<Cell> {
 protected:
  static void Fill(const std::string& root, const std::string& content) {
    MakeDirectories(root + "/data/sub");
    MakeDirectories(root + "/data/empty");
    WriteNative(root + "/data/file", content);
    WriteNative(root + "/data/sub/below", content);
    setxattr((root + "/data/file").c_str(), "user.a", content.data(), content.size(), 0);
  }
  static std::string Content(Whose whose) {
    return whose == Whose::kContainer ? "the container's" : "this machine's, and poison";
  }
};

TEST_P(ModeMatrix, EveryAction) {
  const Cell& cell = GetParam();
  for (const Action& action : Actions()) {
    SCOPED_TRACE(action.name);
    ViewBox box;
    Fill(box.Container(), Content(Whose::kContainer));
    Fill(box.Local(), Content(Whose::kLocal));
    ViewBoxOptions options{.mode = cell.mode};
    if (!cell.list.empty()) options.rules = {{cell.list, "^/data(/|$)", "test"}};
    box.Make(options);
    const std::string container = TreeText(box.Container());
    const std::string local = TreeText(box.Local());
    const std::string result = action.act(box.client());
    EXPECT_EQ(result, cell.reads == Whose::kNobody ? "ENOENT" : "OK");
    if (result == "OK") action.check(box.client(), Content(cell.reads));
    EXPECT_EQ(TreeText(box.Container()) != container, cell.writes == Whose::kContainer);
    EXPECT_EQ(TreeText(box.Local()) != local, cell.writes == Whose::kLocal);
    if (cell.writes != Whose::kLayer) continue;
    // It is there again when the view is.
    box.Make(options);
    action.check(box.client(), Content(cell.reads));
  }
}

TEST_P(ModeMatrix, Reading) {
  const Cell& cell = GetParam();
  ViewBox box;
  Fill(box.Container(), Content(Whose::kContainer));
  Fill(box.Local(), Content(Whose::kLocal));
  ViewBoxOptions options{.mode = cell.mode};
  if (!cell.list.empty()) options.rules = {{cell.list, "^/data(/|$)", "test"}};
  box.Make(options);
  const bool hidden = cell.reads == Whose::kNobody;
  EXPECT_EQ(box.client().Read("/data/file"), hidden ? "!ENOENT" : Content(cell.reads));
  EXPECT_EQ(box.client().List("/data"), hidden ? "!ENOENT" : "empty file sub");
  EXPECT_EQ(box.client().List("/"), hidden ? "" : "data");
}

// Without a layer nothing that is private can be changed, and that is said.
TEST_P(ModeMatrix, WithoutALayer) {
  const Cell& cell = GetParam();
  if (cell.writes != Whose::kLayer) return;
  for (const Action& action : Actions()) {
    if (action.name == "fallocate") continue;  // it does not get as far as that
    SCOPED_TRACE(action.name);
    ViewBox box;
    Fill(box.Container(), Content(Whose::kContainer));
    ViewBoxOptions options{.mode = cell.mode, .rules = {}, .mappings = {}, .with_layer = false};
    if (!cell.list.empty()) options.rules = {{cell.list, "^/data(/|$)", "test"}};
    box.Make(options);
    const std::string before = TreeText(box.Container());
    EXPECT_EQ(action.act(box.client()), "EROFS");
    EXPECT_EQ(TreeText(box.Container()), before);
  }
}

std::string CellName(const testing::TestParamInfo<Cell>& info) {
  const std::string list = info.param.list.empty() ? "none" : info.param.list;
  return std::string(NameOf(info.param.mode)) + "_" + list;
}

INSTANTIATE_TEST_SUITE_P(Cells, ModeMatrix, testing::ValuesIn(kCells), CellName);

}  // namespace
}  // namespace mirrorfs
