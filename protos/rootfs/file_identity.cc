#include "protos/rootfs/file_identity.h"

#include <sys/sysmacros.h>

#include <cstring>

#include "protos/rootfs/kernel_calls.h"

namespace mirrorfs {
namespace {

constexpr uint8_t kTypeMask = 0x0f;
constexpr uint8_t kRefused = 0x10;
constexpr uint8_t kOverlay = 0x20;
constexpr uint8_t kLasting = 0x40;
constexpr uint8_t kPerName = 0x80;
constexpr size_t kFixedBytes = 1 + 3 * sizeof(uint64_t);

// Overlay's file id (fs/overlayfs/overlayfs.h, struct ovl_fh), after the four bytes of its type.
constexpr int32_t kOverlayIdType = 0xf8;       // OVL_FILEID_V1
constexpr size_t kOverlayMagicAt = 4 + 3 + 1;  // padding, version
constexpr uint8_t kOverlayMagic = 0xfb;        // OVL_FH_MAGIC
constexpr size_t kOverlayFlagsAt = kOverlayMagicAt + 2;
constexpr uint8_t kOverlayPathUpper = 1 << 2;  // OVL_FH_FLAG_PATH_UPPER

constexpr uint64_t kNoMountNumber = uint64_t{1} << 63;

template <typename Number>
void Append(std::string& to, Number number) {
  char bytes[sizeof(number)];
  std::memcpy(bytes, &number, sizeof(number));
  to.append(bytes, sizeof(bytes));
}

}  // namespace

uint64_t DeviceNumber(const struct statx& stat) { return ::makedev(stat.stx_dev_major, stat.stx_dev_minor); }

uint64_t MountNumber(const struct statx& stat) {
  if ((stat.stx_mask & (kStatxMountId | kStatxUniqueMountId)) == 0) return kNoMountNumber | DeviceNumber(stat);
  return stat.stx_mnt_id;
}

std::string EncodeIdentity(const struct statx& stat, const IdentityFacts& facts, std::string_view file_id) {
  const bool directory = facts.type == FileType::kDirectory;
  std::string identity;
  identity.reserve(kFixedBytes + 12 + file_id.size());
  identity.push_back(static_cast<char>(static_cast<uint8_t>(facts.type) | (facts.refused ? kRefused : 0) |
                                       (facts.overlay ? kOverlay : 0) | (facts.lasting ? kLasting : 0) |
                                       (facts.per_name ? kPerName : 0)));
  Append(identity, DeviceNumber(stat));
  Append(identity, MountNumber(stat));
  // Overlay: two hard links of a lower file share one file id until one of them is copied up, so the inode number
  // tells them apart. Directories have one name; without xino their inode numbers do not last, the file id does.
  Append(identity, directory && facts.lasting ? uint64_t{0} : uint64_t{stat.stx_ino});
  // A copy-up gives overlay's files a new birth time: with a file id it is not needed there. Other file systems may
  // lack generations (file ids of theirs are then used again), but have lasting birth times.
  const bool birth = (stat.stx_mask & STATX_BTIME) != 0 && !(facts.overlay && facts.lasting);
  if (birth) {
    Append(identity, stat.stx_btime.tv_sec);
    Append(identity, stat.stx_btime.tv_nsec);
  }
  identity.append(file_id);
  return identity;
}

bool ComesFromLowerLayer(std::string_view file_id) {
  int32_t type = 0;
  if (file_id.size() <= kOverlayFlagsAt) return false;
  std::memcpy(&type, file_id.data(), sizeof(type));
  return type == kOverlayIdType && static_cast<uint8_t>(file_id[kOverlayMagicAt]) == kOverlayMagic &&
         (static_cast<uint8_t>(file_id[kOverlayFlagsAt]) & kOverlayPathUpper) == 0;
}

std::optional<IdentityFacts> DecodeIdentity(std::string_view identity) {
  if (identity.size() < kFixedBytes || identity.size() > kFixedBytes + 12 + 256) return std::nullopt;
  const uint8_t flags = static_cast<uint8_t>(identity[0]);
  if ((flags & kTypeMask) > static_cast<uint8_t>(FileType::kSocket)) return std::nullopt;
  IdentityFacts facts;
  facts.type = static_cast<FileType>(flags & kTypeMask);
  facts.refused = (flags & kRefused) != 0;
  facts.overlay = (flags & kOverlay) != 0;
  facts.lasting = (flags & kLasting) != 0;
  facts.per_name = (flags & kPerName) != 0;
  std::memcpy(&facts.device, identity.data() + 1, sizeof(facts.device));
  return facts;
}

}  // namespace mirrorfs
