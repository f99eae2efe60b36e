#include "protos/rootfs/mount_facts.h"

#include <fcntl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>

#include "protos/rootfs/file_id.h"

namespace mirrorfs {
namespace {

constexpr uint64_t kOverlayMagic = 0x794c7630;

// From linux/magic.h and, for those that are not in it, from the file systems' sources.
constexpr std::array<uint64_t, 26> kPseudoFilesystems = {
    0x9fa0,      // proc
    0x62656572,  // sysfs
    0x27e0eb,    // cgroup
    0x63677270,  // cgroup2
    0x1cd1,      // devpts
    0x64626720,  // debugfs
    0x74726163,  // tracefs
    0x73636673,  // securityfs
    0xcafe4a11,  // bpf
    0x19800202,  // mqueue
    0x62656570,  // configfs
    0x6165676c,  // pstore
    0xde5e81e4,  // efivarfs
    0x42494e4d,  // binfmt_misc
    0xf97cff8c,  // selinuxfs
    0x43415d53,  // smackfs
    0x6e736673,  // nsfs
    0x67596969,  // rpc_pipefs
    0x6e667364,  // nfsd
    0x0187,      // autofs: a lookup would mount something
    0x65735543,  // fusectl
    0x6c6f6f70,  // binder
    0x50494446,  // pidfs
    0x07655821,  // resctrl
    0x5345434d,  // secretmem
    0x454d444d,  // devmem
};

// The number of mounts that one container can show is small; a container that mounts and unmounts all day must not
// make the agent grow.
constexpr size_t kMostRemembered = 4096;

}  // namespace

bool IsPseudoFilesystem(uint64_t magic) {
  return std::find(kPseudoFilesystems.begin(), kPseudoFilesystems.end(), magic) != kPseudoFilesystems.end();
}

std::optional<MountFacts> ProbeMount(int fd) {
  struct statfs statistics = {};
  if (::fstatfs(fd, &statistics) != 0) return std::nullopt;
  MountFacts facts;
  const uint64_t magic = static_cast<uint32_t>(statistics.f_type);
  facts.refused = IsPseudoFilesystem(magic);
  facts.overlay = magic == kOverlayMagic;
  for (FileIds kind : {FileIds::kIdentify, FileIds::kDecodable}) {
    if (facts.refused || facts.file_ids != FileIds::kNone) break;
    if (ReadFileId(fd, "", kind).has_value()) facts.file_ids = kind;
  }
  return facts;
}

std::optional<MountFacts> MountFactsCache::Find(uint64_t mount) const {
  MutexLock lock(mutex_);
  const auto found = facts_.find(mount);
  if (found == facts_.end()) return std::nullopt;
  return found->second;
}

void MountFactsCache::Remember(uint64_t mount, const MountFacts& facts) {
  MutexLock lock(mutex_);
  if (facts_.size() >= kMostRemembered) facts_.clear();
  facts_.insert_or_assign(mount, facts);
}

}  // namespace mirrorfs
