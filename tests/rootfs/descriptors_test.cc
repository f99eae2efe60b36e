// Few descriptors, however many files are in use.
#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "tests/rootfs/rootfs_fixture.h"

namespace mirrorfs {
namespace {

class Descriptors : public RootfsFixture {
 protected:
  void SetUp() override {
    RootfsFixture::SetUp();
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &former_), 0);
  }
  void TearDown() override {
    setrlimit(RLIMIT_NOFILE, &former_);
    RootfsFixture::TearDown();
  }
  void Limit(rlim_t descriptors) {
    const rlimit limit = {descriptors, former_.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  static size_t CountOpen() {
    size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) ++count;
    return count;
  }

  rlimit former_ = {};
};

TEST_F(Descriptors, FiftyThousandNodesInUseWith256) {
  constexpr int kDirectories = 50;
  constexpr int kFiles = 1000;
  for (int directory = 0; directory < kDirectories; ++directory) {
    const std::string name = "d" + std::to_string(directory);
    ASSERT_EQ(mkdir(Path(name).c_str(), 0755), 0);
    const UniqueFd at(open(Path(name).c_str(), O_PATH | O_DIRECTORY));
    for (int file = 0; file < kFiles; ++file) {
      ASSERT_EQ(mknodat(at.get(), ("f" + std::to_string(file)).c_str(), S_IFREG | 0644, 0), 0);
    }
  }
  Limit(256);
  auto files = Serve();
  std::vector<NodeId> nodes;
  for (int directory = 0; directory < kDirectories; ++directory) {
    const NodeId at = Walk(*files, "d" + std::to_string(directory));
    ASSERT_NE(at, NodeId::kInvalid);
    const auto page = files->ReadDir({}, at, DirCursor::kStart, 4 << 20, true);
    ASSERT_EQ(Error(page), "OK");
    ASSERT_EQ(page->next, DirCursor::kEnd);
    ASSERT_EQ(page->entries.size(), static_cast<size_t>(kFiles));
    for (const DirectoryEntry& entry : page->entries) nodes.push_back(entry.entry->node);
  }
  ASSERT_EQ(nodes.size(), 50000u);
  for (size_t step = 0; step < nodes.size(); ++step) {
    const NodeId node = nodes[step * 7919 % nodes.size()];
    ASSERT_EQ(Error(files->GetAttr({}, {.node = node})), "OK");
  }
  EXPECT_LE(CountOpen(), 128u);
  const HandleId handle{1};
  EXPECT_EQ(Error(files->Open({}, nodes[12345], handle, {.read = true, .write = true}, 0)), "OK");
}

TEST_F(Descriptors, TheCacheGivesWayToOpenFiles) {
  for (int file = 0; file < 80; ++file) WriteNative("f" + std::to_string(file), "");
  Limit(CountOpen() + 100);
  RootedFilesystemOptions options = Options();
  options.fd_cache_size = 512;
  auto files = Serve(std::move(options));
  for (int file = 0; file < 80; ++file) {
    const NodeId node = Walk(*files, "f" + std::to_string(file));
    ASSERT_NE(node, NodeId::kInvalid) << file;
    const HandleId handle{static_cast<uint64_t>(file) + 1};
    ASSERT_EQ(Error(files->Open({}, node, handle, {.read = true}, 0)), "OK") << file;
  }
  // And when there is really none left, that is an error and nothing worse.
  std::vector<UniqueFd> all;
  const auto take_all = [&all] {
    while (true) {
      UniqueFd fd(open("/", O_PATH));
      if (!fd) return;
      all.push_back(std::move(fd));
    }
  };
  take_all();
  (void)files->Open({}, NodeId::kRoot, HandleId{1000}, {.read = true}, 0);  // gives the cache up
  take_all();
  EXPECT_EQ(Error(files->Open({}, NodeId::kRoot, HandleId{1001}, {.read = true}, 0)), "EMFILE");
  EXPECT_EQ(Error(files->Lookup({}, NodeId::kRoot, "f1")), "EMFILE");
  all.clear();
}

TEST_F(Descriptors, EverythingIsGivenBack) {
  WriteNative("file", "data");
  const size_t before = CountOpen();
  {
    auto files = Serve();
    for (uint64_t round = 1; round <= 300; ++round) {
      const NodeId node = Walk(*files, "file");
      ASSERT_EQ(Error(files->Open({}, node, HandleId{round}, {.read = true, .write = true}, 0)), "OK");
      const LockRange lock = {LockType::kRead};
      ASSERT_EQ(Error(files->SetLock({}, HandleId{round}, LockOwner{round}, LockKind::kRange, lock, {})), "OK");
      ASSERT_EQ(Error(files->SetLock({}, HandleId{round}, LockOwner{round}, LockKind::kFlock, lock, {})), "OK");
      const HandleId handle{round};
      files->Release({&handle, 1});
      ASSERT_EQ(Error(files->ReadDir({}, NodeId::kRoot, DirCursor::kStart, 1, false)), "OK");
    }
    EXPECT_LE(CountOpen(), before + 80);
  }
  EXPECT_EQ(CountOpen(), before);
}

}  // namespace
}  // namespace mirrorfs
