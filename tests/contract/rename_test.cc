// Rename: types by types, by modes.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/contract/contract_test.h"

namespace mirrorfs {
namespace {

class RenameContract : public ContractTest {
 protected:
  std::string Rename(std::string_view from, std::string_view to, RenameMode mode = RenameMode::kReplace) {
    return Error(fs().Rename(call_, root_, from, root_, to, mode));
  }
  // "absent", "file", "empty", "full" (directories) or "link" under the name.
  void Make(const std::string& kind, const std::string& name) {
    if (kind == "file") WriteNative(name, name);
    if (kind == "link") std::filesystem::create_symlink("nowhere", Path(name));
    if (kind == "empty" || kind == "full") MakeDirectory(name);
    if (kind == "full") WriteNative(name + "/file", "");
  }
  ino_t Inode(const std::string& name) const { return Exists(name) ? StatNative(name).st_ino : 0; }
};

TEST_F(RenameContract, MovesTheNode) {
  WriteNative("a", "content");
  const NodeId node = Node("a");
  EXPECT_EQ(Rename("a", "b"), "OK");
  EXPECT_EQ(Node("b"), node);
  EXPECT_EQ(Error(fs().Lookup(call_, root_, "a")), "ENOENT");
  EXPECT_EQ(ReadNative("b"), "content");
  EXPECT_EQ(Stat(node).size, 7u);
}

TEST_F(RenameContract, MovesBetweenDirectories) {
  MakeDirectory("one");
  MakeDirectory("two");
  MakeDirectory("one/sub");
  WriteNative("one/sub/file", "deep");
  const NodeId file = Node("one/sub/file");
  ASSERT_EQ(Error(fs().Rename(call_, Node("one"), "sub", Node("two"), "moved", RenameMode::kReplace)), "OK");
  EXPECT_EQ(Node("two/moved/file"), file);
  EXPECT_EQ(Stat(file).size, 4u);
  EXPECT_TRUE(Exists("two/moved/file"));
}

TEST_F(RenameContract, ReplacedFileLivesOnInItsHandle) {
  WriteNative("old", "old content");
  WriteNative("new", "new content");
  const HandleId handle = OpenFile("old", kReadOnly);
  EXPECT_EQ(Rename("new", "old"), "OK");
  EXPECT_EQ(ReadFile(handle, 0, 100), "old content");
  EXPECT_EQ(Stat(handle).nlink, 0u);
  EXPECT_EQ(ReadFile(OpenFile("old", kReadOnly), 0, 100), "new content");
}

TEST_F(RenameContract, OntoAnotherNameOfTheSameFileDoesNothing) {
  WriteNative("a", "");
  ASSERT_EQ(link(Path("a").c_str(), Path("b").c_str()), 0);
  EXPECT_EQ(Rename("a", "b"), "OK");
  EXPECT_TRUE(Exists("a"));
  EXPECT_TRUE(Exists("b"));
  EXPECT_EQ(Stat(Node("a")).nlink, 2u);
}

TEST_F(RenameContract, OntoItself) {
  WriteNative("a", "x");
  EXPECT_EQ(Rename("a", "a"), "OK");
  EXPECT_EQ(ReadNative("a"), "x");
  EXPECT_EQ(Rename("a", "a", RenameMode::kNoReplace), "EEXIST");
}

TEST_F(RenameContract, DirectoryIntoItselfIsInvalid) {
  MakeDirectory("d");
  MakeDirectory("d/sub");
  EXPECT_EQ(Error(fs().Rename(call_, root_, "d", Node("d"), "x", RenameMode::kReplace)), "EINVAL");
  EXPECT_EQ(Error(fs().Rename(call_, root_, "d", Node("d/sub"), "x", RenameMode::kReplace)), "EINVAL");
  EXPECT_EQ(Error(fs().Rename(call_, root_, "d", Node("d"), "sub", RenameMode::kExchange)), "EINVAL");
}

TEST_F(RenameContract, OntoAnAncestorIsNotempty) {
  MakeDirectory("d");
  MakeDirectory("d/sub");
  EXPECT_EQ(Error(fs().Rename(call_, Node("d"), "sub", root_, "d", RenameMode::kReplace)), "ENOTEMPTY");
}

TEST_F(RenameContract, BadNamesAndParents) {
  WriteNative("file", "");
  MakeDirectory("d");
  const NodeId file = Node("file");
  EXPECT_EQ(Rename("", "x"), "EINVAL");
  EXPECT_EQ(Rename("file", ""), "EINVAL");
  EXPECT_EQ(Rename("file", ".."), "EINVAL");
  EXPECT_EQ(Rename(".", "x"), "EINVAL");
  EXPECT_EQ(Rename("file", "d/x"), "EINVAL");
  EXPECT_EQ(Rename("file", std::string(256, 'x')), "ENAMETOOLONG");
  EXPECT_EQ(Error(fs().Rename(call_, file, "a", root_, "b", RenameMode::kReplace)), "ENOTDIR");
  EXPECT_EQ(Error(fs().Rename(call_, root_, "d", file, "b", RenameMode::kReplace)), "ENOTDIR");
}

TEST_F(RenameContract, ExchangeSwapsNodes) {
  WriteNative("a", "A");
  MakeDirectory("b");
  WriteNative("b/file", "");
  const NodeId a = Node("a");
  const NodeId b = Node("b");
  EXPECT_EQ(Rename("a", "b", RenameMode::kExchange), "OK");
  EXPECT_EQ(Node("b"), a);
  EXPECT_EQ(Node("a"), b);
  EXPECT_TRUE(Exists("a/file"));
  EXPECT_EQ(Find("b").attributes.type, FileType::kRegular);
}

struct MatrixCase {
  const char* from;
  const char* to;
  const char* replace;
  const char* no_replace;
  const char* exchange;
};

constexpr MatrixCase kMatrix[] = {
    {"absent", "absent", "ENOENT", "ENOENT", "ENOENT"},
    {"absent", "file", "ENOENT", "EEXIST", "ENOENT"},
    {"absent", "empty", "ENOENT", "EEXIST", "ENOENT"},
    {"absent", "full", "ENOENT", "EEXIST", "ENOENT"},
    {"absent", "link", "ENOENT", "EEXIST", "ENOENT"},
    {"file", "absent", "OK", "OK", "ENOENT"},
    {"file", "file", "OK", "EEXIST", "OK"},
    {"file", "empty", "EISDIR", "EEXIST", "OK"},
    {"file", "full", "EISDIR", "EEXIST", "OK"},
    {"file", "link", "OK", "EEXIST", "OK"},
    {"empty", "absent", "OK", "OK", "ENOENT"},
    {"empty", "file", "ENOTDIR", "EEXIST", "OK"},
    {"empty", "empty", "OK", "EEXIST", "OK"},
    {"empty", "full", "ENOTEMPTY", "EEXIST", "OK"},
    {"empty", "link", "ENOTDIR", "EEXIST", "OK"},
    {"full", "absent", "OK", "OK", "ENOENT"},
    {"full", "file", "ENOTDIR", "EEXIST", "OK"},
    {"full", "empty", "OK", "EEXIST", "OK"},
    {"full", "full", "ENOTEMPTY", "EEXIST", "OK"},
    {"full", "link", "ENOTDIR", "EEXIST", "OK"},
    {"link", "absent", "OK", "OK", "ENOENT"},
    {"link", "file", "OK", "EEXIST", "OK"},
    {"link", "empty", "EISDIR", "EEXIST", "OK"},
    {"link", "full", "EISDIR", "EEXIST", "OK"},
    {"link", "link", "OK", "EEXIST", "OK"},
};

// Result and effect of every pair of types in every mode. The order in which the kernel looks at an absent source
// and a present target with NOREPLACE is its own: either answer is one that it gives.
TEST_F(RenameContract, MatrixOfTypesAndModes) {
  int number = 0;
  for (const MatrixCase& entry : kMatrix) {
    const std::pair<RenameMode, const char*> modes[] = {{RenameMode::kReplace, entry.replace},
                                                        {RenameMode::kNoReplace, entry.no_replace},
                                                        {RenameMode::kExchange, entry.exchange}};
    for (const auto& [mode, expected] : modes) {
      SCOPED_TRACE(std::string(entry.from) + " onto " + entry.to + ", mode " + std::to_string(static_cast<int>(mode)));
      const std::string from = "from" + std::to_string(++number);
      const std::string to = "to" + std::to_string(number);
      Make(entry.from, from);
      Make(entry.to, to);
      const ino_t from_inode = Inode(from);
      const ino_t to_inode = Inode(to);
      const std::string result = Rename(from, to, mode);
      if (from_inode == 0 && to_inode != 0 && mode == RenameMode::kNoReplace) {
        EXPECT_TRUE(result == "ENOENT" || result == "EEXIST") << result;
      } else {
        EXPECT_EQ(result, expected);
      }
      const bool done = result == "OK";
      const bool exchanged = done && mode == RenameMode::kExchange;
      EXPECT_EQ(Inode(to), done ? from_inode : to_inode);
      EXPECT_EQ(Inode(from), exchanged ? to_inode : done ? 0 : from_inode);
    }
  }
}

}  // namespace
}  // namespace mirrorfs
