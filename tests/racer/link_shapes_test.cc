// Links of forty shapes, each of which some resolver has followed to the wrong side. Whoever walks through the port
// reads the container's file or gets an error; the host's file is never read.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <set>

#include "gtest/gtest.h"
#include "protos/shared/errno_status.h"
#include "tests/contract/world.h"

namespace mirrorfs {
namespace {

constexpr char kContainers[] = "the container's own";
constexpr char kHosts[] = "THE HOST'S";
constexpr int kLinksAtMost = 40;

// BASE/root is served, BASE/host is outside. The container has its own files under the host's absolute paths.
class LinkShapes : public testing::Test {
 protected:
  void SetUp() override {
    char base[] = "/tmp/mirrorfs-links-XXXXXX";
    ASSERT_NE(mkdtemp(base), nullptr);
    base_ = base;
    std::filesystem::create_directories(base_ + "/root/sub/deep");
    std::filesystem::create_directories(base_ + "/host/sub");
    std::filesystem::create_directories(base_ + "/root" + base_ + "/host/sub");
    Write(base_ + "/host/canary", kHosts);
    Write(base_ + "/host/sub/canary", kHosts);
    Write(base_ + "/canary", kHosts);
    Write(base_ + "/root/file", kContainers);
    Write(base_ + "/root/canary", kContainers);
    Write(base_ + "/root/sub/canary", kContainers);
    Write(base_ + "/root" + base_ + "/host/canary", kContainers);
    world_ = MakeWorld(base_ + "/root", {});
  }
  void TearDown() override {
    world_.reset();
    std::filesystem::remove_all(base_);
  }

  static void Write(const std::string& path, const char* content) { std::ofstream(path) << content; }
  void Link(const std::string& name, const std::string& target) {
    ASSERT_EQ(symlink(target.c_str(), (base_ + "/root/" + name).c_str()), 0) << name;
  }
  void MakeShapes();

  static std::vector<std::string> Split(const std::string& path) {
    std::vector<std::string> names;
    for (const auto& part : std::filesystem::path(path)) {
      if (part != "/" && part != "." && !part.empty()) names.push_back(part.string());
    }
    return names;
  }
  std::string Read(NodeId node) {
    const HandleId handle = HandleId{++last_handle_};
    if (!world_->Files().Open(CallContext(), node, handle, {.read = true}, 0).ok()) return "";
    auto data = world_->Files().Read(CallContext(), handle, 0, 4096);
    return data.ok() ? std::string(*data) : "";
  }
  absl::StatusOr<NodeId> Resolve(std::vector<NodeId> stack, const std::string& path, int& links);

  std::string base_;
  std::unique_ptr<World> world_;
  std::set<std::string> shapes_;  // paths below the root
  uint64_t last_handle_ = 0;
};

// What a client does that keeps links inside the mount: an absolute target begins at the root, and ".." ends there.
absl::StatusOr<NodeId> LinkShapes::Resolve(std::vector<NodeId> stack, const std::string& path, int& links) {
  if (path.starts_with('/')) stack.resize(1);
  for (const std::string& name : Split(path)) {
    if (name == "..") {
      if (stack.size() > 1) stack.pop_back();
      continue;
    }
    ASSIGN_OR_RETURN(const Entry entry, world_->Files().Lookup(CallContext(), stack.back(), name));
    if (entry.attributes.type == FileType::kSymlink) {
      if (++links > kLinksAtMost) return ErrnoStatus(ELOOP);
      ASSIGN_OR_RETURN(const NodeId target, Resolve(stack, entry.link_target, links));
      stack.push_back(target);
    } else {
      stack.push_back(entry.node);
    }
  }
  return stack.back();
}

void LinkShapes::MakeShapes() {
  const std::string host = base_ + "/host";
  const std::pair<std::string, std::string> links[] = {
      {"absolute-file", host + "/canary"},
      {"absolute-directory", host},
      {"absolute-subdirectory", host + "/sub"},
      {"absolute-root", "/"},
      {"absolute-etc", "/etc"},
      {"absolute-passwd", "/etc/passwd"},
      {"absolute-double-slash", "//" + host.substr(1) + "/canary"},
      {"absolute-with-dots", host + "/./sub/../canary"},
      {"absolute-trailing-slash", host + "/"},
      {"absolute-through-root", base_ + "/root/../host/canary"},
      {"relative-file", "../host/canary"},
      {"relative-directory", "../host"},
      {"relative-up", ".."},
      {"relative-up-slash", "../"},
      {"relative-far-up", "../../../../../../../../../../.." + host + "/canary"},
      {"relative-up-canary", "../canary"},
      {"relative-dot-up", "./../host/canary"},
      {"relative-through-directory", "sub/../../host/canary"},
      {"relative-through-deep", "sub/deep/../../../host/canary"},
      {"sub/relative-up-up", "../../host/canary"},
      {"sub/relative-inside", "../canary"},
      {"sub/deep/relative-far", "../../../host/canary"},
      {"chain-1", "chain-2"},
      {"chain-2", "chain-3"},
      {"chain-3", host + "/canary"},
      {"chain-directory", "absolute-directory"},
      {"chain-through", "absolute-directory/sub/canary"},
      {"chain-up", "relative-up/host/canary"},
      {"chain-root", "absolute-root" + host + "/canary"},
      {"loop", "loop"},
      {"loop-a", "loop-b"},
      {"loop-b", "loop-a"},
      {"dangling", "nowhere"},
      {"dangling-absolute", "/nowhere/at/all"},
      {"proc-root", "/proc/self/root" + host + "/canary"},
      {"proc-root-1", "/proc/1/root" + host + "/canary"},
      {"proc-cwd", "/proc/self/cwd"},
      {"proc-fd", "/proc/self/fd/0"},
      {"dev-fd", "/dev/fd/0"},
      {"dot", "."},
      {"newline", host + "/canary\n"},
      {"long", std::string(2000, '/') + host.substr(1) + "/canary"},
      {"inside", "canary"},
      {"inside-absolute", "/canary"},
  };
  for (const auto& [name, target] : links) {
    Link(name, target);
    shapes_.insert(name);
  }
}

TEST_F(LinkShapes, AreFortyAndMore) {
  MakeShapes();
  EXPECT_GE(shapes_.size(), 40u);
}

TEST_F(LinkShapes, AreToldAndNeverFollowed) {
  MakeShapes();
  for (const std::string& shape : shapes_) {
    SCOPED_TRACE(shape);
    NodeId node = NodeId::kRoot;
    Entry entry;
    for (const std::string& name : Split(shape)) {
      auto found = world_->Files().Lookup(CallContext(), node, name);
      ASSERT_TRUE(found.ok()) << found.status();
      entry = *found;
      node = entry.node;
    }
    EXPECT_EQ(entry.attributes.type, FileType::kSymlink);
    EXPECT_EQ(entry.link_target, std::filesystem::read_symlink(base_ + "/root/" + shape).string());
    EXPECT_EQ(Read(node), "") << "a link was opened";
    for (const char* below : {"canary", "sub", "etc", "host"}) {
      EXPECT_FALSE(world_->Files().Lookup(CallContext(), node, below).ok()) << below;
      const FileSystem::NewNode where = {.parent = node, .name = below, .permissions = 0644};
      EXPECT_FALSE(world_->Files().Mkdir(CallContext(), where).ok()) << below;
      EXPECT_FALSE(world_->Files().Unlink(CallContext(), node, below).ok()) << below;
    }
    EXPECT_FALSE(world_->Files().ReadDir(CallContext(), node, DirCursor::kStart, 4096, false).ok());
  }
}

TEST_F(LinkShapes, ResolvedInsideReadTheContainersFilesOrNothing) {
  MakeShapes();
  int read = 0;
  for (const std::string& shape : shapes_) {
    for (const char* rest : {"", "/canary", "/sub/canary", "/host/canary", "/../host/canary", "/passwd"}) {
      SCOPED_TRACE(shape + rest);
      int links = 0;
      auto node = Resolve({NodeId::kRoot}, shape + rest, links);
      if (!node.ok()) {
        EXPECT_TRUE(HasErrno(node.status())) << node.status();
        continue;
      }
      const std::string content = Read(*node);
      EXPECT_TRUE(content.empty() || content == kContainers) << content;
      read += content == kContainers ? 1 : 0;
    }
  }
  EXPECT_GT(read, 10) << "the container's own files must be found";
}

TEST_F(LinkShapes, NamesWithSlashesAndDotsLeadNowhere) {
  const std::string host = base_ + "/host/canary";
  for (const std::string& name : {std::string(".."), std::string("../canary"), std::string("../host/canary"), host,
                                  std::string("/"), std::string("sub/../../canary"), std::string("./canary")}) {
    EXPECT_EQ(ToErrno(world_->Files().Lookup(CallContext(), NodeId::kRoot, name).status()), EINVAL) << name;
    EXPECT_EQ(ToErrno(world_->Files().Unlink(CallContext(), NodeId::kRoot, name).status()), EINVAL) << name;
  }
  EXPECT_TRUE(std::filesystem::exists(host));
}

}  // namespace
}  // namespace mirrorfs
