// A real directory tree on a tmpfs of its own, and rooted file systems over it.
#ifndef MIRRORFS_TESTS_ROOTFS_ROOTFS_FIXTURE_H_
#define MIRRORFS_TESTS_ROOTFS_ROOTFS_FIXTURE_H_

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <string_view>

#include "protos/rootfs/rooted_filesystem.h"
#include "protos/shared/errno_status.h"

namespace mirrorfs {

inline constexpr uint64_t kEveryCapability = ~uint64_t{0};

// What containers run with when nobody asks for more (Docker's list).
uint64_t DefaultContainerCapabilities();

class RootfsFixture : public testing::Test {
 protected:
  void SetUp() override;  // skips without root; mounts a tmpfs at base_
  void TearDown() override;

  // The container's tree; `tree_` unless a test has mounted something better.
  std::string Path(std::string_view name) const { return tree_ + "/" + std::string(name); }
  void WriteNative(std::string_view name, std::string_view data, mode_t mode = 0644);
  std::string ReadNative(std::string_view name) const;
  struct stat StatNative(std::string_view name) const;
  // lower/ and upper/ below base_ become an overlay that is the tree from now on.
  void MountOverlay(const std::string& more_options = "");
  void Mount(const std::string& type, const std::string& source, const std::string& target, unsigned long flags = 0,
             const std::string& data = "");

  // A session over the tree; read-write, as root with every capability, unless changed.
  RootedFilesystemOptions Options() const;
  std::unique_ptr<RootedFilesystem> Serve(RootedFilesystemOptions options) const;
  std::unique_ptr<RootedFilesystem> Serve() const { return Serve(Options()); }
  std::unique_ptr<RootedFilesystem> ServeAs(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups = {},
                                            uint64_t capabilities = 0) const;
  std::unique_ptr<RootedFilesystem> ServeCallers() const;

  // The node of a path below the root; kInvalid if a lookup fails.
  static NodeId Walk(FileSystem& files, std::string_view path);
  static std::string Error(const absl::Status& status);
  template <typename T>
  static std::string Error(const absl::StatusOr<T>& result) {
    return Error(result.status());
  }
  static CallContext As(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups = {});

  std::string base_;
  std::string tree_;
};

}  // namespace mirrorfs

#endif  // MIRRORFS_TESTS_ROOTFS_ROOTFS_FIXTURE_H_
