#include "tests/contract/contract_test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_split.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

std::string Error(const absl::Status& status) {
  if (status.ok()) return "OK";
  const char* name = strerrorname_np(ToErrno(status));
  const std::string text = name ? name : std::string(status.message());
  return HasErrno(status) ? text : text + " without an answer: " + std::string(status.message());
}

testing::AssertionResult FailsWithOneOf(const absl::Status& status, std::initializer_list<int> errors) {
  for (const int error : errors) {
    if (HasErrno(status) && ToErrno(status) == error) return testing::AssertionSuccess();
  }
  return testing::AssertionFailure() << "it gives " << Error(status);
}

std::string Pattern(size_t size, uint32_t seed) {
  std::string result(size, '\0');
  uint32_t state = seed * 2654435761u + 1;
  for (char& byte : result) {
    state = state * 1664525u + 1013904223u;
    byte = static_cast<char>(state >> 24);
  }
  return result;
}

ContractTest::ContractTest() {
  const char* base = getenv("TEST_TMPDIR");
  directory_ = std::string(base ? base : "/tmp") + "/mirrorfs-contract-XXXXXX";
  if (mkdtemp(directory_.data()) == nullptr) abort();
  chmod(directory_.c_str(), 0755);
}

ContractTest::~ContractTest() {
  world_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

void ContractTest::Remake(const WorldOptions& options) {
  world_.reset();
  world_ = MakeWorld(directory_, options);
}

std::string ContractTest::Path(std::string_view relative) const { return directory_ + "/" + std::string(relative); }

void ContractTest::WriteNative(std::string_view relative, std::string_view content) const {
  std::ofstream(Path(relative), std::ios::binary | std::ios::trunc) << content;
}

std::string ContractTest::ReadNative(std::string_view relative) const {
  std::ifstream file(Path(relative), std::ios::binary);
  EXPECT_TRUE(file.is_open()) << relative;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

void ContractTest::MakeDirectory(std::string_view relative) const {
  EXPECT_EQ(mkdir(Path(relative).c_str(), 0755), 0) << relative;
}

struct stat ContractTest::StatNative(std::string_view relative) const {
  struct stat status = {};
  EXPECT_EQ(lstat(Path(relative).c_str(), &status), 0) << relative;
  return status;
}

bool ContractTest::Exists(std::string_view relative) const {
  return faccessat(AT_FDCWD, Path(relative).c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Entry ContractTest::Find(std::string_view relative) {
  Entry entry = world_->Root();
  const std::vector<std::string> names = absl::StrSplit(std::string(relative), '/');
  for (const std::string& name : names) {
    auto next = fs().Lookup(call_, entry.node, name);
    EXPECT_EQ(Error(next), "OK") << relative;
    if (!next.ok()) return {};
    entry = *std::move(next);
  }
  return entry;
}

Attributes ContractTest::Stat(NodeId node) {
  auto reply = fs().GetAttr(call_, {.node = node});
  EXPECT_EQ(Error(reply), "OK");
  return reply.ok() ? reply->attributes : Attributes();
}

Attributes ContractTest::Stat(HandleId handle) {
  auto reply = fs().GetAttr(call_, {.node = NodeId::kInvalid, .handle = handle});
  EXPECT_EQ(Error(reply), "OK");
  return reply.ok() ? reply->attributes : Attributes();
}

HandleId ContractTest::OpenFile(std::string_view relative, const OpenFlags& flags) {
  const HandleId handle = NextHandle();
  EXPECT_EQ(Error(fs().Open(call_, Node(relative), handle, flags, 0)), "OK") << relative;
  return handle;
}

std::string ContractTest::ReadFile(HandleId handle, uint64_t offset, uint32_t size) {
  auto data = fs().Read(call_, handle, offset, size);
  EXPECT_EQ(Error(data), "OK");
  return data.ok() ? std::string(*data) : std::string();
}

void ContractTest::WriteFile(HandleId handle, uint64_t offset, std::string_view data) {
  auto written = fs().Write(call_, handle, offset, absl::Cord(absl::string_view(data.data(), data.size())));
  EXPECT_EQ(Error(written), "OK");
  EXPECT_EQ(written.value_or(Written()).bytes, data.size());
}

void ContractTest::Forget(NodeId node, uint64_t count) {
  const ForgottenNode forgotten = {.node = node, .count = count};
  fs().Forget({&forgotten, 1});
}

std::vector<std::string> ContractTest::List(NodeId node, uint32_t page_bytes) {
  std::vector<std::string> names;
  DirCursor cursor = DirCursor::kStart;
  do {
    auto page = fs().ReadDir(call_, node, cursor, page_bytes, /*with_attributes=*/false);
    EXPECT_EQ(Error(page), "OK");
    if (!page.ok()) break;
    for (const DirectoryEntry& entry : page->entries) names.push_back(entry.name);
    cursor = page->next;
  } while (cursor != DirCursor::kEnd);
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace mirrorfs
