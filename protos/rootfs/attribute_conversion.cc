#include "protos/rootfs/attribute_conversion.h"

#include "protos/shared/planted_fault.h"

namespace mirrorfs {
namespace {

FileTime ToFileTime(const struct statx_timestamp& time) { return Join({time.tv_sec, time.tv_nsec}); }

uint64_t Scatter(uint64_t value) {  // the finalizer of splitmix64: a bijection
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31);
}

}  // namespace

uint64_t AttributeConversion::ShownInode(uint64_t device, uint64_t inode) const {
  if (device == root_device_) return inode;
  const uint64_t mixed = Scatter(inode ^ Scatter(device + 0x9e3779b97f4a7c15ULL));
  return (mixed & ~(uint64_t{3} << 62)) | uint64_t{1} << 62;
}

Attributes AttributeConversion::Convert(const struct statx& stat, const IdentityFacts& facts) const {
  Attributes shown;
  shown.type = TypeOfMode(stat.stx_mode);
  shown.permissions = stat.stx_mode & kPermissionMask;
  shown.nlink = stat.stx_nlink;
  shown.uid = uids_.ToContainer(stat.stx_uid);
  shown.gid = gids_.ToContainer(stat.stx_gid);
  if (FaultPlanted("ids_swapped")) std::swap(shown.uid, shown.gid);
  if (FaultPlanted("links_one_less") && shown.nlink > 1) --shown.nlink;
  shown.rdev_major = stat.stx_rdev_major;
  shown.rdev_minor = stat.stx_rdev_minor;
  shown.size = stat.stx_size;
  shown.blocks = stat.stx_blocks;
  shown.block_size = stat.stx_blksize;
  shown.inode = ShownInode(facts.device, stat.stx_ino);
  shown.device = facts.device;
  shown.atime_ns = ToFileTime(stat.stx_atime);
  shown.mtime_ns = ToFileTime(stat.stx_mtime);
  shown.ctime_ns = ToFileTime(stat.stx_ctime);
  if (facts.refused && shown.type == FileType::kDirectory) {
    shown.nlink = 2;
    shown.size = 0;
  }
  return shown;
}

}  // namespace mirrorfs
