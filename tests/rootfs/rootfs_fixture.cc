#include "tests/rootfs/rootfs_fixture.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace mirrorfs {

uint64_t DefaultContainerCapabilities() {
  uint64_t capabilities = 0;
  for (int capability :
       {CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER, CAP_FSETID, CAP_KILL, CAP_SETGID, CAP_SETUID, CAP_SETPCAP,
        CAP_NET_BIND_SERVICE, CAP_NET_RAW, CAP_SYS_CHROOT, CAP_MKNOD, CAP_AUDIT_WRITE, CAP_SETFCAP}) {
    capabilities |= uint64_t{1} << capability;
  }
  return capabilities;
}

void RootfsFixture::SetUp() {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  char name[] = "/tmp/mirrorfs-rootfs-XXXXXX";
  ASSERT_NE(mkdtemp(name), nullptr);
  base_ = name;
  Mount("tmpfs", "tmpfs", base_, 0, "mode=0755");
  tree_ = base_ + "/tree";
  ASSERT_EQ(mkdir(tree_.c_str(), 0755), 0);
}

void RootfsFixture::TearDown() {
  if (base_.empty()) return;
  umount2(base_.c_str(), MNT_DETACH);
  rmdir(base_.c_str());
}

void RootfsFixture::Mount(const std::string& type, const std::string& source, const std::string& target,
                          unsigned long flags, const std::string& data) {
  std::filesystem::create_directories(target);
  ASSERT_EQ(mount(source.c_str(), target.c_str(), type.c_str(), flags, data.c_str()), 0)
      << type << " on " << target << ": " << strerror(errno);
}

void RootfsFixture::MountOverlay(const std::string& more_options) {
  for (const char* part : {"lower", "upper", "work", "merged"}) {
    std::filesystem::create_directories(base_ + "/" + part);
  }
  Mount("overlay", "overlay", base_ + "/merged", 0,
        "lowerdir=" + base_ + "/lower,upperdir=" + base_ + "/upper,workdir=" + base_ + "/work" + more_options);
  tree_ = base_ + "/merged";
}

void RootfsFixture::WriteNative(std::string_view name, std::string_view data, mode_t mode) {
  {
    std::ofstream file(Path(name), std::ios::binary | std::ios::trunc);
    file << data;
    ASSERT_TRUE(file.good()) << Path(name);
  }
  ASSERT_EQ(chmod(Path(name).c_str(), mode), 0);
}

std::string RootfsFixture::ReadNative(std::string_view name) const {
  std::ifstream file(Path(name), std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

struct stat RootfsFixture::StatNative(std::string_view name) const {
  struct stat stat = {};
  EXPECT_EQ(lstat(Path(name).c_str(), &stat), 0) << name;
  return stat;
}

RootedFilesystemOptions RootfsFixture::Options() const {
  RootedFilesystemOptions options;
  options.root.reset(open(tree_.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  options.identity.credentials.capabilities = kEveryCapability;
  options.read_write = true;
  return options;
}

std::unique_ptr<RootedFilesystem> RootfsFixture::Serve(RootedFilesystemOptions options) const {
  auto files = RootedFilesystem::Create(std::move(options));
  EXPECT_TRUE(files.ok()) << files.status();
  return files.ok() ? *std::move(files) : nullptr;
}

std::unique_ptr<RootedFilesystem> RootfsFixture::ServeAs(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups,
                                                         uint64_t capabilities) const {
  RootedFilesystemOptions options = Options();
  options.identity = {IdentityKind::kContainer, {uid, gid, std::move(groups), capabilities}};
  return Serve(std::move(options));
}

std::unique_ptr<RootedFilesystem> RootfsFixture::ServeCallers() const {
  RootedFilesystemOptions options = Options();
  options.identity = {IdentityKind::kCaller, {}};
  return Serve(std::move(options));
}

NodeId RootfsFixture::Walk(FileSystem& files, std::string_view path) {
  NodeId node = NodeId::kRoot;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    auto entry = files.Lookup({}, node, path.substr(0, end));
    if (!entry.ok()) return NodeId::kInvalid;
    node = entry->node;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return node;
}

std::string RootfsFixture::Error(const absl::Status& status) {
  if (status.ok()) return "OK";
  const char* name = strerrorname_np(ToErrno(status));
  return name != nullptr ? name : status.ToString();
}

CallContext RootfsFixture::As(uint32_t uid, uint32_t gid, std::vector<uint32_t> groups) {
  CallContext context;
  context.caller = {uid, gid, std::move(groups)};
  return context;
}

}  // namespace mirrorfs
