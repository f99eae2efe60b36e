// The fixture of the contract suite: a fresh directory, an implementation of the port over it, and short words for
// what the tests do natively to the one and through the port to the other.
#ifndef MIRRORFS_TESTS_CONTRACT_CONTRACT_TEST_H_
#define MIRRORFS_TESTS_CONTRACT_CONTRACT_TEST_H_

#include <cerrno>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/clock.h"
#include "gtest/gtest.h"
#include "tests/contract/world.h"

namespace mirrorfs {

// "OK", or the name of the errno: what tests compare.
std::string Error(const absl::Status& status);
template <typename T>
std::string Error(const absl::StatusOr<T>& result) {
  return Error(result.status());
}

// For what the contract leaves open.
testing::AssertionResult FailsWithOneOf(const absl::Status& status, std::initializer_list<int> errors);
template <typename T>
testing::AssertionResult FailsWithOneOf(const absl::StatusOr<T>& result, std::initializer_list<int> errors) {
  return FailsWithOneOf(result.status(), errors);
}

// Bytes that differ from each other over any distance that matters.
std::string Pattern(size_t size, uint32_t seed = 1);

class ContractTest : public testing::Test {
 protected:
  static constexpr OpenFlags kReadOnly = {.read = true};
  static constexpr OpenFlags kWriteOnly = {.write = true};
  static constexpr OpenFlags kReadWrite = {.read = true, .write = true};

  ContractTest();
  ~ContractTest() override;
  void SetUp() override { Remake({}); }

  // Begins again with another session on the same directory; ids and handles of the one before mean nothing in it.
  void Remake(const WorldOptions& options);

  FileSystem& fs() { return world_->Files(); }
  World& world() { return *world_; }

  // --- Natively
  std::string Path(std::string_view relative = "") const;
  void WriteNative(std::string_view relative, std::string_view content) const;
  std::string ReadNative(std::string_view relative) const;
  void MakeDirectory(std::string_view relative) const;
  struct stat StatNative(std::string_view relative) const;
  bool Exists(std::string_view relative) const;

  // --- Through the port. What fails here fails the test and gives an empty result.
  Entry Find(std::string_view relative);
  NodeId Node(std::string_view relative) { return Find(relative).node; }
  Attributes Stat(NodeId node);
  Attributes Stat(HandleId handle);
  HandleId NextHandle() { return HandleId{++last_handle_}; }
  HandleId OpenFile(std::string_view relative, const OpenFlags& flags);
  std::string ReadFile(HandleId handle, uint64_t offset, uint32_t size);
  void WriteFile(HandleId handle, uint64_t offset, std::string_view data);
  void Release(HandleId handle) { fs().Release({handle}); }
  void Forget(NodeId node, uint64_t count = 1);
  // What is given back goes out in batches: waits until the call gives that error, and returns what it gives.
  template <typename Call>
  std::string Eventually(std::string_view expected, Call call) {
    const absl::Time end = absl::Now() + absl::Seconds(20);
    std::string result;
    do {
      result = Error(call());
    } while (result != expected && absl::Now() < end);
    return result;
  }
  std::string EventuallyStale(NodeId node) {
    return Eventually("ESTALE", [&] { return fs().GetAttr(call_, {.node = node}); });
  }
  // The names of a whole directory, sorted, read in pages of `page_bytes`.
  std::vector<std::string> List(NodeId node, uint32_t page_bytes = 1 << 20);

  static FileSystem::NewNode New(NodeId parent, std::string_view name, uint32_t permissions = 0644,
                                 uint32_t umask = 0) {
    return {.parent = parent, .name = name, .permissions = permissions, .umask = umask};
  }

  const NodeId root_ = NodeId::kRoot;
  CallContext call_;

 private:
  std::string directory_;
  std::unique_ptr<World> world_;
  uint64_t last_handle_ = 0;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_CONTRACT_CONTRACT_TEST_H_
